"""What one person is told after they pressed, typed or sent something; errors are one line of it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from adapters.slack.client import CallRefused
from adapters.slack.interactions import person_of, place_of
from adapters.slack.render import Message, line_message
from bot.chat import Place
from bot.errors import BotError, SurfaceError
from bot.failing import failure_line
from bot.texts import texts, translated
from kb.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.slack.access import Access
    from adapters.slack.blocks import Block
    from adapters.slack.surface import SlackSurface
    from adapters.slack.workspaces import Workspaces
    from bot.chat import Person, PlaceKind
    from bot.wording import Texts

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """Where somebody waits for a word: they, their place, and what the interaction lets us use."""

    person: Person
    place: Place
    response_url: str = field(default="", repr=False)
    trigger: str = field(default="", repr=False)


def ear_of(body: Mapping[str, Any]) -> Ear:
    """Return the ear of whoever typed a command or chose a shortcut."""
    return Ear(
        person=person_of(body),
        place=place_of(body),
        response_url=str(body.get("response_url") or ""),
        trigger=str(body.get("trigger_id") or ""),
    )


class Saying:
    """Tells one person things, in the place where they are."""

    def __init__(self, workspaces: Workspaces, access: Access, surface: SlackSurface) -> None:
        self._workspaces = workspaces
        self._access = access
        self._surface = surface
        self._at_work = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def finished(self, seconds: float) -> None:
        """Wait until nobody is being seen to, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    async def whole(self, person: Person) -> Person:
        """Return a person with their groups and rights; raise `SurfaceError`."""
        return await self._access.person(person.workspace, person.id, person.name)

    async def words(self, person: Person) -> Texts:
        """Return the bot's words in the person's language."""
        return texts(await self._access.language(person.workspace, person.id))

    async def placed(self, ear: Ear) -> Ear:
        """Return an ear whose place is as Slack knows it, not as it was guessed from what was sent."""
        return replace(ear, place=await self._access.guarded(ear.place))

    async def say(self, ear: Ear, message: Message, *, replace: bool = False) -> None:
        """Tell the person something that nobody else sees."""
        whisper = self._surface.whisper
        if ear.response_url and await whisper.respond(ear.response_url, message, replace=replace):
            return
        api = await self._workspaces.api(ear.place.workspace or ear.person.workspace)
        await whisper.say(api, ear.place.channel, "", ear.person.id, [message])

    async def line(self, ear: Ear, line: str) -> None:
        """Tell the person one line."""
        if line:
            words = await self.words(ear.person)
            await self.say(ear, line_message(translated(line, words.language)))

    async def open(self, ear: Ear, view: Block) -> str:
        """Open a modal and return its id; empty when it is too late for that."""
        if not ear.trigger:
            return ""
        api = await self._workspaces.api(ear.place.workspace or ear.person.workspace)
        try:
            told = await api.call("views.open", trigger_id=ear.trigger, view=view)
        except CallRefused as exc:
            log.info("slack modal not opened reason=%s", exc.code)
            return ""
        return str((told.get("view") or {}).get("id") or "")

    async def update(self, ear: Ear, view_id: str, view: Block) -> None:
        """Put another view in the place of an open modal."""
        api = await self._workspaces.api(ear.place.workspace or ear.person.workspace)
        await api.call("views.update", view_id=view_id, view=view)

    async def publish(self, person: Person, view: Mapping[str, object]) -> None:
        """Show a person's Home tab."""
        api = await self._workspaces.api(person.workspace)
        await api.call("views.publish", user_id=person.id, view=dict(view))

    @asynccontextmanager
    async def guarded(self, ear: Ear) -> AsyncIterator[None]:
        """Turn what goes wrong inside into one line for the person; nothing is raised."""
        self._at_work += 1
        self._idle.clear()
        try:
            yield
        except (BotError, KnowledgeBaseError) as exc:
            log.info("slack interaction refused person=%s reason=%s", ear.person.id, exc)
            await self._sorry(ear, failure_line(exc, await self.words(ear.person)))
        except Exception:  # the edge of a task
            number = uuid.uuid4().hex[:8]
            log.exception("slack interaction failed id=%s", number)
            await self._sorry(ear, (await self.words(ear.person)).failed.format(id=number))
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._idle.set()

    async def _sorry(self, ear: Ear, line: str) -> None:
        try:
            await self.line(ear, line)
        except SurfaceError as exc:
            log.warning("slack person not told person=%s reason=%s", ear.person.id, exc)


def kept_place(place: Place) -> dict[str, str]:
    """Return what a modal keeps of the place where it was opened: what is sent back does not name it."""
    kept = {"channel": place.channel, "thread": place.thread, "kind": place.kind}
    return kept | ({"shared": "yes"} if place.shared else {})


def place_kept(keep: Mapping[str, str], person: Person) -> Place:
    """Return the place that a modal kept."""
    kinds: dict[str, PlaceKind] = {"channel": "channel", "private": "private", "direct": "direct"}
    return Place(
        platform="slack",
        workspace=person.workspace,
        channel=keep.get("channel", ""),
        thread=keep.get("thread", ""),
        kind=kinds.get(keep.get("kind", ""), "direct"),
        shared=bool(keep.get("shared")),
    )
