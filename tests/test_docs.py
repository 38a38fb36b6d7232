"""The documentation says what the program does: commands, options, settings, links."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from pydantic.fields import FieldInfo

from adapters import cli_sources
from adapters.cli import lorekeeper
from adapters.settings import Settings
from bot.chat_settings import ChannelSettings
from bot.persona_settings import NamedVoice
from kb.sources import AnySource, SourceSettings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
COMMON = {"--config", "--data", "--help"}
GROUPS = {name for name, command in lorekeeper.commands.items() if isinstance(command, click.Group)}
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
            command = " ".join(words[: 3 if words[1] in GROUPS else 2])
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


def uncommented() -> dict[str, Any]:
    return tomllib.loads(re.sub(r"^#(?=[\[\w])", "", example(), flags=re.MULTILINE))


def test_example_is_the_defaults() -> None:
    """config.example.toml holds every section and every key with its default, and no other."""
    written = tomllib.loads(example())
    defaults = Settings.model_construct().model_dump(mode="json", exclude={"channels", "personas", "sources"})
    assert written == defaults


def test_example_s_channel_is_complete() -> None:
    """The commented [[channels]] block, uncommented, is valid and shows every key."""
    (block,) = uncommented()["channels"]
    assert set(block) == set(ChannelSettings.model_fields)
    ChannelSettings(**block)


def test_example_s_persona_is_complete() -> None:
    """The commented [[personas]] block, uncommented, is valid and shows every key."""
    (block,) = uncommented()["personas"]
    assert set(block) == set(NamedVoice.model_fields)
    NamedVoice(**block)


def test_example_s_sources_are_complete() -> None:
    """The commented blocks, uncommented, are valid and show every key of each source type."""
    blocks = uncommented()["sources"]
    for cls in SOURCE_TYPES:
        (block,) = [block for block in blocks if block["type"] == cls.model_fields["type"].default]
        assert set(block) == set(cls.model_fields)
        defaults = cls(name=block["name"], location=block["location"]).model_dump(mode="json")
        unset = {key for key, value in defaults.items() if value is None}  # TOML has no word for it
        written = cls(**block).model_dump(mode="json", exclude=unset)
        assert written == {key: value for key, value in defaults.items() if key not in unset}


def test_example_explains_every_key() -> None:
    """A comment stands above each key's first appearance."""
    lines = example().splitlines()
    explained = set()
    for above, line in pairwise(lines):
        if (found := re.match(r"#?(\w+) = ", line)) and found[1] not in explained:
            assert above.startswith(("# ", "## ")) or found[1] in explained, line
            explained.add(found[1])


def rows_under(heading: str) -> dict[str, str]:
    """Return the keys of the table under a heading of docs/settings.md, with what it says of the default."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    table = page.partition(f"\n{heading}\n")[2].partition("\n###")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", table, re.MULTILINE))


@pytest.mark.parametrize(
    "name", [name for name in Settings.model_fields if name not in {"channels", "personas", "sources"}]
)
def test_settings_page_has_every_key_with_its_default(name: str) -> None:
    """docs/settings.md lists the keys of each section with the defaults of the code."""
    section = Settings.model_fields[name].annotation
    assert section is not None
    written = {key: _written(field) for key, field in section.model_fields.items()}
    assert rows_under(f"### [{name}]") == written


def test_settings_page_has_every_channel_s_keys() -> None:
    """docs/settings.md lists what may differ in one channel."""
    assert rows_under("### [[channels]]") == {
        key: _written(field) for key, field in ChannelSettings.model_fields.items()
    }


def test_settings_page_has_every_persona_s_keys() -> None:
    """docs/settings.md lists what each further voice has."""
    assert rows_under("### [[personas]]") == {
        key: _written(field) for key, field in NamedVoice.model_fields.items()
    }


def test_settings_page_has_every_source_s_keys() -> None:
    """docs/settings.md lists what all sources have, and for each type what it alone has."""
    common = {key: _written(field) for key, field in SourceSettings.model_fields.items()}
    assert rows_under("### [[sources]]") == {**common, "type": "required"}
    for cls in SOURCE_TYPES:
        own = {key: field for key, field in cls.model_fields.items() if key not in {*common, "type"}}
        heading = f"#### {cls.model_fields['type'].default}"
        assert rows_under(heading) == {key: _written(field) for key, field in own.items()}, heading


def test_the_commands_know_every_source_type() -> None:
    """`sources add --type` offers each type of the settings, in their order."""
    assert [cls.model_fields["type"].default for cls in SOURCE_TYPES] == list(cli_sources.TYPES)


def _written(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.default
    if default is None:
        return "none"
    if isinstance(default, tuple):
        return f"`{json.dumps(default)}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f'`"{default}"`' if isinstance(default, str | Path) else f"`{default}`"
