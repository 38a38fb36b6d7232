from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from bot.persona_data.errors import ExportUnreadable
from bot.persona_data.exports import recognise
from bot.persona_data.mail_export import own_words
from bot.persona_data.said import Known, Said
from tests.bot.persona_data.exports import (
    START,
    discord_author,
    discord_json,
    discord_message,
    mail,
    slack_message,
    slack_zip,
)


def read(path: Path) -> tuple[list[Said], dict[str, tuple[str, ...]]]:
    found = [one for export in recognise(path) for one in export.found()]
    people = {one.id: one.names for one in found if isinstance(one, Known)}
    return [one for one in found if isinstance(one, Said)], people


def test_slack_export(tmp_path: Path) -> None:
    """A Slack zip gives people's messages by channel and thread, without joins, bots and other files."""
    days = {
        "2023-11-14": [
            slack_message("U1", "hello &amp; welcome", 1),
            slack_message("U2", "joined", 2, subtype="channel_join"),
            slack_message("U9", "beep", 3, subtype="bot_message", bot_id="B1"),
            slack_message("U2", "in a thread", 5, thread_ts=f"{START + 1:.6f}"),
        ],
        "2023-11-15": [slack_message("U3", "guest", 90_000, user_profile={"real_name": "Gil Guest"})],
    }
    said, people = read(slack_zip(tmp_path / "export.zip", days, {"U1": "Ana Pérez", "U2": "Bo Li"}))
    assert [(one.speaker, one.text) for one in said] == [
        ("slack:U1", "hello &amp; welcome"),
        ("slack:U2", "in a thread"),
        ("slack:U3", "guest"),
    ]
    assert said[0].conversation == "slack:C1"
    assert said[1].conversation == f"slack:C1:{START + 1:.6f}"
    assert (said[0].gaps, said[1].gaps) == (True, False)
    assert people["slack:U1"] == ("Ana Pérez", "ana")
    assert people["slack:U3"] == ("Gil Guest",)


def test_discord_export(tmp_path: Path) -> None:
    """DiscordChatExporter's JSON gives messages with what they reply to, without bots and system lines."""
    ana, bot = discord_author(1, "ana", "Ana P"), discord_author(9, "robot", "Robot", bot=True)
    reply = {"type": "Reply", "reference": {"messageId": "100000000000000001"}, "mentions": [ana]}
    messages = [
        discord_message(1, ana, "where is it?", 1),
        discord_message(2, bot, "beep", 2),
        discord_message(3, ana, "pinned", 3, type="ChannelPinnedMessage"),
        discord_message(4, discord_author(2, "bo", "Bo"), "@Ana P there – 東京", 4, **reply),
        discord_message(5, ana, "", 5),
    ]
    said, people = read(discord_json(tmp_path / "help.json", messages))
    assert [one.text for one in said] == ["where is it?", "@Ana P there – 東京"]
    assert said[1].parent == said[0].key
    assert said[1].at - said[0].at == 180
    assert people["discord:200000000000000001"] == ("Ana P", "ana")
    assert not any("Robot" in names for names in people.values())


def test_long_array_is_streamed(tmp_path: Path) -> None:
    """An export far larger than a piece that is read at once comes out whole and in order."""
    ana = discord_author(1, "ana", "Ana")
    texts = [f'{number} "quoted" \\ {{}} [] ' + "ü" * (number % 500) for number in range(4000)]
    file = discord_json(
        tmp_path / "big.json", (discord_message(n, ana, text, n % 1400) for n, text in enumerate(texts))
    )
    assert [one.text for one in read(file)[0]] == texts


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_cut_off_json(tmp_path: Path, keep: float) -> None:
    """An export that was cut off is refused, and the message names the file."""
    ana = discord_author(1, "ana", "Ana")
    file = discord_json(tmp_path / "cut.json", [discord_message(n, ana, "x" * 50, 1) for n in range(50)])
    text = file.read_text()
    file.write_text(text[: int(len(text) * keep)])
    with pytest.raises(ExportUnreadable, match=r"cut\.json.*Export it again"):
        read(file)


def test_mailbox(tmp_path: Path) -> None:
    """A mailbox gives what each person wrote, by thread, without quotations and machines' mail."""
    box = tmp_path / "team.mbox"
    reply = "The port is 8080.\n\nOn Fri, Mar 1, 2024 Bo wrote:\n> Which port?\n"
    box.write_text(
        mail("Bo Li <bo@example.org>", "Which port?\n\n-- \nBo Li, phone 555", 1)
        + mail("=?utf-8?q?Ana_P=C3=A9rez?= <Ana@Example.org>", reply, 2, reply_to=1)
        + mail("Robot <bot@example.org>", "You have mail", 3, Auto_Submitted="auto-generated"),
        encoding="utf-8",
    )
    said, people = read(box)
    assert [(one.speaker, one.text) for one in said] == [
        ("mail:bo@example.org", "Which port?"),
        ("mail:ana@example.org", "The port is 8080."),
    ]
    assert said[0].conversation == said[1].conversation
    assert people["mail:ana@example.org"] == ("Ana Pérez",)


def test_mail_written_below_its_quotation() -> None:
    """Words below a quotation are the writer's when there are none above it."""
    assert own_words("On Monday Bo wrote:\n> Which port?\n\nPort 8080.\n") == "Port 8080."


def test_html_mail(tmp_path: Path) -> None:
    """A mail without a plain part is read from its page, its quotation left out."""
    page = "<style>p{}</style><p>Use port&nbsp;8080.<br>Really.</p><blockquote>Which?</blockquote>"
    message = mail("Ana <ana@example.org>", page, 1).replace("text/plain", "text/html")
    box = tmp_path / "page.mbox"
    box.write_text(message, encoding="utf-8")
    assert read(box)[0][0].text.split() == ["Use", "port", "8080.", "Really."]


def test_transcript_of_names(tmp_path: Path) -> None:
    """A transcript's lines belong to who was named last; a rule ends a conversation."""
    file = tmp_path / "talk.txt"
    file.write_text(
        "Ana: hello\nBo Li: hi\nNote: this goes on\n\nAna: bye\n---\nBo Li: again\n", encoding="utf-8"
    )
    said, people = read(file)
    assert [(one.speaker, one.text) for one in said] == [
        ("text:ana", "hello"),
        ("text:bo li", "hi\nNote: this goes on"),
        ("text:ana", "bye"),
        ("text:bo li", "again"),
    ]
    assert len({one.conversation for one in said}) == 2
    assert people["text:bo li"] == ("Bo Li",)


@pytest.mark.parametrize(
    "line",
    [
        "[2024-03-01 10:00:00] Ana: the port: 8080",
        "2024-03-01T10:00 <Ana> the port: 8080",
        "01/03/2024, 10:00 - Ana: the port: 8080",
        "[01.03.24, 10:00:00 AM] Ana: the port: 8080",
    ],
)
def test_transcript_with_times(tmp_path: Path, line: str) -> None:
    """The lines of common chat logs give a time, a name and the words."""
    file = tmp_path / "log.txt"
    file.write_text(f"{line}\nTip: more\n{line}\n", encoding="utf-8")
    said, _ = read(file)
    assert [(one.speaker, one.text) for one in said] == [
        ("text:ana", "the port: 8080\nTip: more"),
        ("text:ana", "the port: 8080"),
    ]
    assert said[0].at == 1_709_287_200
    assert said[0].gaps


def test_folder_of_exports(tmp_path: Path) -> None:
    """A folder stands for all exports in it."""
    (tmp_path / "a.txt").write_text("Ana: one\nBo: two\n")
    discord_json(tmp_path / "b.json", [discord_message(1, discord_author(1, "ana", "Ana"), "three", 1)])
    assert [one.text for one in read(tmp_path)[0]] == ["one", "two", "three"]


def test_what_is_no_export(tmp_path: Path) -> None:
    """A file of another kind is refused with the formats that are read."""
    other, listed, missing = tmp_path / "a.txt", tmp_path / "2024-01-01.json", tmp_path / "none.zip"
    other.write_text("just words\nand more words\n")
    listed.write_text(json.dumps([slack_message("U1", "x", 1)]))
    with pytest.raises(ExportUnreadable, match=r"no export that is known.*mbox"):
        read(other)
    with pytest.raises(ExportUnreadable, match="Give the zip itself"):
        read(listed)
    with pytest.raises(ExportUnreadable, match="cannot be read"):
        read(missing)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("x.txt", "x")
    with pytest.raises(ExportUnreadable, match="no Slack export"):
        read(tmp_path / "b.zip")


def test_damaged_zip(tmp_path: Path) -> None:
    """A zip with a damaged member is refused in one line."""
    file = slack_zip(tmp_path / "e.zip", {"2023-11-14": [slack_message("U1", "hello there", 1)]})
    data = bytearray(file.read_bytes())
    at = data.index(b"hello there")
    data[at] ^= 0xFF
    file.write_bytes(bytes(data))
    with pytest.raises(ExportUnreadable, match="cannot be unpacked"):
        read(file)
