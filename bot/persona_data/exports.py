"""Tells what kind of export a file is, and reads it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.persona_data.discord_export import is_discord_export, read_discord_export
from bot.persona_data.errors import ExportUnreadable
from bot.persona_data.mail_export import read_mailbox
from bot.persona_data.said import Found
from bot.persona_data.slack_export import is_slack_export, read_slack_export
from bot.persona_data.transcript import looks_spoken, read_transcript

_HEAD = 8192
_SUFFIXES = frozenset({".zip", ".json", ".mbox", ".mbx", ".txt", ".log", ".md"})
_FORMATS = "A Slack export zip, DiscordChatExporter JSON, mbox or a transcript of `Name: words` is read."


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One file, what it is, and what yields its people and messages."""

    file: Path
    kind: str
    read: Callable[[Path], Iterator[Found]]

    def found(self) -> Iterator[Found]:
        """Yield the people and messages; raises ExportUnreadable."""
        try:
            yield from self.read(self.file)
        except OSError as error:
            raise _unreadable(self.file, error) from error


def recognise(path: Path) -> list[Export]:
    """Return what a file, or each file of a folder, is; raise ExportUnreadable when it is none of ours."""
    if not path.is_dir():
        return [_recognised(path)]
    files = sorted(one for one in path.rglob("*") if one.suffix.lower() in _SUFFIXES and one.is_file())
    if not files:
        raise ExportUnreadable(f"The folder {str(path)!r} holds no export. {_FORMATS}")
    return [_recognised(one) for one in files]


def _recognised(file: Path) -> Export:
    try:
        if zipfile.is_zipfile(file):
            if is_slack_export(file):
                return Export(file=file, kind="Slack export", read=read_slack_export)
            raise ExportUnreadable(f"{str(file)!r} is a zip, but no Slack export. Unpack it first.")
        with file.open(encoding="utf-8-sig", errors="replace") as stream:
            head = stream.read(_HEAD)
    except (OSError, zipfile.BadZipFile) as error:
        raise _unreadable(file, error) from error
    return _by_head(file, head)


def _by_head(file: Path, head: str) -> Export:
    if head.startswith("From "):
        return Export(file=file, kind="mbox", read=read_mailbox)
    if is_discord_export(head):
        return Export(file=file, kind="Discord export", read=read_discord_export)
    if head.lstrip().startswith(("[{", "[\n", "[ ", "[]")):
        raise ExportUnreadable(
            f"{str(file)!r} looks like a file of an unpacked Slack export. Give the zip itself."
        )
    if looks_spoken(head):
        return Export(file=file, kind="transcript", read=read_transcript)
    raise ExportUnreadable(f"{str(file)!r} is no export that is known. {_FORMATS}")


def _unreadable(file: Path, error: Exception) -> ExportUnreadable:
    why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return ExportUnreadable(f"{str(file)!r} cannot be read: {why}. Check the path.")
