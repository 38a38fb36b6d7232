from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.gate import address, gate, gate_line, link, literal, plain
from tests.preview.discord_markdown import alive

OUTPUT = Path(__file__).resolve().parents[4] / "shared" / "data" / "trust" / "output"
RAW_MENTION = re.compile(
    r"@everyone|@here|<@[!&]?\d|<#\d|</[^>\n]+:\d|<a?:\w+:\d|<id:|<t:-?\d", re.IGNORECASE
)
SOURCE = "https://handbook.acme.test/expenses"


def problems(text: str, *, allowed: str = "") -> list[str]:
    """Return the live mentions of a text and its links to elsewhere."""
    found = alive(text)
    return [*found.mentions, *RAW_MENTION.findall(text), *(url for url in found.links if url != allowed)]


def constructs() -> list[str]:
    """Return the strings of the shared list of dangerous output; none where it is absent."""
    files = sorted(OUTPUT.glob("*.jsonl")) if OUTPUT.exists() else []
    return [str(json.loads(line)["s"]) for file in files for line in file.read_text("utf-8").splitlines()]


@pytest.mark.trust
@pytest.mark.skipif(not OUTPUT.exists(), reason="shared/data/trust is not here")
@pytest.mark.parametrize(
    "around", ["{}", "a {} b", "`{}`", "```\n{}\n```", "> {}", "# {}", "| a |\n|---|\n| {} |"]
)
def test_dangerous_output_is_dead(around: str) -> None:
    """No construct of the shared list mentions anybody or leads elsewhere, wherever it stands."""
    bad = {text: found for text in constructs() if (found := problems(gate(around.format(text))))}
    assert not bad


@pytest.mark.parametrize(
    "text",
    [
        "@everyone",
        "`@here`",
        "<@123456789012345678>",
        "<@&123456789012345678>",
        "<#123456789012345678>",
        "</ask:123456789012345678>",
        "<a:dance:123456789012345678>",
        "<t:1700000000:R>",
        "<id:customize>",
        "&lt;@123456789012345678&gt;",
        "discord.gg/abc",
        "`discord.gg/abc`",
        "<https://evil.test>",
        "<mail@evil.test>",
        "<+1 555 0100>",
        "[x](<https://evil.test>)",
        "[https://good.test](https://evil.test)",
        "> ```\n> <@123456789012345678>\n> ```",
        "\\`@everyone\\`",
        "~~~\n```\n@everyone [x](https://evil.test)\n~~~",
        ">>> @everyone",
        "||@everyone||",
    ],
)
def test_live_markup_is_dead(text: str) -> None:
    """What Discord would make alive is shown as letters."""
    assert problems(gate(text)) == []
    assert problems(gate_line(text)) == []
    assert problems(literal(text)) == []


BITS = [
    *(
        "@everyone",
        "@here",
        "<@1>",
        "<@&12>",
        "<#1>",
        "</x:1>",
        "<:e:1>",
        "<t:1:R>",
        "[x](",
        "https://evil.test/a",
    ),
    *(
        ")",
        "<",
        ">",
        "`",
        "``",
        "```",
        "~~~",
        "\\",
        "\n",
        "\n\n",
        "> ",
        ">>> ",
        "- ",
        "|",
        "||",
        "\n|---|---|\n",
    ),
    *(
        "&lt;",
        "&amp;",
        "__",
        "**",
        "*",
        "_",
        "discord.gg/x",
        SOURCE,
        "a",
        " ",
        "1. ",
        "# ",
        "-# ",
        "---",
        "\u200b",
    ),
]


@given(st.lists(st.sampled_from(BITS), max_size=14).map("".join))
def test_nothing_built_of_markup_comes_alive(text: str) -> None:
    """No combination of markup brings a mention or a foreign link to life."""
    shown = gate(text, allowed={SOURCE})
    assert problems(shown, allowed=SOURCE) == []


@given(st.text(max_size=200))
def test_every_text_gets_through(text: str) -> None:
    """The gate takes any text, and what it shows is dead."""
    assert problems(gate(text)) == []
    assert "\n" not in literal(text)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# Title\n\ntext", "## Title\ntext"),
        ("#### Small\n\ntext", "**Small**\ntext"),
        ("Title\n=====\ntext", "## Title\ntext"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("* a\n+ b\n  * c", "- a\n- b\n  - c"),
        ("1) a\n2) b", "1. a\n2. b"),
        ("- [ ] open\n- [x] done", "- ☐ open\n- ☑ done"),
        (">>> one\ntwo", "> one\ntwo"),
        ("> > deep", "> deep"),
        ("-# small", "\\-# small"),
        ("if a || b || c", "if a \\|\\| b \\|\\| c"),
        ("__very loud__ and __init__", "**very loud** and \\_\\_init\\_\\_"),
        ("AT&amp;T &lt;3", "AT&T <3"),
        ("~~~py\nx = 1\n~~~", "```py\nx = 1\n```"),
        ("a\n\n```\nx", "a\n```\nx\n```"),
        ("- a\n  ```\n  x\n  ```", "- a\n```\nx\n```"),
        ("> ```\n> x\n> ```", "```\nx\n```"),
        ("a stray ` here", "a stray ' here"),
        ("`` a`b ``", "`` a`b ``"),
        ("one  \ntwo\\\nthree", "one\ntwo\nthree"),
    ],
)
def test_dialect(written: str, shown: str) -> None:
    """Markdown that Discord does not know is written as it knows it."""
    assert gate(written) == shown


def test_code_keeps_its_text() -> None:
    """In code nothing is decoded, styled or joined."""
    code = "```html\n<!DOCTYPE html>\n<#list><div class='a'>__x__ || &amp;</div>\n\n# no heading\n```"
    assert gate(code) == code


def test_wrapped_lines_are_joined() -> None:
    """Lines broken for their width alone become one; short lines stay as they are."""
    wrapped = (
        "The quick brown fox jumps over the lazy dog, and it does\nso every day of the week without any rest."
    )
    assert "\n" not in gate(wrapped)
    address_lines = "Acme Ltd.\n12 High Street\nLisbon"
    assert gate(address_lines) == address_lines


def test_narrow_tables_are_columns() -> None:
    """A table that fits is set in columns, numbers to the right, wide letters counted as two."""
    shown = gate("| Plan | Price |\n|---|---:|\n| **Free** | 0 |\n| 団体 | 120 |")
    assert shown == "```\nPlan │ Price\n─────┼──────\nFree │     0\n団体 │   120\n```"


def test_wide_tables_are_told() -> None:
    """A table too wide for a screen becomes one item a row."""
    row = "| eu-1 | " + "very long words " * 4 + "| a`b` |"
    shown = gate(f"| Region | Notes | Code |\n|---|---|---|\n{row}")
    assert shown == f"- **eu-1** · Notes: {('very long words ' * 4).strip()} · Code: a`b`"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://user@evil.test/",
        "https://",
        "nonsense",
        "http://[::1",
    ],
)
def test_only_web_addresses_are_links(url: str) -> None:
    """What is no plain web address makes no link, only its label."""
    assert address(url) == ""
    assert link(url, "Label") == "Label"


def test_link_cannot_be_ended_early() -> None:
    """Neither label nor address can end a link early or begin another one."""
    made = link("https://a.test/x) [y](https://b.test/ <z>", "A](https://evil.test) [b")
    assert len(alive(made).links) == 1
    assert alive(made).links[0].startswith("https://a.test/")


def test_long_addresses_are_no_links() -> None:
    """An address longer than Discord takes is left out."""
    assert address("https://a.test/" + "x" * 600) == ""


def test_literal_shows_markup_as_letters() -> None:
    """A title with markup in it is shown as it is written."""
    assert literal("# *Draft* _v2_ | `x`") == "\\# \\*Draft\\* \\_v2\\_ \\| \\`x\\`"
    assert literal("1. Introduction") == "1\\. Introduction"
    assert plain("a\nb", 2) == "a…"
