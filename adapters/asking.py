"""What `ask` and `search` do: one question to a person, or a file of them to a program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from adapters.cli_options import Place
from adapters.contracts import search_json
from adapters.errors import UsageError
from adapters.failures import DONE
from adapters.launch import launch
from adapters.plain import emit, json_line, json_text
from adapters.questions import AskedLine, read_questions
from adapters.runtime import Runtime
from adapters.terminal import open_consoles, say, show_answer, show_search
from bot.answer_json import answer_json
from bot.messages import Asker, Question
from kb.documents import Audience

if TYPE_CHECKING:
    from kb.retriever import SearchResult

Reply = Callable[[str], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What was asked for on the command line. `file` takes the place of `question`."""

    question: str
    file: Path | None
    audience: tuple[str, ...]
    sources: tuple[str, ...]
    as_json: bool

    def for_bot(self, text: str, persona: str | None = None) -> Question:
        """Return a question as the assistant takes it."""
        asker = Asker(audience=Audience(frozenset(self.audience)))
        return Question(text=text, asker=asker, sources=self.sources, persona=persona)


def run_ask(place: Place, request: Ask, *, persona: str | None) -> int:
    """Answer and return the exit code."""
    lines = _lines(request)

    async def body(runtime: Runtime) -> int:
        runtime.preload(answers=True)
        out, err = open_consoles()
        if persona is not None:
            await _check_persona(runtime, persona)
        await _prepare(runtime, request, err)
        assistant = await runtime.assistant()

        async def reply(text: str) -> dict[str, Any]:
            return answer_json(await assistant.answer(request.for_bot(text, persona)))

        if lines is not None:
            return await _reply_to_lines(lines, reply)
        answer = await assistant.answer(request.for_bot(request.question, persona))
        if request.as_json:
            emit(json_text(answer_json(answer)))
        else:
            show_answer(out, answer)
        return DONE

    return launch(place, body)


def run_search(place: Place, request: Ask, *, limit: int) -> int:
    """Search and return the exit code."""
    lines = _lines(request)

    async def body(runtime: Runtime) -> int:
        runtime.preload()
        out, err = open_consoles()
        await _prepare(runtime, request, err)
        searcher = await runtime.searcher()
        audience = Audience(frozenset(request.audience))

        async def find(text: str) -> SearchResult:
            return await searcher.search(text, audience=audience, sources=request.sources, limit=limit)

        async def reply(text: str) -> dict[str, Any]:
            return search_json(text, await find(text), limit)

        if lines is not None:
            return await _reply_to_lines(lines, reply)
        if request.as_json:
            emit(json_text(await reply(request.question)))
            return DONE
        result = await find(request.question)
        show_search(out, result, limit)
        if not result.passages:
            say(err, "Nothing was found. What is indexed: lorekeeper status", "yellow")
        return DONE

    return launch(place, body)


def _lines(request: Ask) -> list[AskedLine] | None:
    return None if request.file is None else read_questions(request.file)


async def _reply_to_lines(lines: list[AskedLine], reply: Reply) -> int:
    for line in lines:
        emit(json_line({"id": line.id, **await reply(line.question)}))
    return DONE


async def _check_persona(runtime: Runtime, persona: str) -> None:
    """Refuse a persona that cannot speak."""
    settings = runtime.settings
    if not settings.persona.enabled:
        raise UsageError(f"--persona {persona!r}: personas are switched off. Set [persona] enabled to true.")
    from bot.personas import choose_model

    choice = choose_model(persona, await runtime.personas())
    if choice.voice is None:
        raise UsageError(f"--persona {persona!r}: {choice.reason}")


async def _prepare(runtime: Runtime, request: Ask, err: Console) -> None:
    """Refuse unknown sources, and say how to begin while nothing is indexed."""
    commands = await runtime.commands()
    if request.sources:
        await commands.select(request.sources)
    overviews = await commands.overview()
    if any(overview.state.nodes for overview in overviews):
        return
    if overviews:  # without a source the answer itself says how to begin
        say(err, "Nothing is indexed yet. Run: lorekeeper sync", "yellow")
