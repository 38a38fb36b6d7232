"""What `persona compare` and `persona vote` do: figures of every way of answering, and what people voted."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from adapters.cli_options import Place
from adapters.comparison_figures import MEASURES, cell, comparison_json, figure
from adapters.comparison_questions import read_asked
from adapters.errors import UsageError
from adapters.failures import DONE
from adapters.figures import count
from adapters.launch import launch
from adapters.plain import emit, json_text
from adapters.progress import ProgressLine, progress_bar
from adapters.runtime import Runtime
from adapters.terminal import open_consoles, say, show_table
from bot.advising import Advice, advise
from bot.comparing import Asked, Comparison, Told, compare
from bot.errors import CommandError
from bot.persona_data.files import DatasetFiles, dataset_files

if TYPE_CHECKING:
    from bot.style import StyleMeasure
    from bot.voting import Tally


def run_compare(
    place: Place,
    questions: Path,
    *,
    persona: str | None,
    dataset: Path | None,
    html: Path | None,
    limit: int | None,
    as_json: bool,
) -> int:
    """Ask all questions in all ways, print the figures and say which way to choose."""
    asked = read_asked(questions, limit)
    if html is not None and not html.expanduser().absolute().parent.is_dir():
        raise UsageError(f"--html {str(html)!r}: there is no folder {str(html.parent)!r}.")

    async def body(runtime: Runtime) -> int:
        out, err = open_consoles()
        name, comparison = await _compared(runtime, asked, persona, dataset, err)
        advice = advise(comparison)
        if html is not None:
            await asyncio.to_thread(_write_page, html, comparison, advice, name)
        if as_json:
            emit(json_text(comparison_json(comparison, advice, name)))
        else:
            _show(out, comparison, advice, name, html)
        return DONE

    return launch(place, body)


async def _compared(
    runtime: Runtime, asked: list[Asked], persona: str | None, dataset: Path | None, err: Console
) -> tuple[str, Comparison]:
    from adapters.comparison_ways import open_ways, passages_of

    async with AsyncExitStack() as stack:
        known = await open_ways(runtime, persona, stack)
        files = DatasetFiles(dataset) if dataset is not None else dataset_files(runtime.data, known.name)
        with progress_bar(err, "comparing") as bar:
            bar.update(done=0, total=None, step="learning the style")
            measure = await _measure(files, required=dataset is not None, err=err)
            comparison = await compare(
                asked,
                known.ways,
                lambda question: passages_of(runtime, question),
                measure,
                told=_telling(bar, len(asked) * len(known.ways)),
            )
    return known.name, replace(comparison, left_out=known.left_out)


def _telling(bar: ProgressLine, total: int) -> Told:
    return lambda done, step: bar.update(done=done, total=total, step=step)


async def _measure(files: DatasetFiles, *, required: bool, err: Console) -> StyleMeasure | None:
    """Return the style measure; None, and a line that says why, where there cannot be one."""
    from bot.style import StyleMeasure
    from bot.style_samples import read_samples

    def work() -> StyleMeasure:
        samples = read_samples((files.train, files.validation), files.replies)
        return StyleMeasure.train(samples.own, samples.others, talks=samples.talks)

    try:
        return await asyncio.to_thread(work)
    except CommandError as error:
        if required:
            raise
        say(err, f"No style score: {error}", "yellow")
        return None


def _write_page(file: Path, comparison: Comparison, advice: Advice, name: str) -> None:
    from adapters.comparison_page import comparison_page

    try:
        file.expanduser().write_text(
            comparison_page(comparison, advice, name), encoding="utf-8", errors="replace"
        )
    except OSError as error:
        raise UsageError(f"--html {str(file)!r}: cannot be written: {error.strerror}.") from None


def _show(out: Console, comparison: Comparison, advice: Advice, name: str, html: Path | None) -> None:
    columns = ["", *(f"{one.way.label.partition(' (')[0]}>" for one in comparison.ways)]
    rows = [
        [measure.label, *(cell(figure(one.figures, measure), measure) for one in comparison.ways)]
        for measure in MEASURES
    ]
    say(out, f"Persona {name}: {count(len(comparison.asked), 'question')}, with 95 % intervals", "bold")
    show_table(out, columns, rows)
    if accuracy := comparison.accuracy:
        say(
            out,
            f"Style measure: AUROC {accuracy.grouped.value:.2f} on unseen groups of {accuracy.group} replies "
            f"({accuracy.single.value:.2f} on one, {accuracy.shuffled.value:.2f} with shuffled labels)",
            "dim",
        )
    out.print()
    say(out, advice.sentence, "bold")
    for reason in advice.reasons:
        say(out, f"- {reason}")
    if html is not None:
        say(out, f"Page with charts: {html}", "dim")


def run_vote(place: Place, *, persona: str | None, as_json: bool) -> int:
    """Show how people voted on a persona, or on all of them."""

    async def body(runtime: Runtime) -> int:
        from bot.voting import BlindVotes

        out, _ = open_consoles()
        await runtime.ledger()  # its tables are of the same layer
        tallies = await BlindVotes(await runtime.engine()).tallies(persona)
        if as_json:
            emit(json_text({"personas": [tally_json(one) for one in tallies]}))
        elif not tallies:
            say(out, "Nobody has voted yet. Begin in a chat: /persona vote QUESTION")
        else:
            _show_tallies(out, tallies)
        return DONE

    return launch(place, body)


def tally_json(tally: Tally) -> dict[str, object]:
    """Return what people voted on one persona."""
    share = tally.share
    return {
        "persona": tally.persona,
        "ballots": tally.ballots,
        "voters": tally.voters,
        "voiced": tally.voiced,
        "plain": tally.plain,
        "neither": tally.neither,
        "share": None if share is None else {"value": share.value, "low": share.low, "high": share.high},
        "chance": tally.chance,
        "verdict": tally.verdict,
    }


def _show_tallies(out: Console, tallies: list[Tally]) -> None:
    rows = [
        [
            one.persona,
            *(f"{number:,}" for number in (one.ballots, one.voters, one.voiced, one.plain, one.neither)),
        ]
        for one in tallies
    ]
    show_table(
        out, ["Persona", "Ballots>", "Voters>", "For the voice>", "For plain>", "No difference>"], rows
    )
    out.print()
    for one in tallies:
        say(out, f"{one.persona}: {one.verdict}")
