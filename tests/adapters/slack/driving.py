"""Everything that the bot does in Slack, done once in each of its languages, for tests of what it sends.

`lorekeeper serve` does what a person can bring about; the app with a scripted desk what takes time or goes
wrong; the app over HTTP installs itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args
from unittest import mock

from pydantic import SecretStr

from adapters.slack import checking, reply, status
from adapters.slack.settings import SlackSecrets, SlackSettings
from bot.chat import Control, Incoming
from bot.chat_settings import ChannelSettings
from tests.adapters.slack.harness import Rig, answered, running
from tests.adapters.slack.serving import (
    COFFEE,
    HANDBOOK,
    KEY,
    LEAVE,
    TRAVEL,
    UNKNOWN,
    Served,
    serve,
    shown,
)
from tests.adapters.slack.test_oauth import install
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.site import Called
from tests.emulators.slack.workspace import Message, Payload

Value = TypeVar("Value")

SPOKEN = {"en": "en-US", "de": "de-DE", "fr": "fr-FR", "es": "es-ES"}
LONG = "Everyone has 30 days of leave. " * 8
_SETTINGS = """
[slack]
enabled = true
api_url = "{api_url}"
admins = {admins}
notices = "C0EN"
per_person = 1000

[[sources]]
name = "handbook"
type = "folder"
location = "handbook"
"""
_CHANNELS = """
[[channels]]
platform = "slack"
id = "C0{key}"
language = "{language}"
person = "U0{key}BOSS"

[[channels]]
platform = "slack"
id = "C1{key}"
language = "{language}"
mode = "private-first"

[[channels]]
platform = "slack"
id = "C2{key}"
language = "{language}"
mode = "draft"
reviewers = ["U0{key}BOSS"]
"""


@dataclass(slots=True)
class Sent:
    """What Slack got: calls of the Web API and answers to interactions."""

    calls: list[Called] = field(default_factory=list)
    responses: list[Payload] = field(default_factory=list)

    def take(self, slack: SlackEmulator) -> None:
        """Add what an emulated Slack got."""
        self.calls += slack.calls
        self.responses += slack.responding.asked

    def methods(self) -> set[str]:
        return {call.method for call in self.calls}


async def everything(folder: Path) -> Sent:
    """Do everything and return what was sent."""
    sent = Sent()
    await _served(folder / "served", sent)
    with (
        mock.patch.object(reply, "FIRST_PIECE_SECONDS", 0.01),
        mock.patch.object(reply, "PIECE_SECONDS", 0.02),
        mock.patch.object(status, "STOPPABLE_AFTER_SECONDS", 0.01),
    ):
        await _scripted(folder / "scripted", sent)
    async with running(_made(folder / "http"), mode="http", client_id="1111.2222") as rig:
        await install(rig)
        sent.take(rig.slack)
    return sent


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def _served(folder: Path, sent: Sent) -> None:
    _made(folder)
    async with SlackEmulator().running() as slack:
        text = _SETTINGS.format(
            api_url=slack.api_url, admins=[f"U0{language.upper()}BOSS" for language in SPOKEN]
        )
        for language, locale in SPOKEN.items():
            key = language.upper()
            text += _CHANNELS.format(key=key, language=language)
            people = [slack.add_user(f"Ann {key}", key=f"U0{key}ANN", locale=locale)]
            people.append(slack.add_user(f"Boss {key}", key=f"U0{key}BOSS", locale=locale))
            for number, name in enumerate(("general", "first", "drafts")):
                slack.add_channel(f"{name}-{language}", key=f"C{number}{key}", members=people)
        _made(folder / "handbook")
        for name, content in HANDBOOK.items():
            (folder / "handbook" / name).write_text(content, encoding="utf-8")
        (folder / "config.toml").write_text(text, encoding="utf-8")
        async with serve(slack, folder) as served:
            await served.ready()
            for language in SPOKEN:
                await _Day(served, language.upper()).lived()
            await _checked(slack)
            assert await served.end() == 0
        assert {call.error for call in slack.calls} <= {""}
        sent.take(slack)


async def _checked(slack: SlackEmulator) -> None:
    """Do what `lorekeeper doctor` does."""
    settings = SlackSettings(enabled=True, api_url=slack.api_url)
    secrets = SlackSecrets(
        bot_token=SecretStr(slack.bot_token),
        app_token=SecretStr(slack.app_token),
        signing_secret=None,
        client_secret=None,
    )
    await checking.check_bot(settings, secrets)
    await checking.check_socket(settings, secrets)


class _Day:
    """What people of one language do in a day."""

    def __init__(self, served: Served, key: str) -> None:
        self._served, self._slack = served, served.slack
        self._general, self._first, self._drafts = f"C0{key}", f"C1{key}", f"C2{key}"
        self._ann, self._boss, self._key = f"U0{key}ANN", f"U0{key}BOSS", key

    async def lived(self) -> None:
        """Do everything, one after the other."""
        await self._ask()
        await self._ask_in_private()
        await self._press()
        await self._draft()
        await self._care()
        await self._save()
        await self._look()

    async def _ask(self) -> None:
        """Ask, follow up, edit, delete; where there is no answer, call a person."""
        ts, _ = await self._served.ask(self._general, self._ann, LEAVE)
        await self._slack.edit(self._general, ts, f"{self._slack.mention} {TRAVEL}")
        await self._until(lambda: "room 12" in shown(self._slack.messages(self._general, ts)[0]))
        await self._slack.delete(self._general, ts)
        await self._until(lambda: not self._slack.messages(self._general, ts))
        ts, missed = await self._served.ask(self._general, self._ann, UNKNOWN)
        await self._slack.click(missed, "lk_person", user=self._ann)
        await self._served.replies(self._general, ts, 2)
        mine = self._slack.direct(self._ann)
        await self._served.replies(mine, await self._slack.say(mine, self._ann, KEY))
        await self._served.replies(mine, await self._slack.say(mine, self._ann, UNKNOWN))
        picture = self._slack.add_file("door.png", b"\x89PNG", self._ann, mimetype="image/png")
        ts = await self._slack.say(self._general, self._ann, f"{self._slack.mention} {KEY}", files=[picture])
        await self._served.replies(self._general, ts)

    async def _ask_in_private(self) -> None:
        for question, awaited in ((COFFEE, 2), (UNKNOWN, 2), (" ", 1)):  # an acknowledgement, and the answer
            await self._told(self._slack.command("/ask", question, self._ann, self._general), awaited)
        private = next(one for one in self._private(self._general) if "lk_share" in str(one.blocks))
        await self._told(self._slack.click(private, "lk_share", user=self._ann))
        ts = await self._slack.say(self._general, self._boss, LEAVE)
        await self._told(self._slack.shortcut("lk_ask_about", self._ann, channel=self._general, ts=ts))
        await self._slack.say(self._first, self._ann, KEY)
        (first,) = await self._until(lambda: self._private(self._first))
        await self._slack.click(first, "lk_share", user=self._ann)
        await self._until(lambda: [one for one in self._slack.messages(self._first) if not one.ephemeral])

    async def _press(self) -> None:
        """Press what stands below an answer."""
        _, answer = await self._served.ask(self._general, self._ann, KEY)
        values = re.findall(r"'((?:good|bad):[^']+)'", str(answer.blocks))
        await self._told(self._slack.click(answer, "lk_feedback", user=self._ann, value=values[0]))
        await self._slack.click(answer, "lk_feedback", user=self._ann, value=values[1])
        await self._until(lambda: self._slack.stack(self._ann))
        await self._told(self._slack.submit_view(self._ann, {"comment": "It is 50 by now."}), 0)
        await self._told(self._slack.click(answer, "lk_resolved", user=self._ann))
        await self._slack.click(answer, "lk_sources", user=self._ann)
        await self._until(lambda: self._slack.stack(self._ann))
        await self._until(lambda: "40 euros" in str(self._slack.modal(self._ann).content))
        await self._slack.close_view(self._ann)

    async def _draft(self) -> None:
        reviewed = self._slack.direct(self._boss)
        for question, button in ((COFFEE, "lk_approve"), (TRAVEL, "lk_discard")):
            await self._slack.say(self._drafts, self._ann, question)
            waiting = partial(self._with, reviewed, button)
            (draft,) = await self._until(waiting)
            await self._slack.click(draft, button, user=self._boss)
            await self._until(lambda waiting=waiting: not waiting())

    async def _care(self) -> None:
        """Manage what is known: by commands, modals, a file; one who may not is told so."""
        who = {"user": self._boss}
        for command in ("help", "list", "status", "show handbook", "sync handbook", "nonsense"):
            await self._told(self._slack.command("/kb", command, self._boss, self._general), **who)
        await self._told(self._slack.command("/kb", "sync handbook", self._ann, self._general))
        folder = _made(self._served.folder / f"more-{self._key.lower()}")
        (folder / "bike.md").write_text(
            f"# Bikes\n\nThe shed code of {self._key} is 4711.\n", encoding="utf-8"
        )
        await self._slack.command("/kb", "add", self._boss, self._general)
        await self._until(lambda: self._slack.stack(self._boss))
        assert (await self._slack.submit_view(self._boss, {"location": "/nowhere"})).errors
        added = self._slack.submit_view(
            self._boss, {"location": str(folder), "name": folder.name, "every": "1s"}
        )
        await self._told(added, **who)
        folder.rename(folder.with_name(f"gone-{self._key}"))
        await self._until(lambda: [one for one in self._slack.messages("C0EN") if folder.name in shown(one)])
        await self._slack.command("/kb", f"remove {folder.name}", self._boss, self._general)
        await self._until(lambda: self._slack.stack(self._boss))
        await self._told(self._slack.submit_view(self._boss), **who)
        data = f"# Parking {self._key}\n\nVisitors park on deck 3.\n".encode()
        for user in (self._ann, self._boss):
            file = self._slack.add_file(f"parking-{self._key}.md", data, user, mimetype="text/markdown")
            said = f"{self._slack.mention} add this"
            ts = await self._slack.say(self._general, user, said, files=[file])
            await self._served.replies(self._general, ts)

    async def _save(self) -> None:
        ts = await self._slack.say(self._general, self._ann, f"The alarm code of {self._key} is 99-21.")
        await self._slack.shortcut("lk_save", self._boss, channel=self._general, ts=ts)
        await self._until(lambda: self._slack.stack(self._boss))
        sent = self._slack.submit_view(self._boss, {"title": f"Alarm {self._key}"})
        await self._told(sent, user=self._boss)

    async def _look(self) -> None:
        """Open the Home tab and the Messages tab, and ask what is suggested."""
        for user in (self._ann, self._boss):
            await self._slack.open_home(user)
            await self._until(lambda user=user: self._slack.home_of(user))
        await self._slack.open_home(self._ann, tab="messages")
        mine = self._slack.direct(self._ann)
        await self._until(lambda: (mine, "") in self._slack.prompts)
        home = self._slack.home_of(self._ann)
        assert home is not None
        before = len(self._slack.messages(mine))
        await self._slack.click(home, "lk_ask", user=self._ann)
        await self._until(lambda: len(self._slack.messages(mine)) >= before + 2)

    def _private(self, channel: str, user: str = "") -> list[Message]:
        return [one for one in self._slack.messages(channel) if one.ephemeral == (user or self._ann)]

    def _with(self, channel: str, button: str) -> list[Message]:
        return [one for one in self._slack.messages(channel) if button in str(one.blocks)]

    async def _told(self, done: Awaitable[object], lines: int = 1, *, user: str = "") -> None:
        """Do something and wait until the person was told so many lines in the channel."""
        before = len(self._private(self._general, user))
        await done
        await self._until(lambda: len(self._private(self._general, user)) >= before + lines)

    async def _until(self, found: Callable[[], Value]) -> Value:
        return await self._served.until(found)


async def _scripted(folder: Path, sent: Sent) -> None:
    rules = [
        ChannelSettings(platform="slack", id=f"C0{language.upper()}", language=language)
        for language in SPOKEN
    ]
    async with running(_made(folder), channels=rules) as rig:
        for language, locale in SPOKEN.items():
            key = language.upper()
            ann = rig.slack.add_user(f"Ann {key}", key=f"U0{key}ANN", locale=locale)
            channel = rig.slack.add_channel(language, key=f"C0{key}", members=[ann])
            await _streams(rig, channel, ann, language)
            await _losses(rig, channel, ann, language)
        sent.take(rig.slack)


async def _asked(rig: Rig, channel: str, user: str) -> Incoming:
    number = len(rig.desk.received)
    await rig.slack.say(channel, user, f"{rig.slack.mention} how many days?")
    await rig.slack.wait_for(lambda: len(rig.desk.received) > number)
    return rig.desk.received[-1]


async def _streams(rig: Rig, channel: str, user: str, language: str) -> None:
    """Show an answer piece by piece: to its end, beyond the end of its stream, until it is withdrawn."""
    for ending in ("finished", "ended", "withdrawn"):
        incoming = await _asked(rig, channel, user)
        await rig.surface.working(incoming)
        reply = await rig.surface.reply(incoming, shown="public")
        started, appended = len(rig.method("chat.startStream")), len(rig.method("chat.appendStream"))
        await reply.show(LONG)
        await rig.slack.wait_for(lambda number=started: len(rig.method("chat.startStream")) > number)
        await reply.show(LONG * 2)
        await rig.slack.wait_for(lambda number=appended: len(rig.method("chat.appendStream")) > number)
        if ending == "ended":
            updated = len(rig.method("chat.update"))
            rig.slack.clock.advance(301)
            await reply.show(LONG * 3)
            await rig.slack.wait_for(lambda number=updated: len(rig.method("chat.update")) > number)
        if ending == "withdrawn":
            await reply.withdraw()
        else:
            await reply.finish(answered(LONG * 3, language=language))


async def _losses(rig: Rig, channel: str, user: str, language: str) -> None:
    """Lose replies of Slack, so that what stands is looked for; answer long, in private, and with a line."""
    incoming = await _asked(rig, channel, user)
    rig.slack.faults.status("chat.postMessage", 500, accepted=True)
    whole = await rig.surface.reply(incoming, shown="public")
    outcome = answered(
        "\n\n".join([LONG * 6] * 12), language=language, controls=get_args(Control), notes=("A note.",)
    )
    await rig.surface.remove(await whole.finish(outcome))
    rig.slack.faults.status("chat.postMessage", 500, accepted=True)
    await rig.surface.notify(rig.slack.home.id, channel, LONG)
    await rig.surface.tell(await _asked(rig, channel, user), LONG)
    hidden = await rig.surface.reply(await _asked(rig, channel, user), shown="private")
    await hidden.finish(replace(outcome, shown="private"))
