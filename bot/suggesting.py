"""Questions to show a person as examples: others' public ones that were well answered, or titles."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Person
from bot.chat_json import read_incoming
from bot.output_gate import defang_line
from bot.recognising import is_question
from bot.tables import answer_citations, answers, feedback, replies
from kb.database import reading
from kb.tables import documents

WELL_ANSWERED = 0.75
_LOOKED_AT = 100
_SHORTEST = 12
_LONGEST = 120


async def asked_well(engine: AsyncEngine, person: Person, sources: Collection[str], limit: int) -> list[str]:
    """Return questions that were asked in public in this person's workspace and answered well, latest first.

    They stand on their own, nobody disliked their answers, and these stand on `sources` alone.
    """
    query = (
        select(answers.c.id, answers.c.question, replies.c.incoming)
        .join(replies, replies.c.answer == answers.c.id)
        .where(
            replies.c.platform == person.platform,
            replies.c.workspace == person.workspace,
            replies.c.shown == "public",
            replies.c.state == "posted",
            answers.c.answered,
            answers.c.withdrawn.is_(False),
            answers.c.confidence >= WELL_ANSWERED,
        )
        .order_by(answers.c.asked.desc())
        .limit(_LOOKED_AT)
    )
    async with reading(engine) as connection:
        rows = (await connection.execute(query)).all()
        ids = [row.id for row in rows]
        cited = select(answer_citations.c.answer, answer_citations.c.source)
        cited = cited.where(answer_citations.c.answer.in_(ids))
        standing = (await connection.execute(cited)).all()
        bad = select(feedback.c.answer).where(feedback.c.answer.in_(ids), feedback.c.good.is_(False))
        left_out = set((await connection.execute(bad)).scalars())
    left_out |= {answer for answer, source in standing if source not in sources}
    named = {answer for answer, _ in standing} - left_out
    found = [row.question for row in rows if row.id in named and _was_public(row.incoming)]
    return _different(question for question in map(defang_line, found) if _is_example(question))[:limit]


async def titles(engine: AsyncEngine, sources: Collection[str], limit: int) -> list[str]:
    """Return what some documents of these sources are called, a few from each."""
    found: list[list[str]] = []
    async with reading(engine) as connection:
        for source in sorted(sources):
            query = (
                select(documents.c.uri)
                .where(
                    documents.c.source == source,
                    documents.c.status == "ok",
                    documents.c.hidden == 0,
                    documents.c.nodes > 0,
                )
                .order_by(documents.c.nodes.desc(), documents.c.uri)
                .limit(limit)
            )
            found.append([title(uri) for uri in (await connection.execute(query)).scalars()])
    deepest = max(map(len, found), default=0)
    turns = [names[place] for place in range(deepest) for names in found if place < len(names)]
    return _different(name for name in turns if name)[:limit]


def title(uri: str) -> str:
    """Return what a document is called, made of its path or address; empty when that says nothing."""
    path = unquote(urlsplit(uri).path) if "://" in uri else uri
    name = PurePosixPath(path.rstrip("/")).stem
    words = " ".join(re.sub(r"[-_+.]+", " ", name).split())
    if not re.search(r"[^\W\d_]{3}", words) or words.lower() in {"index", "readme", "home", "default"}:
        return ""
    return defang_line(words)[:60]


def _was_public(incoming: str) -> bool:
    """Tell whether a question was asked where the whole workspace may read it."""
    asked = read_incoming(incoming)
    return asked.root and not asked.private and asked.place.kind == "channel" and not asked.place.shared


def _is_example(question: str) -> bool:
    return _SHORTEST <= len(question) <= _LONGEST and "@" not in question and is_question(question)


def _different(texts: Iterable[str]) -> list[str]:
    seen: dict[str, str] = {}
    for text in texts:
        seen.setdefault(" ".join(re.findall(r"\w+", text.lower())), text)
    return list(seen.values())
