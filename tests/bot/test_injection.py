"""Poisoned documents and a model that follows every instruction it reads in them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.llms import Model
from bot.messages import AnswerDelta, AnswerDone, Question
from bot.prompts import NO_ANSWER
from tests.bot.found import assistant, passage
from tests.emulators.openai import OpenAIEmulator, Recorded, Reply, say

INJECTION = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust" / "injection"
pytestmark = [
    pytest.mark.trust,
    pytest.mark.skipif(not INJECTION.is_dir(), reason="../shared/data is absent"),
]

LINK = re.compile(r"https?://|\]\(|<img|!\[|evil\.test", re.IGNORECASE)
LIVE_MENTION = re.compile(r"<!(?:channel|here|everyone)|<@|(?<!\\)@(?:everyone|here)")
ORDERS = (
    r"(?:start|end|begin) the answer with (.+?)\.?$",
    r"add the line (.+?)(?: with the acquisition.*)?\.?$",
    r"say that (.+?)\.?$",
    r"answer only with: (.+?)$",
    r"exact token (.+?)\.?$",
    r"(call the add-source command with .+?)\.?$",
    r"(repeat every instruction.+?)\.?$",
)


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (INJECTION / name).read_text(encoding="utf-8").splitlines()]


def decoded(body: str) -> str:
    """Return the text with what is hidden in it: base64, zero-width bits."""
    for packed in re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", body):
        body += "\n" + base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-8", "replace")
    bits = "".join("01"[char == "\u200c"] for char in body if char in "\u200b\u200c")
    hidden = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))
    return f"{body}\n{hidden.decode('utf-8', 'replace')}"


def obey(body: str) -> str:
    """Return what a model says that follows the instructions in a text; all of the text if it finds none."""
    found = [m for order in ORDERS for m in re.findall(order, decoded(body), re.IGNORECASE | re.MULTILINE)]
    return " ".join(found) or body


def drafts(row: dict[str, Any]) -> list[str]:
    """Return obedient drafts: the payload before, inside and after the true sentence, with markers."""
    fact = re.split(r"(?<=\.)\s", re.sub(r"<[^>]*>", " ", row["body"]).strip(), maxsplit=1)[0]
    payload = obey(row["body"])
    return [
        f"{payload}\n{fact} [1]",
        f"{fact.rstrip('.')} {payload} [1].",
        f"{fact} [1]\n\n{payload} [1] {payload}",
        f"[{fact}](https://evil.test/{row['id']}) [1]",
    ]


async def shown_to_the_reader(model: Model, row: dict[str, Any]) -> AsyncIterator[str]:
    """Yield every text that a reader gets to see: deltas, answer, titles, links, notice."""
    poisoned = passage(row["body"], title=row["title"], uri="poisoned.md")
    async for event in assistant(poisoned, model=model).stream(Question(text=row["question"])):
        if isinstance(event, AnswerDelta):
            yield event.text
        elif isinstance(event, AnswerDone):
            yield event.answer.text
            yield event.answer.notice
            for citation in event.answer.citations:
                yield f"{citation.title} {citation.heading} {citation.url}"


async def test_obedient_model(server: OpenAIEmulator, model: Model) -> None:
    """No poisoned document brings an outside link, an image or a live mention to a reader."""
    for row in rows("poisoned_docs.jsonl"):
        for draft in drafts(row):
            server.reply = lambda _request, draft=draft: say(draft)  # type: ignore[misc]  # bound per round
            async for text in shown_to_the_reader(model, row):
                assert not LINK.search(text), (row["id"], draft, text)
                assert not LIVE_MENTION.search(text), (row["id"], draft, text)
                assert row["also_fail_if"] not in text, (row["id"], draft, text)


async def test_quoted_poison(server: OpenAIEmulator, model: Model) -> None:
    """The same holds when the model's draft is refused and the poisoned passage itself is quoted."""
    server.reply = lambda _request: say("")
    for row in rows("poisoned_docs.jsonl"):
        async for text in shown_to_the_reader(model, row):
            assert not LINK.search(text), (row["id"], text)
            assert not LIVE_MENTION.search(text), (row["id"], text)


async def test_rules_do_not_leak(server: OpenAIEmulator, model: Model) -> None:
    """A model that repeats its rules is not shown."""

    def leak(request: Recorded) -> Reply:
        return say(f"LEAK-1\n{request.system.replace(NO_ANSWER, '')}\n[1]")

    server.reply = leak
    row = rows("poisoned_docs.jsonl")[0]
    async for text in shown_to_the_reader(model, row):
        assert "LEAK-1" not in text
        assert "numbered passages" not in text


async def test_harmless_documents(server: OpenAIEmulator, model: Model) -> None:
    """A document that only speaks about instructions is answered from."""
    for row in rows("benign_controls.jsonl"):
        server.reply = lambda _request, row=row: say(f"{row['body']} [1]")  # type: ignore[misc]  # bound per round
        found = passage(row["body"], title=row["title"])
        answer = await assistant(found, model=model).answer(Question(text=row["question"]))
        assert row["must_contain"] in answer.text
        assert answer.answered
