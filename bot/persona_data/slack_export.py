"""Slack's export zip: a folder a channel, a file a day, and lists of people and channels."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from bot.persona_data.errors import ExportUnreadable
from bot.persona_data.json_stream import JsonStream
from bot.persona_data.said import Found, Known, Said
from kb.connectors.history_slack_text import is_said, raw_text

_USERS = ("users.json", "org_users.json")
_CHANNELS = ("channels.json", "groups.json", "dms.json", "mpims.json")
_LONGEST_TEXT = 40_000  # Slack's own limit
_MOST_BYTES = 50_000_000_000


def is_slack_export(file: Path) -> bool:
    """Say whether a zip has what a Slack export has."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(PurePosixPath(name).name in (*_USERS, *_CHANNELS) for name in archive.namelist())


def read_slack_export(file: Path) -> Iterator[Found]:
    """Yield the people and the messages of an export, a day's file at a time.

    Raises ExportUnreadable when it is damaged, encrypted, or of the kind that has text files only.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            yield from _read(archive, str(file))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise ExportUnreadable(
            f"{str(file)!r} cannot be unpacked ({type(error).__name__}). Export or copy it again."
        ) from error


def _read(archive: zipfile.ZipFile, name: str) -> Iterator[Found]:
    members = [one for one in archive.infolist() if one.filename.endswith(".json")]
    if sum(one.file_size for one in members) > _MOST_BYTES:
        raise ExportUnreadable(f"{name!r} unpacks to more than 50 GB. Export fewer channels or days.")
    days = sorted((one for one in members if _is_day(one)), key=lambda one: PurePosixPath(one.filename).parts)
    if not days:
        raise ExportUnreadable(f"{name!r} has no JSON messages. Export in the JSON format.")
    for listed in (one for one in members if PurePosixPath(one.filename).name in _USERS):
        yield from _people(archive, listed)
    channels = _channel_ids(archive, members)
    for day in days:
        folder = PurePosixPath(day.filename).parent.name
        yield from _day(archive, day, channels.get(folder, folder))


def _is_day(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    return path.parent.name != "" and path.stem[:4].isdigit() and path.stem.count("-") == 2


def _items(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Mapping[str, Any]]:
    with archive.open(member) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig") as stream:
        read = JsonStream(stream, member.filename)
        yield from (item for item in read.items() if isinstance(item, dict))


def _channel_ids(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, str]:
    """Return the ids of channels by the names of their folders."""
    lists = (one for one in members if PurePosixPath(one.filename).name in _CHANNELS)
    items = (item for listed in lists for item in _items(archive, listed))
    return {str(item["name"]): str(item["id"]) for item in items if item.get("name") and item.get("id")}


def _people(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Known]:
    for user in _items(archive, member):
        if user.get("id"):
            profile = user.get("profile")
            yield _known(str(user["id"]), {**user, **(profile if isinstance(profile, dict) else {})})


def _known(user: str, facts: Mapping[str, Any]) -> Known:
    keys = ("display_name", "real_name", "name", "real_name_normalized", "display_name_normalized")
    names = [value.strip() for key in keys if isinstance(value := facts.get(key), str) and value.strip()]
    return Known(id=f"slack:{user}", names=tuple(dict.fromkeys(names)))


def _day(archive: zipfile.ZipFile, member: zipfile.ZipInfo, channel: str) -> Iterator[Found]:
    met: set[str] = set()
    for message in _items(archive, member):
        if message.get("type", "message") != "message" or not is_said(message, frozenset()):
            continue
        user, profile = str(message["user"]), message.get("user_profile")
        if user not in met and isinstance(profile, dict):  # guests of other workspaces are in no list
            yield _known(user, profile)
        met.add(user)
        if said := _said(message, user, channel):
            yield said


def _said(message: Mapping[str, Any], user: str, channel: str) -> Said | None:
    text, stamp = raw_text(message), str(message.get("ts") or "")
    if not text.strip() or not stamp:
        return None
    try:
        at = float(stamp)
    except ValueError:
        return None
    thread = str(message.get("thread_ts") or "")
    # Who began a thread spoke in the channel; what they said stands at the thread's head all the same.
    return Said(
        key=f"slack:{channel}:{stamp}",
        kind="slack",
        conversation=f"slack:{channel}:{thread}" if thread else f"slack:{channel}",
        speaker=f"slack:{user}",
        text=text[:_LONGEST_TEXT],
        at=at,
        gaps=not thread,
    )
