"""`lorekeeper doctor`: one check after another, each with what to do about what it finds."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from adapters.cli_options import Place
from adapters.errors import Remark, SettingsError, UsageError
from adapters.failures import DONE, FAILED, WRONG_USAGE, describe
from adapters.figures import count, duration, size
from adapters.launch import launch
from adapters.plain import emit, json_text, single_line
from adapters.runtime import Runtime, model_names
from adapters.settings import (
    Settings,
    check_platform_secrets,
    check_secrets,
    find_config,
    load_settings,
    read_discord_token,
    read_slack_secrets,
)
from adapters.terminal import open_consoles
from bot.commands import SourceOverview
from kb.sources import AnySource, GitSource

log = logging.getLogger(__name__)

Outcome = Literal["ok", "warning", "failed"]

_SPARE_BYTES = 500_000_000
_SOURCE_SECONDS = 30
_SIGNS: dict[Outcome, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "warning": ("note", "yellow"),
    "failed": ("FAIL", "red"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found; `detail` also says what to do when something is wrong."""

    check: str
    outcome: Outcome
    detail: str


def run_doctor(place: Place, *, as_json: bool) -> int:
    """Run all checks and return the exit code."""
    out, _ = open_consoles()
    findings = [Finding(check="Python", outcome="ok", detail=_python())]
    settings, finding = _settings(place)
    findings.append(finding)
    if settings is None:
        _tell(out, findings, as_json=as_json)
        return WRONG_USAGE

    async def body(runtime: Runtime) -> int:
        findings.extend([finding async for finding in _examine(runtime)])
        _tell(out, findings, as_json=as_json)
        return FAILED if any(finding.outcome == "failed" for finding in findings) else DONE

    return launch(place, body, settings=settings)


def _settings(place: Place) -> tuple[Settings | None, Finding]:
    try:
        file = find_config(place.config)
        settings = load_settings(place.config, place.data)
        check_secrets(settings)
        check_platform_secrets(settings)
    except SettingsError as error:
        return None, Finding(check="Settings", outcome="failed", detail=str(error))
    return settings, Finding(check="Settings", outcome="ok", detail=str(file or "built-in defaults"))


async def _examine(runtime: Runtime) -> AsyncIterator[Finding]:
    yield await _found("Data folder", lambda: _data_folder(runtime.data))
    yield await _found("Embedding", lambda: _embedding(runtime))
    yield await _found("Database", lambda: _database(runtime))
    yield await _found("Index", lambda: _index(runtime))
    yield await _found("Answers", lambda: _model(runtime))
    yield await _found("Schedule", lambda: _schedule(runtime))
    async for finding in _platforms(runtime.settings):
        yield finding
    sources = await _sources(runtime)
    yield await _found("git", lambda: _git(sources))
    for source in sources:
        yield await _found(f"Source {source.name}", partial(_source, runtime, source))


async def _platforms(settings: Settings) -> AsyncIterator[Finding]:
    """Ask each chat platform that is switched on whether it lets the bot in; nothing is posted."""
    if settings.slack.enabled:
        from adapters.slack import checking as slack

        secrets = read_slack_secrets(settings.slack)
        yield await _found("Slack", lambda: slack.check_bot(settings.slack, secrets))
        if settings.slack.mode == "socket":
            yield await _found("Slack events", lambda: slack.check_socket(settings.slack, secrets))
    if settings.discord.enabled:
        from adapters.discord import checking as discord

        token = read_discord_token(settings.discord)
        yield await _found("Discord", lambda: discord.check_bot(settings.discord, token, settings.channels))


async def _found(check: str, work: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(check=check, outcome="ok", detail=await work())
    except Remark as remark:
        return Finding(check=check, outcome="warning", detail=str(remark))
    except Exception as error:  # one check that breaks must not keep the others from running
        known = describe(error)
        if known is None:
            log.exception("check %r broke", check)
        return Finding(check=check, outcome="failed", detail=known or f"{type(error).__name__}: {error}")


def _python() -> str:
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.prefix}"


async def _data_folder(data: Path) -> str:
    existing = next(folder for folder in (data, *data.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(13, "cannot be written", str(existing))
    free = shutil.disk_usage(existing).free
    if free < _SPARE_BYTES:
        raise Remark(f"{data}: only {size(free)} free. A sync stops when the disk is full.")
    return f"{data}, {size(free)} free"


async def _embedding(runtime: Runtime) -> str:
    embedder = await runtime.embedder()
    began = time.perf_counter()
    await embedder.embed_question("Is anybody there?")
    name, _ = model_names(runtime.settings)
    return f"{name}, {embedder.dimension} dimensions, a question in {duration(time.perf_counter() - began)}"


async def _database(runtime: Runtime) -> str:
    engine = await runtime.engine()
    return engine.url.render_as_string(hide_password=True)


async def _index(runtime: Runtime) -> str:
    store = await runtime.store()
    counts = await store.counts()
    states = await (await runtime.manifest()).states()
    expected = sum(state.nodes for state in states.values())
    if store.repairs:
        raise Remark(f"Repaired: {'; '.join(store.repairs)}. Run: lorekeeper sync")
    if counts.nodes != expected:
        raise Remark(f"{counts.nodes:,} passages, {expected:,} expected. Run: lorekeeper sync")
    return f"{count(counts.documents, 'document')}, {count(counts.nodes, 'passage')}, {size(counts.bytes)}"


async def _model(runtime: Runtime) -> str:
    _, name = model_names(runtime.settings)
    model = await runtime.model()
    if model is None:
        return name
    from bot.spending import Spent

    began = time.perf_counter()
    await model.complete("Reply with the word yes.", Spent())
    return f"{name}, answered in {duration(time.perf_counter() - began)}"


async def _schedule(runtime: Runtime) -> str:
    overviews = await (await runtime.commands()).overview()
    if late := _names(overview for overview in overviews if overview.hung or overview.overdue):
        raise Remark(f"hung or overdue: {late}. See that `lorekeeper serve` runs, or run: lorekeeper sync")
    if failing := _names(overview for overview in overviews if overview.attention):
        raise Remark(f"failing again and again: {failing}. See: lorekeeper status")
    if not runtime.settings.schedule.enabled:
        raise Remark("switched off by [schedule] enabled. Nothing is synced by itself.")
    paused = sum(bool(overview.schedule and overview.schedule.paused) for overview in overviews)
    return f"{count(len(overviews), 'source')}, {paused:,} paused"


def _names(overviews: Iterable[SourceOverview]) -> str:
    return ", ".join(overview.name for overview in overviews)


async def _git(sources: list[AnySource]) -> str:
    path = shutil.which("git")
    if path is None:
        message = "not installed. Sources of the type git need it."
        if any(isinstance(source, GitSource) for source in sources):
            raise UsageError(f"git is {message}")
        raise Remark(message)
    return path


async def _source(runtime: Runtime, source: AnySource) -> str:
    try:
        async with asyncio.timeout(_SOURCE_SECONDS):
            has_documents = await (await runtime.commands()).lists(source)
    except TimeoutError:
        raise Remark(f"{source.location}: no answer within {_SOURCE_SECONDS} s.") from None
    if not has_documents:
        raise Remark(f"{source.location}: can be read and lists no documents.")
    return source.location


async def _sources(runtime: Runtime) -> list[AnySource]:
    """Return the sources; a database that cannot be opened has been told already."""
    finding = await _found("Sources", lambda: _count_sources(runtime))
    if finding.outcome == "failed":
        return list(runtime.settings.sources)
    return await (await runtime.commands()).sources()


async def _count_sources(runtime: Runtime) -> str:
    return count(len(await (await runtime.commands()).sources()), "source")


def _tell(out: Console, findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        emit(json_text([asdict(finding) for finding in findings]))
        return
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        sign, style = _SIGNS[finding.outcome]
        line = Text(f"{sign:<5}", style=style)
        line.append(f"{finding.check:<{width}}  ", style="bold")
        line.append(single_line(finding.detail))
        out.print(line)
