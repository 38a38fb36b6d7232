"""How one answer appears: in steps, whole, once, whatever is lost on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.discord.api import Payload, PayloadRefused, nonce
from adapters.discord.reply import DiscordReply
from bot.chat import Incoming, Posted, Surface
from bot.errors import SurfaceBusy, SurfaceGone
from bot.languages import de, en, es, fr
from bot.messages import Answer, Question
from bot.wording import Texts
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import ScriptedDesk, bot, outcome
from tests.adapters.discord.whole import team
from tests.bot.desks import ScriptedAssistant
from tests.emulators.discord.messages import Upload

LONG = "\n\n".join(
    f"Paragraph {number}. " + "Restart the router and wait. " * 12 + "[1]" for number in range(40)
)


class ListStage:
    """A stage that notes what it is asked to show."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, Payload]] = []
        self.cuts: list[int] = []
        self.failures: list[Exception] = []
        self.put_once = asyncio.Event()

    async def put(self, part: int, payload: Payload) -> None:
        self.put_once.set()
        if self.failures:
            raise self.failures.pop(0)
        self.shown.append((part, payload))

    async def cut(self, parts: int) -> None:
        self.cuts.append(parts)

    async def settle(self) -> Posted:
        return Posted(channel="1", messages=("2",))


def reply(stage: ListStage, *parts: str, pace: float = 10.0) -> DiscordReply:
    return DiscordReply(
        stage,
        render=lambda outcome: [{"content": part} for part in parts],
        sketch=lambda text: {"content": text},
        pace=pace,
    )


async def test_steps_keep_the_pace_and_the_end_does_not_wait() -> None:
    """The first step is shown at once, the next not before the pace, and the whole without delay."""
    stage = ListStage()
    shown = reply(stage, "whole")
    await shown.show("a")
    await stage.put_once.wait()
    for text in ("ab", "abc"):
        await shown.show(text)
    await asyncio.wait_for(shown.finish(outcome()), 1)
    assert [payload["content"] for _, payload in stage.shown] == ["a", "whole"]


async def test_a_failed_step_does_not_end_the_answer() -> None:
    """A step that Discord does not take is left out; the answer stands."""
    stage = ListStage()
    stage.failures.append(SurfaceBusy("later"))
    shown = reply(stage, "whole", pace=0.001)
    await shown.show("a")
    await stage.put_once.wait()
    await shown.finish(outcome())
    assert [payload["content"] for _, payload in stage.shown] == ["whole"]


async def test_a_refused_payload_becomes_bare_words() -> None:
    """When Discord does not accept the layout, the words are shown without it."""
    stage = ListStage()
    stage.failures.append(PayloadRefused("50035"))
    await reply(stage, "whole").finish(outcome())
    assert stage.shown[0][1]["components"] == [{"type": 10, "content": "whole"}]


async def test_a_lost_place_is_raised() -> None:
    """`finish` raises `SurfaceGone`, so that the desk knows."""
    stage = ListStage()
    stage.failures.append(SurfaceGone("gone"))
    with pytest.raises(SurfaceGone):
        await reply(stage, "whole").finish(outcome())


async def test_nothing_is_shown_after_the_end() -> None:
    """A step that comes after the end is dropped, and withdrawing takes all away."""
    stage = ListStage()
    shown = reply(stage, "whole")
    await shown.withdraw()
    await shown.show("late")
    assert (stage.shown, stage.cuts) == ([], [0])


def test_a_nonce_is_one_for_each_part() -> None:
    """A nonce is stable, differs by part and question, and fits."""
    assert nonce("a", 0) == nonce("a", 0)
    assert len({nonce("a", 0), nonce("a", 1), nonce("b", 0)}) == 3
    assert len(nonce("a")) <= 25


async def test_an_answer_grows_in_one_message(town: Town, tmp_path: Path) -> None:
    """Steps and the whole answer are edits of one message."""
    discord, go_on = town.discord, asyncio.Event()

    async def turn(incoming: Incoming, surface: Surface) -> None:
        shown = await surface.reply(incoming, shown="public")
        await shown.show("Restart")
        await go_on.wait()
        await shown.finish(outcome())

    async with bot(discord, tmp_path, desk=ScriptedDesk(turn=turn)):
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        (reply,) = await discord.wait_for(lambda: discord.replies(asked))
        assert (reply.content, reply.is_v2) == ("Restart", False)
        go_on.set()
        await discord.wait_for(lambda: "Restart the router" in reply.text)
        assert discord.replies(asked) == [reply]
        assert reply.is_v2


async def test_a_long_answer_is_several_messages_in_order(town: Town, tmp_path: Path) -> None:
    """What does not fit one message goes on in the next; its buttons stand under the last."""
    discord, desk = town.discord, ScriptedDesk().answers(LONG)
    async with bot(discord, tmp_path, desk=desk):
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await desk.until(posted=1)
        replies = discord.replies(asked)
    assert len(replies) > 1
    assert [one.id for one in replies] == list(desk.posted[0].messages)
    assert "Paragraph 39" in "".join(one.text for one in replies)
    assert replies[-1].buttons()
    assert not any("custom_id" in one for first in replies[:-1] for one in first.buttons())


@pytest.mark.parametrize("fault", ["cut", "503", "500"])
async def test_a_lost_reply_makes_no_second_answer(town: Town, tmp_path: Path, fault: str) -> None:
    """When the answer is posted and Discord's reply is lost, it is tried again and stands once."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        discord.faults.lose_answer("POST /channels/*/messages", status=0 if fault == "cut" else int(fault))
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await scripted.desk.until(posted=1)
    assert len(discord.replies(asked)) == 1
    assert len(discord.made("POST /channels/*/messages")) == 2


async def test_a_rate_limit_is_waited_out(town: Town, tmp_path: Path) -> None:
    """A 429 delays the answer by what it asks for, and no request is sent meanwhile."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers()) as scripted:
        discord.faults.rate_limit("POST /channels/*/messages", 0.5)
        await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await scripted.desk.until(posted=1)
    first, second = discord.made("POST /channels/*/messages")
    assert (first.status, second.status) == (429, 200)
    assert second.at - first.at >= 0.5


async def test_an_answer_of_an_earlier_try_is_found(town: Town, tmp_path: Path) -> None:
    """`found` returns the reply to a question, in its thread, in the channel and to a command; else None."""
    discord, desk = town.discord, ScriptedDesk()
    async with bot(discord, tmp_path, desk=desk) as scripted:
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await desk.until(heard=1)
        surface = scripted.app.surface
        assert await surface.found(desk.incoming[0]) is None
        shown = await surface.reply(desk.incoming[0], shown="public")
        posted = await shown.finish(outcome())
        assert await surface.found(desk.incoming[0]) == posted
        thread = discord.threads(town.general)[0]
        follow_up = await discord.say(thread, town.ann, "and then?")
        await desk.until(heard=2)
        assert await surface.found(desk.incoming[1]) is None
        shown = await surface.reply(desk.incoming[1], shown="public")
        assert await surface.found(desk.incoming[1]) is None
        posted = await shown.finish(outcome(LONG))
        found = await surface.found(desk.incoming[1])
    assert found == posted
    assert discord.replies(asked)[0].id != posted.messages[0]
    assert discord.replies(follow_up)[0].id == posted.messages[0]


async def test_a_deleted_thread_is_gone(town: Town, tmp_path: Path) -> None:
    """An answer whose question was deleted meanwhile raises `SurfaceGone` or stands nowhere else."""
    discord, desk = town.discord, ScriptedDesk()
    async with bot(discord, tmp_path, desk=desk) as scripted:
        discord.faults.add("POST /channels/*/messages", status=403, code=50013)
        await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await desk.until(heard=1)
        shown = await scripted.app.surface.reply(desk.incoming[0], shown="public")
        with pytest.raises(SurfaceGone):
            await shown.finish(outcome())


class Stumbling(ScriptedAssistant):
    """An assistant that fails over a question with "broken" in it, and has no documents from the wiki."""

    def made(self, question: Question) -> Answer:
        if "broken" in question.text:
            raise RuntimeError("A part is broken.")
        if "wiki" in question.text:
            said = "I have no documents from 'wiki'."
            return Answer(question=question.text, answered=False, text=said, confidence=0.0, id=question.id)
        return ScriptedAssistant.made(self, question)


LANGUAGES = pytest.mark.parametrize(
    "words", [de.TEXTS, en.TEXTS, es.TEXTS, fr.TEXTS], ids=lambda one: one.language
)


def before_log(text: str) -> str:
    """Return a line up to its log id."""
    return text.partition("{id}")[0]


@LANGUAGES
async def test_a_mention_is_answered_in_the_servers_language(tmp_path: Path, words: Texts) -> None:
    """Without a language in the settings every fixed text of a turn is in the server's."""
    async with team(tmp_path) as town:
        town.guild.locale = words.language
        image = Upload(name="screen.png", data=b"x", media_type="image/png")
        async with town.bot(answers=Stumbling, per_person=3) as served:
            mention = town.discord.bot.mention
            asked = await town.discord.say(town.general, town.ann, f"{mention} unknown?", files=(image,))
            text = (await town.once(served, asked, words.not_found)).text
            assert words.nearest in text
            assert words.image_unread.partition("{")[0] in text
            wiki = words.no_documents_from.format(sources="'wiki'")
            await town.once(served, await town.say("the wiki?"), wiki)
            await town.once(served, await town.say("broken?"), before_log(words.failed))
            await town.once(served, await town.say("too many?"), words.too_many.partition("{")[0])


@LANGUAGES
async def test_a_command_is_answered_in_the_askers_language(tmp_path: Path, words: Texts) -> None:
    """Without a language in the settings `/ask` speaks the asker's language if it can, else the server's."""
    async with team(tmp_path) as town:
        town.guild.locale = "fr"
        asker = town.discord.add_member(town.guild, "Bea", locale=words.language)
        other = town.discord.add_member(town.guild, "Kei", locale="ja")
        async with town.bot(answers=Stumbling) as served:
            for person, expected in ((asker, words), (other, fr.TEXTS)):
                for question, said in (
                    ("unknown?", expected.not_found),
                    ("broken?", before_log(expected.failed)),
                ):
                    options = {"question": question, "private": True}
                    begun = await town.discord.command("ask", options, user=person, channel=town.general)
                    await town.used(served, begun, said)


async def test_the_settings_language_comes_first(tmp_path: Path) -> None:
    """A language in the settings counts more than the asker's and the server's."""
    async with team(tmp_path) as town:
        town.guild.locale = "fr"
        bea = town.discord.add_member(town.guild, "Bea", locale="de")
        async with town.bot(answers=Stumbling, language="es") as served:
            await town.once(served, await town.say("unknown?"), es.TEXTS.not_found)
            begun = await town.discord.command(
                "ask", {"question": "unknown?"}, user=bea, channel=town.general
            )
            await town.used(served, begun, es.TEXTS.not_found)


async def test_whoever_presses_is_told_in_their_language(tmp_path: Path) -> None:
    """What a press leads to is said in the language of who pressed where the answer is not known any more."""
    async with team(tmp_path) as town:
        bea = town.discord.add_member(town.guild, "Bea", locale="de")
        async with town.bot() as served:
            reply = await town.once(served, await town.say("How many?"), "Six")
            reply.component("lk:resolved")["custom_id"] = f"lk:resolved:{'0' * 32}"
            pressed = await town.discord.answer(await town.discord.click(reply, "lk:resolved", user=bea))
            assert pressed.text == de.TEXTS.answer_gone
