"""What is typed behind the command about the knowledge, taken apart. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import CommandError
from bot.texts import Texts

VERBS = ("add", "list", "show", "sync", "remove", "pause", "resume", "status", "help")
CHANGING = frozenset({"add", "sync", "remove", "pause", "resume"})
_ALIASES = {"rm": "remove", "delete": "remove", "ls": "list", "sources": "list", "info": "show", "?": "help"}
_KEYWORDS = ("every", "as", "for")
_YES = "--yes"

_WORD = re.compile(r'"([^"]*)"|“([^”]*)”|\'([^\']*)\'(?=\s|$)|(\S+)')
_CHANNEL = re.compile(r"<#(\w+)(?:\|[^<>]*)?>")
_LINKED = re.compile(r"<([^<>|\s]+)(?:\|[^<>]*)?>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command. `target` is its location or the name of its source, `name` the one behind "as"."""

    verb: str
    target: str = ""
    every: str = ""
    name: str = ""
    tags: tuple[str, ...] = ()
    allow_deletes: bool = False
    confirmed: bool = False


def parse(text: str, *, platform: str, command: str, words: Texts) -> Typed:
    """Take a command apart; raise `CommandError` with the nearest command when it is none."""
    parts = split(text)
    if not parts:
        return Typed(verb="help")
    verb = _verb(parts[0], command, words)
    rest = parts[1:]
    if verb == "add":
        return _parse_add(rest, platform, command, words)
    if verb == "sync":
        return _parse_sync(rest, command, words)
    if verb in {"list", "status", "help"}:
        return _ended(Typed(verb=verb), rest, f"{command} {verb}", words)
    if not rest:
        raise CommandError(words.which_source.format(command=command, verb=verb))
    confirmed = verb == "remove" and rest[1:2] == [_YES]
    typed = Typed(verb=verb, target=rest[0], confirmed=confirmed)
    return _ended(typed, rest[2:] if confirmed else rest[1:], f"{command} {verb} NAME", words)


def split(text: str) -> list[str]:
    """Split what was typed at spaces; what stands in quotation marks stays together."""
    return [next((part for part in found if part), "") for found in _WORD.findall(text)]


def removal(name: str) -> str:
    """Return the command that removes a source without asking."""
    return f"remove {name} {_YES}"


def tags_of(text: str) -> tuple[str, ...]:
    """Return tags that are written with spaces or commas between them."""
    return tuple(dict.fromkeys(tag for tag in re.split(r"[,\s]+", text) if tag))


def location_of(written: str, platform: str) -> str:
    """Return a location as it was meant: a platform writes links and channels in brackets."""
    if channel := _CHANNEL.fullmatch(written):
        return f"{platform}://{channel[1]}"
    linked = _LINKED.fullmatch(written)
    return linked[1] if linked else written


def _verb(word: str, command: str, words: Texts) -> str:
    verb = word.lower()
    verb = _ALIASES.get(verb, verb)
    if verb in VERBS:
        return verb
    close = difflib.get_close_matches(verb, VERBS, n=1, cutoff=0.5)
    nearest = f"{command} {close[0] if close else 'help'}"
    told = words.unknown_command.format(word=word)
    raise CommandError(f"{told} {words.did_you_mean.format(command=nearest)}")


def _parse_add(parts: Sequence[str], platform: str, command: str, words: Texts) -> Typed:
    if not parts:
        return Typed(verb="add")
    usage = f"{command} add LOCATION [every 30m] [as NAME] [for TAG…]"
    given: dict[str, list[str]] = {}
    keyword = ""
    for part in parts[1:]:
        if part.lower() in _KEYWORDS and part.lower() not in given:
            keyword = part.lower()
            given[keyword] = []
        elif not keyword or (keyword == "as" and given["as"]):
            raise CommandError(words.wrong_word.format(word=part, usage=usage))
        else:
            given[keyword].append(part)
    for keyword, values in given.items():
        if not values:
            raise CommandError(words.wrong_word.format(word=keyword, usage=usage))
    return Typed(
        verb="add",
        target=location_of(parts[0], platform),
        every=" ".join(given.get("every", ())),
        name="".join(given.get("as", ())),
        tags=tags_of(" ".join(given.get("for", ()))),
    )


def _parse_sync(parts: Sequence[str], command: str, words: Texts) -> Typed:
    lowered = [part.lower() for part in parts]
    allow = lowered[-2:] in (["allow", "deletes"], ["allow", "deletions"])
    rest = list(parts[:-2] if allow else parts)
    typed = Typed(verb="sync", target=rest[0] if rest else "", allow_deletes=allow)
    return _ended(typed, rest[1:], f"{command} sync [NAME] [allow deletes]", words)


def _ended(typed: Typed, rest: Sequence[str], usage: str, words: Texts) -> Typed:
    if rest:
        raise CommandError(words.wrong_word.format(word=rest[0], usage=usage))
    return typed
