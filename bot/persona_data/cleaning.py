"""A message made fit for training: plain Markdown, nothing private, nobody named who did not agree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.persona_data.names import SOMEONE, Namer, outside_code, without_address
from bot.persona_data.people import Cast, People
from bot.persona_data.private import Private
from bot.persona_data.said import Kind
from kb.connectors.history_discord_text import text_markdown as discord_markdown
from kb.connectors.history_slack_text import text_markdown as slack_markdown

_OPEN, _CLOSE = "\ue000", "\ue001"  # around the id of someone who is mentioned
_MENTION = re.compile(f"@?{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_DISCORD_PERSON = re.compile(r"<@!?(\d{15,21})>")
_MASS = re.compile(r"@(everyone|here|channel)\b")
_HANDLE = re.compile(r"(?<![\w@.`/])@[A-Za-z_][\w.-]{1,38}\w")
_FILE = re.compile(r"^\s*File: .*$", re.MULTILINE)
_PRIVATE_USE = re.compile(
    "[\ue000-\uf8ff\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_ESCAPED = re.compile(r"\\(?=[<#=~`-])")  # by our own Markdown, for readers; people did not write it
_MARKER = re.compile(r"[ \t]*(?:\[\d{1,2}\])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """A text that may be trained on. `replaced` counts what was taken out, by kind."""

    text: str
    replaced: Mapping[str, int] = field(default_factory=dict)


class Cleaner:
    """Cleans texts of one set of exports."""

    def __init__(self, people: People, cast: Cast, private: Private) -> None:
        self._people = people
        self._agreed = cast.agreed
        self._private = private
        silent = {person for person in people.names if person not in cast.agreed}
        self._namer = Namer(
            (name for person in sorted(silent) for name in people.names[person]),
            spared=(name for person in cast.agreed for name in people.names.get(person, ())),
        )

    def clean(self, text: str, kind: Kind, *, markers: bool = False) -> Clean:
        """Return the text as it may be used; with `markers`, citations such as [1] stay."""
        replaced: dict[str, int] = {}
        plain = _PRIVATE_USE.sub("", text.replace("\r\n", "\n"))
        if not markers and kind == "answer":
            plain = _MARKER.sub("", plain)
        plain = self._mentions(_as_markdown(plain, kind), replaced)
        plain, private = self._private.replaced(_FILE.sub("", plain))
        replaced.update(
            {**private, **{key: private[key] + replaced[key] for key in private if key in replaced}}
        )
        plain = outside_code(plain, lambda piece: self._unnamed(piece, replaced))
        plain = re.sub(r"[ \t]+(?=\n)|[ \t]+$", "", without_address(plain))
        return Clean(text=re.sub(r"\n{3,}", "\n\n", plain).strip(), replaced=replaced)

    def _mentions(self, text: str, replaced: dict[str, int]) -> str:
        def shown(found: re.Match[str]) -> str:
            if found[1] in self._agreed:
                return self._people.name(found[1])
            replaced["mention"] = replaced.get("mention", 0) + 1
            return SOMEONE

        return _MENTION.sub(shown, text)

    def _unnamed(self, piece: str, replaced: dict[str, int]) -> str:
        piece, names = self._namer.replaced(_MASS.sub(r"\1", _ESCAPED.sub("", piece)))
        piece, handles = _HANDLE.subn(self._handle, piece)
        if names:
            replaced["name"] = replaced.get("name", 0) + names
        if handles:
            replaced["mention"] = replaced.get("mention", 0) + handles
        return piece

    def _handle(self, found: re.Match[str]) -> str:
        wanted = found[0].removeprefix("@").casefold()
        for person in self._agreed:
            if any(wanted == name.casefold() for name in self._people.names.get(person, ())):
                return found[0].removeprefix("@")
        return SOMEONE


def _as_markdown(text: str, kind: Kind) -> str:
    if kind == "slack":
        return slack_markdown(text, lambda user: f"{_OPEN}slack:{user}{_CLOSE}")
    if kind == "discord":
        marked = _DISCORD_PERSON.sub(rf"{_OPEN}discord:\1{_CLOSE}", text)
        return discord_markdown(marked, {})
    return text
