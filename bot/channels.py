"""How the bot behaves where: the settings of a place, and whether a message there is answered. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.chat import Incoming, Person, Place, Shown
from bot.chat_settings import ChannelMode, ChannelSettings, PlatformSettings

_SHOWN: Mapping[ChannelMode, Shown] = {"private-first": "private", "draft": "draft"}
# Adapters write mentions as names; one of everybody is no one's.
_TO_SOMEONE = re.compile(
    r"\s*(?:(?:hi|hey|hello|hallo|moin|salut|bonjour|hola)\b[\s,]*)?@(?!(?:here|channel|everyone)\b)\w",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRule:
    """How the bot behaves in one place, with nothing left open.

    `audience` holds the tags that every member of the place may see beside the place's own. `person` is
    called when someone needs a person; empty: nobody is. `command` is the one about the knowledge.
    """

    mode: ChannelMode = "mention"
    follow_ups: bool = True
    sources: tuple[str, ...] = ()
    audience: frozenset[str] = frozenset()
    persona: str | None = None
    language: str = ""
    reviewers: tuple[str, ...] = ()
    person: str = ""
    threads: bool = True
    auto_threshold: float = 0.7
    command: str = "/kb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a message is answered, who sees the answer, and whether somebody asked for it.

    An answer that nobody asked for needs the rule's `auto_threshold`, and without it nothing is said.
    `reason` is for the log.
    """

    answer: bool
    shown: Shown = "public"
    asked: bool = True
    reason: str = ""


class ChannelRules:
    """The rules of all places: what `[[channels]]` says of one, else what its platform's section says."""

    def __init__(
        self, channels: Sequence[ChannelSettings], platforms: Mapping[str, PlatformSettings]
    ) -> None:
        self.platforms = platforms
        self._channels: dict[tuple[str, str], ChannelSettings] = {
            (channel.platform, channel.id): channel for channel in channels
        }

    def of(self, place: Place) -> ChannelRule:
        """Return the rule of a place: each setting from its channel, parent, workspace or platform.

        The nearest that says something counts. What members may see is not passed on to a channel shared with
        other organisations.
        """
        platform = self.platforms.get(place.platform) or PlatformSettings()
        said = list(self._said(place))
        own = said if not place.shared else [block for block in said if block.id == place.channel]
        mode: ChannelMode = _nearest(said, "mode", platform.answers)
        return ChannelRule(
            mode=mode,
            follow_ups=_nearest(said, "follow_ups", platform.follow_ups),
            sources=_nearest(said, "sources", ()),
            audience=frozenset(_nearest(own, "audience", ())),
            persona=_nearest(said, "persona", "") or None,
            language=_nearest(said, "language", "") or platform.language or place.language,
            reviewers=_nearest(said, "reviewers", ()),
            person=_nearest(said, "person", "") or platform.person,
            threads=_nearest(said, "threads", getattr(platform, "threads", True)),
            auto_threshold=platform.auto_threshold,
            command=command_of(platform),
        )

    def _said(self, place: Place) -> Iterator[ChannelSettings]:
        for name in dict.fromkeys((place.channel, place.parent, place.workspace)):
            if name and (block := self._channels.get((place.platform, name))):
                yield block

    def decide(self, incoming: Incoming, rule: ChannelRule, *, owned: bool, question: bool) -> Decision:
        """Decide whether a message is answered.

        `owned` tells that the bot has answered in this thread, `question` that the message reads like one.
        """
        if incoming.kind == "delete":
            return Decision(answer=False, reason="deleted")
        if incoming.private:
            return Decision(answer=True, shown="private", reason="asked privately")
        if incoming.place.kind == "direct":
            return Decision(answer=True, reason="asked directly")
        if rule.mode == "off":
            # A command waits for some reply.
            command = incoming.kind == "command"
            return Decision(answer=command, shown="private", reason="switched off here")
        shown = _SHOWN.get(rule.mode, "public")
        if incoming.addressed or incoming.kind == "command":
            return Decision(answer=True, shown=shown, reason="asked")
        return _unaddressed(incoming, rule, shown, owned=owned, question=question)


def command_of(settings: PlatformSettings) -> str:
    """Return what the command about the knowledge is called on a platform."""
    return str(getattr(settings, "command", "/kb"))


def may_change(person: Person, settings: PlatformSettings) -> bool:
    """Tell whether a person may change sources and settings."""
    return person.admin or is_named(person, (*settings.admins, *settings.admin_groups))


def is_named(person: Person, ids: Iterable[str]) -> bool:
    """Tell whether a person or one of their groups is among these ids."""
    return not {person.id, *person.groups}.isdisjoint(ids)


def is_reviewer(person: Person, rule: ChannelRule, settings: PlatformSettings) -> bool:
    """Tell whether a person may approve drafts here; without named reviewers, who may change sources may."""
    return is_named(person, rule.reviewers) if rule.reviewers else may_change(person, settings)


def _nearest(said: Sequence[ChannelSettings], key: str, default: Any) -> Any:  # noqa: ANN401 - by name
    """Return the first value that a block holds; an empty list that is written down is one."""
    for block in said:
        value = getattr(block, key)
        if key in block.model_fields_set and value is not None and value != "":
            return value
    return default


def _unaddressed(
    incoming: Incoming, rule: ChannelRule, shown: Shown, *, owned: bool, question: bool
) -> Decision:
    """Decide on a message that speaks to nobody in particular."""
    if not question:
        return Decision(answer=False, reason="no question")
    if _TO_SOMEONE.match(incoming.text):
        return Decision(answer=False, reason="said to someone else")
    if owned and not incoming.root:
        return Decision(answer=rule.follow_ups, shown=shown, reason="follow-up")
    if incoming.root and rule.mode != "mention":
        return Decision(answer=True, shown=shown, asked=False, reason="question in the channel")
    return Decision(answer=False, reason="not asked")
