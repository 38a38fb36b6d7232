from __future__ import annotations

import pytest

from bot.fact_lock import judge
from bot.llms import Model
from bot.persona_data.drafting import ModelDrafts
from bot.persona_data.plain_words import plain_draft
from bot.spending import Spent
from tests.bot.persona_data.exports import helpful
from tests.emulators.openai import INTERNAL, OpenAIEmulator, Recorded, Reply, say


@pytest.mark.parametrize(
    ("reply", "draft"),
    [
        ("haha, yeah, just use port 8080!!! :tada: 🎉", "Use port 8080."),
        ("Soooo it's gonna take 5 min tho", "So it is going to take 5 min though."),
        ("Hey! *Don't* restart node 7, mate.", "Do not restart node 7."),
        ("nope, u can't. the API won't take it", "No, you cannot. The API will not take it."),
        ("Turn right. It does not really work.", "Turn right. It does not really work."),
        ("run `make it!!! soooo` now :)", "Run `make it!!! soooo` now."),
        ("The limit is 10 MB.", "The limit is 10 MB."),
        ("well, see v1.2.3 at example.com/a.b", "See v1.2.3 at example.com/a.b"),
        ("¡Claro! ¿Usas el puerto 80?", "¡Claro. ¿Usas el puerto 80?"),
    ],
)
def test_plain_draft(reply: str, draft: str) -> None:
    """Greetings, emoji, shouting, slang and contractions go; what is said stays."""
    assert plain_draft(reply) == draft


def test_plain_drafts_keep_the_facts() -> None:
    """The fact lock takes the reply for a rewrite of nearly every draft that the rules make."""
    replies = [helpful(number) for number in range(100)]
    assert sum(judge(plain_draft(reply), reply).kept for reply in replies) >= 95
    assert all(plain_draft(reply) != reply for reply in replies)


async def test_model_drafts(server: OpenAIEmulator, model: Model) -> None:
    """A model's draft is used unless it changes a fact."""

    def script(request: Recorded) -> Reply:
        return say("The port is 8080." if "8080" in request.user else "The port is 99.")

    server.reply = script
    drafts = ModelDrafts(model, Spent())
    replies, plain = ["haha port is 8080!!", "haha port is 7!!"], ["plain one", "plain two"]
    done: list[int] = []
    assert await drafts.write(replies, plain, done.append) == ["The port is 8080.", "plain two"]
    assert drafts.kept == 1
    assert done == [1, 2]


async def test_model_that_fails(server: OpenAIEmulator, model: Model) -> None:
    """A model that writes nothing at all ends the run with its error, after a few tries."""
    server.reply = lambda _: INTERNAL
    drafts = ModelDrafts(model, Spent())
    from bot.errors import ModelUnavailable

    with pytest.raises(ModelUnavailable, match="failed"):
        await drafts.write(["a b c"] * 20, ["a"] * 20, lambda _: None)
    assert len(server.requests) <= 20
