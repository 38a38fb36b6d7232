from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kb.connectors.history_channel import Message
from kb.connectors.history_discord_text import message_text as discord_message
from kb.connectors.history_discord_text import text_markdown as discord_markdown
from kb.connectors.history_slack_text import message_text as slack_message
from kb.connectors.history_slack_text import text_markdown as slack_markdown
from kb.connectors.history_text import document
from kb.parsing.markdown import read_markdown

TRUST = Path(__file__).resolve().parents[4] / "shared" / "data" / "trust"
NAMES = {"U2": "Bo", "600000000000000002": "Bo"}


def slack(text: str) -> str:
    return slack_markdown(text, lambda user: NAMES.get(user) or user)


def discord(text: str) -> str:
    return discord_markdown(text, NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask <@U2> or <@U9>", "ask Bo or U9"),
        ("see <#C1|general> and <#C2>", "see #general and #channel"),
        ("<!here> <!channel> <!everyone>", "here channel everyone"),
        ("<!subteam^S1|@ops> look", "ops look"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("<https://a.io/x|the page>", "[the page](https://a.io/x)"),
        ("<https://a.io/x>", "https://a.io/x"),
        ("<https://a.io/x_(y)|it [here]>", "[it (here)](https://a.io/x_%28y%29)"),
        ("<mailto:a@b.io|a@b.io> <http://a.io|a.io>", "a@b.io a.io"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt; stays", "&lt; stays"),
        ("List&lt;String&gt; and &lt;!-- hidden --&gt;", r"List\<String> and \<!-- hidden -->"),
        ("run `a &lt; b` now", "run `a < b` now"),
        ("```x = List&lt;int&gt;\n# y```", "```\nx = List<int>\n# y\n```"),
        ("so: ```curl <https://a.io>``` done", "so: \n```\ncurl https://a.io\n```\n done"),
        ("# no heading\n## nor this\n#general", "\\# no heading\n\\## nor this\n#general"),
        ("a title?\n=====\n---", "a title?\n\\=====\n\\---"),
        ("write @everyone, @here or a@here.io, @here/maps", "write everyone, here or a@here.io, @here/maps"),
        ("nul \x00 and \x1b[31m", "nul  and [31m"),
        ("", ""),
    ],
)
def test_slack_marks_become_markdown(text: str, expected: str) -> None:
    """Slack's marks become Markdown in which nothing is HTML, a heading or a mention."""
    assert slack(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<@600000000000000002> <@!600000000000000002> <@600000000000000003>", "Bo Bo someone"),
        ("<@&600000000000000002> in <#600000000000000002>", "a role in #channel"),
        ("<:party:600000000000000002> <a:dance:600000000000000002>", ":party: :dance:"),
        ("since <t:1772798400:R>", "since 2026-03-06 12:00"),
        ("use </ask me:600000000000000002>", "use /ask me"),
        ("<https://a.io/x?y=1>", "https://a.io/x?y=1"),
        ("@everyone look, @here too", "everyone look, here too"),
        ("# Heading\n-# small", "\\# Heading\n-# small"),
        ("```py\nx = '<@600000000000000002>'\n```", "```py\nx = '<@600000000000000002>'\n```"),
        ("```just this```", "```\njust this\n```"),
        ("<script>alert(1)</script>", r"\<script>alert(1)\</script>"),
        ("**bold** [a](https://a.io)", "**bold** [a](https://a.io)"),
    ],
)  # fmt: skip
def test_discord_marks_become_markdown(text: str, expected: str) -> None:
    """Discord's marks become names and words; its Markdown stays."""
    assert discord(text) == expected


def test_an_open_fence_swallows_nothing() -> None:
    """A code fence that is never closed does not reach into the next message."""
    shown = document([message("look ```x"), message("# next")])
    assert "```" not in shown


def test_files_and_forwards_are_told() -> None:
    """The titles of files stand below the text; a forwarded message is read."""
    file = {"title": "Plan <v2>.pdf", "permalink": "https://acme.slack.com/files/1"}
    assert slack_message({"text": "see", "files": [file]}, str) == "see\n\nFile: Plan \\<v2>.pdf"
    forwarded = {"content": "", "message_snapshots": [{"message": {"content": "From elsewhere"}}]}
    assert (
        discord_message(forwarded | {"attachments": [{"filename": "a.png"}]})
        == "From elsewhere\n\nFile: a.png"
    )


def message(text: str, author: str = "Ann") -> Message:
    return Message(id="1", at=0.0, changed=0.0, author=author, text=slack(text))


@pytest.mark.parametrize(
    ("texts", "title"),
    [
        (["How do I reset the VPN?"], "How do I reset the VPN?"),
        (["lol", "Why does the build_all script fail today?"], "Why does the build_all script fail today?"),
        (["ok"], "ok"),
        (["*Bold* and `code` in <https://a.io|a link> here"], "Bold and code in a link here"),
        (["word " * 40], "word " * 15 + "word…"),
        (["```x```"], "x"),
        (["> - # quoted words of some length"], "quoted words of some length"),
    ],
)
def test_the_title_is_what_is_said(texts: list[str], title: str) -> None:
    """A document without a name is titled by its first telling line."""
    shown = document([message(text) for text in texts])
    assert read_markdown(shown).title == title


def test_names_cannot_break_out() -> None:
    """A person's name or a thread's title stays in its line and is no markup."""
    shown = document([message("hi", author="**A**\n# <b>x</b> @everyone")], "T\n\n# other @here")
    assert shown.split("\n")[0] == "# T # other here"
    assert r"**A # \<b>x\</b> everyone** (" in shown


@pytest.mark.trust
@pytest.mark.skipif(not TRUST.exists(), reason="../shared is absent")
def test_no_string_breaks_the_document() -> None:
    """Any naughty string as a message leaves one title, and the words of the next message where they were."""
    lines = (TRUST / "strings" / "blns.jsonl").read_text("utf-8").splitlines()
    for line in lines:
        text = json.loads(line)["s"]
        for convert in (slack, discord):
            shown = document(
                [
                    Message(id="1", at=0.0, changed=0.0, author=text, text=convert(text)),
                    Message(id="2", at=0.0, changed=0.0, author="Bo", text="The last words."),
                ],
                "The title",
            )
            parsed = read_markdown(shown)
            assert parsed.title == "The title"
            assert parsed.markdown.rstrip().endswith("**Bo** (1970-01-01 00:00):\nThe last words.")
            assert len(re.findall(r"^ {0,3}#{1,6}[ \t]", parsed.markdown, re.MULTILINE)) == 1
            shown.encode()
