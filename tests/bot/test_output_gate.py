from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.output_gate import ZERO_WIDTH, defang, defang_line, kept_lines, strip_unseen

OUTPUT = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust" / "output"
LIVE = ("<!channel", "<!here", "<!everyone", "<!subteam", "<!date", "<@", "<#C", "@everyone", "@here")


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("See [the guide](https://evil.test/a?d=1).", "See the guide."),
        ("![x](https://evil.test/i.png)", "x"),
        ("[![x](https://evil.test/i.png)](https://good.test)", "x"),
        ("![x][r]\n\n[r]: https://evil.test/a\nend", "x\n\nend"),
        ("Go to https://evil.test/a/b?d=SECRET#x now.", "Go to evil[.]test/a/b now."),
        ("https://good.test@evil.test/?d=1", "evil[.]test"),
        ("1https://evil.test/a", "1evil[.]test/a"),
        ("https://good.test/r/https://evil.test", "good[.]test/r"),
        ("evil.test/p?d=1 and www.evil.test", "evil[.]test/p and www[.]evil[.]test"),
        ("<https://evil.test/a>", "evil[.]test/a"),
        ("<https://evil.test/a|click>", "click"),
        ("`curl https://evil.test/a`", "`curl evil[.]test/a`"),
        ("[a][r] b\n\n[r]:\n  <https://evil.test/a> 'title'\nc", "a b\n\nc"),
        ("[two\nlines](https://evil.test/a)", "[two\nlines] (evil[.]test/a)"),
        ("[1](https://evil.test) and [2]: is kept", "[1] and [2]: is kept"),
        ("<img src=https://evil.test/i.png>text<br/>", "text"),
        ("<script>alert(1)</script>a<!-- b -->", "a"),
        ("<svg onload=alert(1)", ""),
        ("[x](javascript:alert(1))", "x"),
        ("\x1b]8;;https://evil.test\x07x\x1b]8;;\x07 \x1b[31mred\x1b[0m", "x red"),
        ("a\u202eb\u200bc\x00d\x07", "abcd"),
    ],
)
def test_dangerous_text(given_text: str, shown: str) -> None:
    """Images, HTML, links to elsewhere and unseen characters go; the words stay."""
    assert defang(given_text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Printer PINs have 6 digits [1][2].",
        "Use `List<String>` and <your-name>; a < b, x > y.",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "```python\nif a < b:  # [1](x)\n    print('<div>')\n```\n",
        "Edit config.toml/x, docs.py/foo, path/to.md and C:\\x.",
        "Open http://localhost:8080/admin and s3://bucket/key.",
        "Mail help@corp.test. 3//2 is 1.",
        "Fämïly 👨\u200d👩\u200d👧 \u0645\u06cc\u200c\u062e",
        "Metadata: data: none.",
        "[Note]: this is a remark.",
    ],
)
def test_harmless_text(text: str) -> None:
    """Ordinary Markdown, code, placeholders and other scripts stay as they are."""
    assert defang(text) == text


@pytest.mark.parametrize(
    "text", ["@everyone", "`@here`", "<!channel>", "<@U0123ABCD>", "<@&123>", "<#C012345>"]
)
def test_mentions_are_broken(text: str) -> None:
    """A live mention is broken by a zero-width character, in code too."""
    shown = defang(text)
    assert ZERO_WIDTH in shown
    assert not any(live in shown for live in LIVE)


def test_hidden_mention() -> None:
    """A mention cannot be hidden from the gate by zero-width characters."""
    assert defang("@every\u200bone") == f"@{ZERO_WIDTH}everyone"


def test_allowed_link() -> None:
    """An allowed address stays whole; one that only begins like it does not."""
    allowed = {"https://git.test/handbook/a.md"}
    assert defang("https://git.test/handbook/a.md.", allowed=allowed) == "https://git.test/handbook/a.md."
    assert defang("https://git.test/handbook/a.md?d=1", allowed=allowed) == "git[.]test/handbook/a.md"


def test_line() -> None:
    """A title becomes one line."""
    assert defang_line("# a\n\n<b>b</b>\t@here") == f"# a b @{ZERO_WIDTH}here"


def test_strip_unseen_keeps_lines() -> None:
    """Line ends become one kind and are kept, tabs too."""
    assert strip_unseen("a\r\nb\rc\td") == "a\nb\nc\td"


def test_one_line_keeps_words_together() -> None:
    """Line ends and other spaces become one space; a space at which no line breaks stays what it is."""
    assert defang_line(" a\t b\u2028c\n\nd ") == "a b c d"
    assert defang_line("à vrai dire\u00a0: 1\u202f000") == "à vrai dire\u00a0: 1\u202f000"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("one\ntwo\n\nthree", "one  \ntwo\n\nthree"),
        ("`a`\n`b`", "`a`  \n`b`"),
        ("```\na\nb\n```\nend", "```\na\nb\n```  \nend"),
        ("| a |\n| - |\n| b |", "| a |\n| - |\n| b |"),
        ("one  \ntwo", "one  \ntwo"),
    ],
)
def test_lines_are_kept(text: str, kept: str) -> None:
    """A lone line break is made hard outside of code and tables; a second time changes nothing."""
    assert kept_lines(text) == kept
    assert kept_lines(kept) == kept


@given(st.text(alphabet="[]()<>!@#`~:/.ahtps\\ \n\"'1-=|&", max_size=60))
def test_second_pass_changes_nothing(text: str) -> None:
    """What has passed the gate passes again unchanged."""
    once = defang(text)
    assert defang(once) == once


@pytest.mark.parametrize("text", ["[" * 20_000, "<a " * 10_000, "![" * 10_000, "`" * 20_001, "<!--" * 9_000])
def test_long_hostile_text(text: str) -> None:
    """Text made to be slow for a parser passes and stays bounded."""
    assert len(defang(text)) <= len(text)


@pytest.mark.trust
@pytest.mark.skipif(not OUTPUT.is_dir(), reason="../shared/data is absent")
@pytest.mark.parametrize("name", ["exfil", "mentions"])
def test_collected_constructs(name: str) -> None:
    """No collected construct leaves a link, an image, markup or a live mention."""
    for line in (OUTPUT / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        shown = defang(json.loads(line)["s"])
        assert "evil.test" not in shown, line
        assert "://" not in shown, line
        assert not any(live in shown for live in LIVE), line
        assert "\x1b" not in shown, line
        assert "javascript:" not in shown.lower(), line


@pytest.mark.parametrize("text", ["_https://evil.test/x_", "__https://evil.test", "_@here_", "_@everyone_"])
def test_emphasis_hides_no_address_and_no_call(text: str) -> None:
    """An underscore, which is a letter to a regular expression, keeps nothing from being made dead."""
    shown = defang(text)
    assert "://" not in shown
    assert "@here" not in shown
    assert "@everyone" not in shown
