"""Text for Slack: what leaves the gate is neither live nor unreadable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.gate import address, gate, gate_line, link, literal, own_link, shortened
from tests.adapters.slack.live import live
from tests.adapters.slack.trust_output import constructs, needs_output

DOCS = "https://docs.acme.test/guide"
_FRAMES = (
    "{}",
    "See {} now.",
    "```\n{}\n```",
    "`{}`",
    "- {}\n- x",
    "| a | {} |\n|---|---|\n| {} | b |",
    "**{}**",
    "\\`{}\\`",
    "x ` y {}",
    "~~~\n{}",
    "````\n```\n{}\n````\n",
    "> {}",
    "# {}",
    "\\{}",
    "a\n\n    {}",
    "[{}](x)",
    "<!-- --> {}",
)
_WORDS = """
    <! <@ <# !channel> @here U0123ABCD> |x> ` `` ``` ~~~ \\ [x]( ]( ) [ ] ! https:// evil.test /p?q=1 .com
    &lt; &amp; < > <a href= " ' mailto: a@b.com README.md | # ** _ \u202e www. javascript: word 1. [r]
    <https:
"""
_PARTS = st.sampled_from([*_WORDS.split(), DOCS, " ", "\n", "\n\n", "```\n", "|---|\n", ": ", "> ", "\u200b"])


def markdown(text: str) -> dict[str, str]:
    """Return a markdown block."""
    return {"type": "markdown", "text": text}


@pytest.mark.trust
@needs_output
@pytest.mark.parametrize("frame", _FRAMES)
def test_no_construct_of_p22_is_live_in_any_place_of_a_text(frame: str) -> None:
    """Every link, image and mention construct is dead, whatever it stands in."""
    texts = [frame.replace("{}", construct) for construct in constructs()]
    alive = [found for text in texts if (found := live(markdown(gate(text))))]
    alive += [found for text in texts if (found := live({"type": "mrkdwn", "text": literal(text)}))]
    assert alive == []


@given(st.lists(_PARTS, max_size=14).map("".join))
def test_no_composition_of_markup_is_live(text: str) -> None:
    """Whatever markup is put together, nothing live leaves the gate but allowed addresses."""
    assert live(markdown(gate(text, allowed={DOCS})), allowed={DOCS}) == []
    assert live({"type": "mrkdwn", "text": literal(text)}) == []


@given(st.lists(_PARTS, max_size=10).map("".join))
def test_a_second_pass_is_as_safe(text: str) -> None:
    """Text that passes twice, as pieces of a long answer do, is as dead as before."""
    assert live(markdown(gate(gate(text)))) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Edit README.md, then docs/setup.md[1].", "Edit `README.md`, then `docs/setup.md`[1]."),
        ("Already `config.toml` as code", "Already `config.toml` as code"),
        ("Mail support@acme.com.", "Mail `support@acme.com`."),
        ("**Node.js** and _asyncio.run_", "**`Node.js`** and _`asyncio.run`_"),
        ("clone <your-name> here", "clone `<your-name>` here"),
        ("at https://evil.test/y?z=1.", "at `evil[.]test/y`."),
        ("version 1.2.3, 10:30, e.g. 3.14 U.S. a.m.", "version 1.2.3, 10:30, e.g. 3.14 U.S. a.m."),
        ("The end.Next one", "The end.\u200bNext one"),
        ("a < b && c > d", "a < b && c > d"),
        ("one ` stray", "one ' stray"),
        ("``a`b``", "`a'b`"),
    ],
)
def test_prose_reads_as_written_and_file_names_become_code(text: str, shown: str) -> None:
    """File names, addresses and placeholders are shown as code; all other words stay as they are."""
    assert gate(text) == shown


def test_an_allowed_address_stays_a_link() -> None:
    """The address of a cited document is left as it is, with the full stop behind it outside."""
    assert gate(f"See {DOCS}.", allowed={DOCS}) == f"See {DOCS}."


def test_code_blocks_end_as_they_should() -> None:
    """A code block gets three backticks, keeps its language, and is closed unless a stream goes on."""
    assert gate("~~~python\nx = 1\n~~~\nafter") == "```python\nx = 1\n```\nafter"
    assert gate("````\n```\n````") == "```\n'''\n```"
    assert gate("```sh\nls") == "```sh\nls\n```"
    assert gate("```sh\nls", closed=False) == "```sh\nls"
    assert gate("```sh\nls -l\n", closed=False).startswith(gate("```sh\nls", closed=False))


def test_code_is_not_changed_but_for_what_is_dangerous() -> None:
    """Placeholders, comparisons and file names in code stay; a mention in it does not."""
    code = "```sh\ngit clone <repo> && cat setup.cfg > a.txt\n```"
    assert gate(code) == code
    assert gate("```\n<@U0123ABCD>\n```") == "```\n<\u200b@U0123ABCD>\n```"


def test_a_line_is_one_line() -> None:
    """Line breaks become spaces."""
    assert gate_line("a\n# b\n\nc") == "a # b c"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (DOCS, DOCS),
        ('https://acme.test/a b|c>d<e"f', "https://acme.test/a%20b%7Cc%3Ed%3Ce%22f"),
        ("https://acme.test/ü", "https://acme.test/%C3%BC"),
        ("https://acme.test/100%25", "https://acme.test/100%25"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://user:secret@acme.test/", ""),
        ("//acme.test", ""),
        ("https://[broken", ""),
        ("https://acme.test/" + "a" * 3_000, ""),
    ],
)
def test_only_web_addresses_become_links(url: str, kept: str) -> None:
    """An address is made so that it cannot end its link early; what is none of the web is dropped."""
    assert address(url) == kept


def test_a_link_is_built_from_fields() -> None:
    """Label and address cannot break out of a link; without an address the label stands alone."""
    assert link("https://a.test/?x=1&y=2", "R&D <b|x>") == "<https://a.test/?x=1&amp;y=2|R&amp;D &lt;b¦x&gt;>"
    assert link("", "Title") == "Title"
    assert own_link("https://a.test/docs/") == "<https://a.test/docs/|a.test/docs>"
    assert own_link("/srv/docs") == "/srv/docs"


@given(st.text(max_size=60), st.integers(1, 40))
def test_literal_text_keeps_its_limit(text: str, limit: int) -> None:
    """Escaping never makes a text longer than its limit, nor leaves half an entity."""
    shown = literal(text * 3, limit)
    assert len(shown) <= limit
    assert "<" not in shown
    assert ">" not in shown


def test_a_cut_text_ends_at_a_word() -> None:
    """A long text is cut at a space with an ellipsis."""
    assert shortened("one two three four", 15) == "one two three…"
