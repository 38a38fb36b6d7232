from __future__ import annotations

import pytest

from bot.conversation import carry_over, condense, leans_on_before
from bot.llms import Model
from bot.messages import Conversation, Turn
from bot.spending import Spent
from tests.emulators.openai import INTERNAL, OpenAIEmulator, say


def talk(*questions: str) -> Conversation:
    return Conversation(id="t1", turns=tuple(Turn(question=q, answer="An answer.") for q in questions))


HOLIDAYS = talk("How many holidays do part-time staff get?")


@pytest.mark.parametrize(
    "question", ["And for contractors?", "Why?", "Do they expire?", "What about Germany?", "Who approves it?"]
)
def test_follow_ups(question: str) -> None:
    """Pronouns, openers and very short questions lean on what was said."""
    assert leans_on_before(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many digits has a printer PIN?",
        "Is it possible to extend parental leave in Germany?",
        "How long does it take to restore the production database?",
        "Which Node version do we build with?",
    ],
)
def test_whole_questions(question: str) -> None:
    """A question that names its topic stands on its own."""
    assert not leans_on_before(question)


def test_topic_is_carried_over() -> None:
    """A follow-up gets the topic words of the question before."""
    assert carry_over("And for contractors?", HOLIDAYS) == "And for contractors? (holidays part time staff)"


def test_topic_is_carried_through_follow_ups() -> None:
    """A chain of follow-ups is followed back to the question that began it, and no further."""
    chain = talk("Where is the printer?", "How many holidays do part-time staff get?", "And contractors?")
    assert carry_over("Do they expire?", chain) == "Do they expire? (holidays part time staff contractors)"


def test_nothing_is_carried_without_need() -> None:
    """A question that stands on its own, or has nothing before it, is not changed."""
    assert carry_over("How many digits has a printer PIN?", HOLIDAYS) == "How many digits has a printer PIN?"
    assert carry_over("And for contractors?", Conversation()) == "And for contractors?"


async def test_a_model_makes_the_follow_up_whole(server: OpenAIEmulator, model: Model) -> None:
    """With a model the follow-up is rewritten, and its tokens are counted."""
    server.reply = lambda _request: say('"How many holidays do contractors get?"\n')
    spent = Spent()
    full = await condense("And for contractors?", HOLIDAYS, model, spent)
    assert full == "How many holidays do contractors get?"
    assert (spent.input_tokens, spent.output_tokens) == (11, 7)


async def test_a_whole_question_costs_no_call(server: OpenAIEmulator, model: Model) -> None:
    """The model is not asked when the question stands on its own."""
    question = "How many digits has a printer PIN?"
    assert await condense(question, HOLIDAYS, model, Spent()) == question
    assert server.chats() == []


@pytest.mark.parametrize("reply", [INTERNAL, say("   "), say("word " * 200)])
async def test_the_rule_stands_in(server: OpenAIEmulator, model: Model, reply: object) -> None:
    """When the model fails, says nothing or rambles, the rule is used."""
    server.reply = lambda _request: reply  # type: ignore[assignment,return-value]  # parametrised over replies
    full = await condense("And for contractors?", HOLIDAYS, model, Spent())
    assert full == "And for contractors? (holidays part time staff)"
