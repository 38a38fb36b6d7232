"""The documentation says what the program does: commands, options, settings, links."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import get_args

import click
import pytest

from adapters.cli import lorekeeper
from adapters.settings import Settings
from kb.settings import AnySource

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
COMMON = {"--config", "--data", "--help"}
SOURCE_TYPES = get_args(get_args(AnySource)[0])


def leaves(group: click.Group = lorekeeper, path: str = "lorekeeper") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def options(command: click.Command) -> set[str]:
    long = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    return long - COMMON


def section(page: str, heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\b.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section {heading!r}"
    return found[0]


@pytest.mark.parametrize(("words", "command"), [pytest.param(*leaf, id=leaf[0]) for leaf in leaves()])
def test_every_command_and_option_is_documented(words: str, command: click.Command) -> None:
    """docs/commands.md has a section for each command, with each of its options and no other."""
    text = section((ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), words)
    described = set(re.findall(r"`(--[a-z-]+)", text))
    assert described - COMMON <= options(command)
    assert options(command) <= described


def test_every_command_in_the_docs_exists() -> None:
    """A `lorekeeper …` line of any page names a command and options that there are."""
    known = dict(leaves())
    for page in PAGES:
        for line in re.findall(r"^\$ (lorekeeper .*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            words = re.sub(r'"[^"]*"', "X", line.partition("#")[0]).split()
            command = " ".join(words[: 3 if words[1] == "sources" else 2])
            assert command in known, f"{page.name}: {line}"
            used = {word for word in words if word.startswith("--")}
            assert used <= options(known[command]) | COMMON, f"{page.name}: {line}"


def test_make_targets_of_the_docs_exist() -> None:
    """A `make …` line of any page names a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        used = set(re.findall(r"^\$ make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert used <= targets, page.name


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists and a heading in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), target


def example() -> str:
    return (ROOT / "config.example.toml").read_text(encoding="utf-8")


def test_example_is_the_defaults() -> None:
    """config.example.toml holds every section and every key with its default, and no other."""
    written = tomllib.loads(example())
    defaults = Settings.model_construct().model_dump(mode="json", exclude={"sources"})
    assert written == defaults


def test_example_s_sources_are_complete() -> None:
    """The commented blocks, uncommented, are valid and show every key of each source type."""
    text = re.sub(r"^#(?=[\[\w])", "", example(), flags=re.MULTILINE)
    blocks = tomllib.loads(text)["sources"]
    for cls in SOURCE_TYPES:
        (block,) = [block for block in blocks if block["type"] == cls.model_fields["type"].default]
        assert set(block) == set(cls.model_fields)
        defaults = cls(name=block["name"], location=block["location"]).model_dump(mode="json")
        assert cls(**block).model_dump(mode="json") == defaults


def test_example_explains_every_key() -> None:
    """A comment stands above each key's first appearance."""
    lines = example().splitlines()
    explained = set()
    for above, line in pairwise(lines):
        if (found := re.match(r"#?(\w+) = ", line)) and found[1] not in explained:
            assert above.startswith(("# ", "## ")) or found[1] in explained, line
            explained.add(found[1])


def test_settings_page_has_every_key_with_its_default() -> None:
    """docs/settings.md lists the keys of each section with the defaults of the code."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        heading = "[[sources]]" if name == "sources" else f"[{name}]"
        table = page.partition(f"### {heading}\n")[2].partition("###")[0]
        rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", table, re.MULTILINE))
        classes = SOURCE_TYPES if name == "sources" else (field.annotation,)
        expected = {key: _written(field) for cls in classes for key, field in cls.model_fields.items()}
        if name == "sources":
            expected["type"] = "required"
        assert rows == expected, heading


def _written(field: object) -> str:
    default = getattr(field, "default", None)
    if field.is_required():  # type: ignore[attr-defined] # pydantic's FieldInfo, which has no public name here
        return "required"
    if isinstance(default, tuple):
        return "`[]`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if isinstance(default, int | float) else f'`"{default}"`'
