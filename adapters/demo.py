"""`lorekeeper demo`: the main job shown on the documents that ship with the program."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from adapters.cli_options import Place
from adapters.collector import let_in
from adapters.failures import DONE
from adapters.figures import count, duration
from adapters.launch import log_into
from adapters.progress import progress_bar
from adapters.resources import documents_folder, own_data_folder
from adapters.runtime import Runtime
from adapters.settings import Settings, load_settings
from adapters.terminal import open_consoles, say, show_answer
from bot.messages import Answer, Conversation, Question, Turn
from kb.reports import Progress, SyncReport
from kb.settings import DataSettings
from kb.sources import FolderSource

QUESTIONS = (
    "What happens after a power cut?",
    "How do I remove a source?",
    "How do I connect it to Microsoft Teams?",
)
_REMEMBERED_TURNS = 6


def run_demo(place: Place) -> int:
    """Show the demo and, on a terminal, chat until the user leaves."""
    settings = _settings(place)
    place.log_folder = settings.data.path / "logs"
    log_into(place.log_folder)
    out, err = open_consoles()
    with asyncio.Runner() as runner:
        let_in(runner.get_loop())
        runtime = Runtime(settings)
        try:
            runner.run(_show(runtime, out, err))
            if sys.stdin.isatty() and sys.stdout.isatty():
                _chat(runner, runtime, out)
            else:
                say(out, "Next, your own documents: lorekeeper sources add FOLDER")
        finally:
            runner.run(runtime.close())
    return DONE


def _settings(place: Place) -> Settings:
    """Built-in defaults, whatever settings lie about, unless a file is named on purpose."""
    settings = load_settings(place.config) if place.config else Settings.model_construct()
    data = (Path.cwd() / place.data) if place.data else own_data_folder() / "demo"
    source = FolderSource(name="docs", location=str(documents_folder()), include=("*.md",))
    return settings.model_copy(update={"data": DataSettings(path=data), "sources": (source,)})


async def _show(runtime: Runtime, out: Console, err: Console) -> None:
    runtime.preload(answers=True)
    source = runtime.settings.sources[0]
    say(out, "Lorekeeper answers from documents. This demo asks its own documentation.", "bold")
    began = time.perf_counter()
    with progress_bar(err, "indexing") as bar:

        def progress(moment: Progress) -> None:
            bar.update(done=moment.done, total=moment.total or None, step=moment.phase)

        # The folder is the program's own: what is gone from it is gone on purpose.
        report = await (await runtime.commands()).sync(source, allow_deletes=True, progress=progress)
    say(out, f"{_indexed(report)}, ready in {duration(time.perf_counter() - began)}", "dim")
    assistant = await runtime.assistant()
    for question in QUESTIONS:
        _title(out, question)
        show_answer(out, await assistant.answer(Question(text=question)))
    out.print()


def _chat(runner: asyncio.Runner, runtime: Runtime, out: Console) -> None:
    """Ask for questions until an empty line, `exit`, Ctrl-D or Ctrl-C."""
    say(out, "Ask about Lorekeeper. An empty line ends.", "bold")
    conversation = Conversation(id="demo")
    while question := _read_line():
        answer = runner.run(_answer(runtime, question, conversation))
        out.print()
        show_answer(out, answer)
        out.print()
        turns = (*conversation.turns, Turn(question=question, answer=answer.text))
        conversation = Conversation(id="demo", turns=turns[-_REMEMBERED_TURNS:])


async def _answer(runtime: Runtime, question: str, conversation: Conversation) -> Answer:
    assistant = await runtime.assistant()
    return await assistant.answer(Question(text=question, conversation=conversation))


def _read_line() -> str:
    try:
        line = input("> ").strip()
    except (EOFError, KeyboardInterrupt):
        os.write(sys.stdout.fileno(), b"\n")
        return ""
    return "" if line.lower() in {"exit", "quit"} else line


def _title(out: Console, question: str) -> None:
    out.print()
    if out.is_terminal:
        out.print(Rule(Text(question, style="bold"), align="left", style="dim"))
    else:
        say(out, f"> {question}")


def _indexed(report: SyncReport) -> str:
    changed = report.added + report.updated
    known = changed + report.unchanged
    if not changed:
        return f"{count(known, 'document')} up to date"
    return f"{count(known, 'document')}, {count(report.embedded_nodes, 'passage')} embedded"
