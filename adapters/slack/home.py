"""The Home tab, the suggestions of the Messages tab, and the stop button."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from adapters.slack.events import workspace_of
from adapters.slack.interactions import stopped
from adapters.slack.render_views import home_view
from bot.chat import Person, Place
from bot.errors import BotError
from kb.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from adapters.slack.access import Access
    from adapters.slack.saying import Saying
    from adapters.slack.surface import SlackSurface
    from adapters.slack.workspaces import Workspaces
    from bot.desk import Desk
    from bot.home import Home, HomeView

MOST_PROMPTS = 4
_PROMPT_TITLE = 75

log = logging.getLogger(__name__)


class HomeTab:
    """Shows each person what the bot knows and what they may ask."""

    def __init__(self, *, home: Home, access: Access, workspaces: Workspaces, saying: Saying) -> None:
        self._home = home
        self._access = access
        self._workspaces = workspaces
        self._saying = saying

    async def on_opened(self, body: dict[str, Any]) -> None:
        """Handle `app_home_opened`: show the Home tab, or suggest what to ask in the Messages tab."""
        event = body.get("event") or {}
        person = Person(platform="slack", workspace=workspace_of(body), id=str(event.get("user") or ""))
        try:
            if event.get("tab") == "messages":
                await self._suggest(person, str(event.get("channel") or ""))
            else:
                await self.publish(person)
        except (BotError, KnowledgeBaseError) as exc:
            log.warning("slack home not shown person=%s reason=%s", person.id, exc)

    async def publish(self, person: Person) -> None:
        """Show a person's Home tab as it is now; raise `SurfaceError`."""
        words = await self._saying.words(person)
        await self._saying.publish(person, home_view(await self._view(person, words.language), words))

    async def _suggest(self, person: Person, channel: str) -> None:
        words = await self._saying.words(person)
        questions = (await self._view(person, words.language)).suggested[:MOST_PROMPTS]
        if not questions:
            return
        api = await self._workspaces.api(person.workspace)
        prompts = [{"title": question[:_PROMPT_TITLE], "message": question} for question in questions]
        await api.call("assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=prompts)

    async def _view(self, person: Person, language: str) -> HomeView:
        whole = await self._saying.whole(person)
        place = Place(platform="slack", workspace=person.workspace, channel="", kind="direct")
        audience = await self._access.audience(place, person.id, private=True)
        return await self._home.view(whole, audience, language=language)


class StopButton:
    """Stops the turn of a conversation when somebody presses Slack's stop button."""

    def __init__(self, desk: Desk, surface: SlackSurface) -> None:
        self._desk = desk
        self._surface = surface

    async def on_stopped(self, body: dict[str, Any]) -> None:
        """Handle `agent_session_stopped`."""
        found = stopped(body)
        if found is None:
            return
        place, person = found
        if not await self._desk.stop(place, person):
            await self._surface.status.calm(place)
