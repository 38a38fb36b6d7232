"""The bot's own answers that people liked, as conversations: a question, and the answer in its voice."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.persona_data.said import Found, Known, Said
from bot.tables import answers, feedback
from kb.database import reading

BOT = "answer:lorekeeper"
_WRITTEN = ("model", "persona")  # quoted sentences are the documents' voice


async def liked_answers(engine: AsyncEngine) -> AsyncIterator[Found]:
    """Yield the questions and answers that more people rated good than bad, oldest first."""
    good = func.sum(case((feedback.c.good, 1), else_=0))
    liked = (
        select(feedback.c.answer)
        .group_by(feedback.c.answer)
        .having(good > func.count() - good)
        .scalar_subquery()
    )
    query = (
        select(answers.c.id, answers.c.asked, answers.c.asker, answers.c.conversation)
        .add_columns(answers.c.question, answers.c.answer)
        .where(answers.c.id.in_(liked), answers.c.answered, answers.c.mode.in_(_WRITTEN))
        .where(answers.c.withdrawn.is_(False))
        .order_by(answers.c.asked, answers.c.id)
    )
    yield Known(id=BOT, names=("lorekeeper",))
    async with reading(engine) as connection:
        for row in (await connection.execute(query)).all():
            for said in _exchange(*row):
                yield said


def _exchange(
    answer: str, asked: float, asker: str, conversation: str, question: str, text: str
) -> tuple[Said, Said]:
    talk = f"answer:{conversation or answer}"
    first = Said(
        key=f"question:{answer}",
        kind="answer",
        conversation=talk,
        speaker=f"asker:{asker}",
        text=question,
        at=asked,
    )
    second = Said(
        key=f"answer:{answer}",
        kind="answer",
        conversation=talk,
        speaker=BOT,
        text=text,
        at=asked + 0.001,
        parent=first.key,
    )
    return first, second
