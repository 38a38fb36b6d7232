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
        if self.arguments:
            words, problems = self.state.inline_text(self.arguments[0], self.lineno)
            holder += nodes.paragraph("", "", *words)
            holder += problems
        self.state.nested_parse(self.content, self.content_offset, holder)
        return [holder]


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
