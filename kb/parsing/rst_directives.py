"""Stand-ins for directives that docutils does not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives


class _AnyOptions(dict[str, Any]):
    """Accepts an option of any name."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> Callable[[str], str]:
        return directives.unchanged


class Prose(Directive):
    """A directive whose argument and content are read as text."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = _AnyOptions()

    def run(self) -> list[nodes.Node]:
        """Return the argument as a paragraph and the parsed content."""
        holder = nodes.container()
        for block in self.opening(self.arguments[0] if self.arguments else ""):
            holder += block
        self.state.nested_parse(self.content, self.content_offset, holder)
        return [holder]

    def opening(self, argument: str) -> list[nodes.Node]:
        """Return what stands in front of the content."""
        return [nodes.paragraph("", "", *self.inline(argument))] if argument else []

    def inline(self, text: str) -> list[nodes.Node]:
        """Return a text's inline nodes; what docutils finds wrong with it is shown as it stands."""
        words, _problems = self.state.inline_text(text, self.lineno)
        return list(words)


class Body(Prose):
    """A directive whose argument is no text: how many columns there are, which format it is for."""

    def opening(self, argument: str) -> list[nodes.Node]:
        """Return nothing."""
        return []


class Titled(Prose):
    """A directive whose argument is the title of its content."""

    def opening(self, argument: str) -> list[nodes.Node]:
        """Return the title in bold."""
        title = nodes.strong("", "", *self.inline(argument))
        return [nodes.paragraph("", "", title)] if argument else []


class Signature(Prose):
    """A directive that describes what its argument names: a function, an option, a variable."""

    def opening(self, argument: str) -> list[nodes.Node]:
        """Return each name as code: the stars of `*args` are no markup."""
        names = (line.strip().rstrip("\\") for line in argument.split("\n"))
        return [nodes.paragraph("", "", nodes.literal(name, name)) for name in names if name]


class Change(Prose):
    """Says since which version something exists, is different or should not be used."""

    labels: ClassVar[dict[str, str]] = {
        "deprecated": "Deprecated since version",
        "versionadded": "Added in version",
        "versionchanged": "Changed in version",
        "versionremoved": "Removed in version",
    }

    def opening(self, argument: str) -> list[nodes.Node]:
        """Return the label, the version and what is said of it."""
        version, _, words = argument.replace("\n", " ").partition(" ")
        label = f"{self.labels[self.name]} {version}:"
        said = [nodes.Text(" "), *self.inline(words.strip())] if words.strip() else []
        return [nodes.paragraph("", "", nodes.strong(label, label), *said)]


class SeeAlso(Prose):
    """Names other places to read."""

    def opening(self, argument: str) -> list[nodes.Node]:
        """Return a label, and the places that stand behind it."""
        said = [nodes.Text(" "), *self.inline(argument)] if argument else []
        return [nodes.paragraph("", "", nodes.strong("", "See also:"), *said)]


class Silent(Prose):
    """A directive that shows nothing without the program it belongs to."""

    def run(self) -> list[nodes.Node]:
        """Return nothing."""
        return []


class Listing(Prose):
    """A code block of any flavour."""

    def run(self) -> list[nodes.Node]:
        """Return the content as code in the language that the argument names."""
        code = "\n".join(self.content)
        language = self.arguments[0].split()[0] if self.arguments else ""
        return [nodes.literal_block(code, code, classes=["code", language])]
