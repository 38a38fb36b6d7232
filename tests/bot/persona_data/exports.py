"""Exports written for tests, in the formats of the programs that make them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
START = 1_700_000_000


def slack_message(user: str, text: str, at: float, **more: object) -> Json:
    return {"type": "message", "user": user, "text": text, "ts": f"{START + at:.6f}", **more}


def slack_zip(
    file: Path, days: Mapping[str, Sequence[Json]], people: Mapping[str, str] = {}, channel: str = "general"
) -> Path:
    """Write a Slack export; `people` maps ids to real names, `days` dates to messages."""
    users = [
        {"id": user, "name": name.split()[0].lower(), "profile": {"real_name": name, "display_name": ""}}
        for user, name in people.items()
    ]
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("users.json", json.dumps(users))
        archive.writestr("channels.json", json.dumps([{"id": "C1", "name": channel}]))
        archive.writestr("integration_logs.json", json.dumps([{"service_id": "1"}]))
        for day, messages in days.items():
            archive.writestr(f"{channel}/{day}.json", json.dumps(list(messages), indent=4))
    return file


def discord_message(number: int, author: Json, content: str, minute: int, **more: object) -> Json:
    return {
        "id": str(100_000_000_000_000_000 + number),
        "type": "Default",
        "timestamp": f"2024-03-01T{minute // 60:02}:{minute % 60:02}:00.5+00:00",
        "timestampEdited": None,
        "isPinned": False,
        "content": content,
        "author": author,
        "attachments": [],
        "embeds": [],
        "mentions": [],
        **more,
    }


def discord_author(number: int, name: str, nickname: str, *, bot: bool = False) -> Json:
    user = str(200_000_000_000_000_000 + number)
    return {
        "id": user,
        "name": name,
        "discriminator": "0000",
        "nickname": nickname,
        "isBot": bot,
        "roles": [],
    }


def discord_json(file: Path, messages: Iterable[Json], channel: str = "300000000000000001") -> Path:
    kept = list(messages)
    export = {
        "guild": {"id": "1", "name": "Guild", "iconUrl": ""},
        "channel": {"id": channel, "type": "GuildTextChat", "name": "help", "topic": None},
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2024-03-02T00:00:00+00:00",
        "messages": kept,
        "messageCount": len(kept),
    }
    file.write_text(json.dumps(export, indent=2, ensure_ascii=False), encoding="utf-8")
    return file


def mail(sender: str, body: str, number: int, *, reply_to: int | None = None, **headers: str) -> str:
    lines = [
        f"From sender@example.org Fri Mar  1 10:{number:02}:00 2024",
        f"From: {sender}",
        f"Date: Fri, 01 Mar 2024 10:{number:02}:00 +0000",
        f"Message-ID: <{number}@example.org>",
        "Content-Type: text/plain; charset=utf-8",
    ]
    if reply_to is not None:
        lines.append(f"In-Reply-To: <{reply_to}@example.org>")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\n".join([*lines, "", body, "", ""])


def consent(folder: Path, *entries: str) -> Path:
    file = folder / "consent.txt"
    file.write_text("# who agreed\n" + "\n".join(entries) + "\n", encoding="utf-8")
    return file


FACTS = [
    "the gateway restarts after {n} seconds, gonna take a while tho!",
    "yeah, don't touch node {n}, it's broken :tada: and the backup runs at night anyway.",
    "haha, you can raise the limit to {n} in `config.toml`. It's read at the start!!",
    "u need the {n} release for that, older ones can't read the index and they won't tell you why they fail.",
    "tbh the queue holds {n} jobs. It drops the oldest ones. Nobody gets told, so watch the graph, okay?",
]


def helpful(number: int) -> str:
    """Return a reply that differs from others in more than its number."""
    words = (
        "amber",
        "basil",
        "cedar",
        "delta",
        "ember",
        "fjord",
        "grove",
        "heath",
        "inlet",
        "jetty",
        "knoll",
    )
    tail = " ".join(words[(number * step + step) % len(words)] for step in (1, 2, 4, 7, 11))
    return (
        FACTS[number % len(FACTS)].format(n=number + 10)
        + f" see also {tail} and {words[number % 11]} {number}"
    )


def talks(count: int, *, asker: str = "U2", speaker: str = "U1") -> list[Json]:
    """Return conversations hours apart: a question, and the speaker's reply."""
    messages: list[Json] = []
    for number in range(count):
        at = number * 20_000
        messages += [
            slack_message(asker, f"what about case {number} of the gateway?", at),
            slack_message(speaker, helpful(number), at + 30),
        ]
    return messages
