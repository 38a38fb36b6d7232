"""What `persona dataset` does: exports and a consent file in, training data and a report out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console

from adapters.cli_options import Place
from adapters.errors import UsageError
from adapters.failures import DONE
from adapters.launch import launch
from adapters.plain import emit, json_text, printable
from adapters.progress import ProgressLine, progress_bar
from adapters.runtime import Runtime
from adapters.settings import Settings
from adapters.terminal import open_consoles, say
from bot.persona_data.consent import read_consent
from bot.persona_data.exports import Export, recognise
from bot.persona_data.files import DatasetFiles, dataset_files
from bot.persona_settings import PERSONA_NAME, VoiceSettings
from bot.personas import Personas

if TYPE_CHECKING:
    from bot.persona_data.building import Gathered, Progress, Told, Wish
    from bot.persona_data.reporting import Report
    from bot.persona_data.said import Found

LEDGER = "ledger"
_EXTRA = ("datasketch", "detect_secrets", "phonenumbers")
_SAMPLES_SHOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for on the command line."""

    speakers: tuple[str, ...]
    exports: tuple[str, ...]
    consent: Path
    persona: str | None = None
    out: Path | None = None
    others: Literal["leave-out", "unnamed"] = "leave-out"
    drafts: Literal["plain", "model"] = "plain"
    limit: int = 5000
    validation: float = 0.1
    region: str = "US"
    price: float = 5.0
    epochs: int = 3
    force: bool = False


def run_dataset(place: Place, asked: Asked, *, as_json: bool) -> int:
    """Make the data set and say what it is made of."""
    _need_extra()

    async def body(runtime: Runtime) -> int:
        out, err = open_consoles()
        name, voice = _voice(runtime.settings, asked.persona)
        files = DatasetFiles(asked.out) if asked.out else dataset_files(runtime.data, name)
        _keep_earlier(files, force=asked.force)
        if asked.drafts == "model" and runtime.settings.llm.provider == "none":
            raise UsageError("--drafts model: no model is set up. Set [llm] provider and model.")
        with progress_bar(err, "data set") as bar:
            report = await _build(runtime, asked, name, voice, files, bar)
        if as_json:
            emit(json_text(report.as_json()))
        else:
            _show(out, err, report, files)
        return DONE

    return launch(place, body)


async def _build(
    runtime: Runtime, asked: Asked, name: str, voice: VoiceSettings, files: DatasetFiles, bar: ProgressLine
) -> Report:
    """Read and write beside the loop; the ledger and the model are asked on it."""
    from bot.persona_data.building import finish, gather
    from bot.persona_data.wording import VoiceWording

    def told(progress: Progress) -> None:
        bar.update(done=progress.done, total=progress.total, step=progress.step)

    wish = _wish(asked, name)
    wording = VoiceWording(voice, voice.description.strip() or name)
    exports = await asyncio.to_thread(_recognised, asked.exports)
    liked = await _liked(runtime) if LEDGER in asked.exports else ()
    gathered = await asyncio.to_thread(gather, wish, exports, liked, told)
    drafts = await asyncio.to_thread(gathered.drafts)
    if wish.model_drafts:
        drafts = await _model_drafts(runtime, gathered, drafts, told)
    return await asyncio.to_thread(finish, wish, gathered, drafts, wording, files, told)


def _wish(asked: Asked, name: str) -> Wish:
    from bot.persona_data.building import Wish

    return Wish(
        persona=name,
        speakers=asked.speakers,
        consent=read_consent(asked.consent),
        unnamed=asked.others == "unnamed",
        model_drafts=asked.drafts == "model",
        limit=asked.limit,
        share=asked.validation,
        region=asked.region,
        price=asked.price,
        epochs=asked.epochs,
    )


def _recognised(exports: Sequence[str]) -> list[Export]:
    paths = dict.fromkeys(Path(one) for one in exports if one != LEDGER)
    return [export for path in paths for export in recognise(path)]


async def _liked(runtime: Runtime) -> list[Found]:
    from bot.persona_data.rated_answers import liked_answers

    await runtime.ledger()  # its tables at this release's version
    return [found async for found in liked_answers(await runtime.engine())]


async def _model_drafts(runtime: Runtime, gathered: Gathered, plain: list[str], told: Told) -> list[str]:
    from bot.persona_data.building import Progress
    from bot.persona_data.drafting import ModelDrafts
    from bot.spending import Spent

    model = await runtime.model()
    if model is None:
        return plain
    replies = [one.reply.text for one in gathered.chosen]
    drafts = ModelDrafts(model, Spent())
    return await drafts.write(
        replies, plain, lambda done: told(Progress(step="drafting", done=done, total=len(replies)))
    )


def _voice(settings: Settings, wanted: str | None) -> tuple[str, VoiceSettings]:
    """Return the persona's name and voice; one that is not in the settings yet has none of its own."""
    personas = Personas(settings=settings.persona, others=settings.personas)
    name = personas.proper(wanted or settings.persona.name)
    if not re.match(PERSONA_NAME, name):
        raise UsageError(f"--persona {name!r} is no name. Use letters, digits, dots, - and _.")
    return name, personas.voice(name) or VoiceSettings.model_validate({})


def _keep_earlier(files: DatasetFiles, *, force: bool) -> None:
    if files.folder.exists() and not files.folder.is_dir():
        raise UsageError(f"{str(files.folder)!r} is a file. Name a folder: --out DIR.")
    if not force and (files.train.exists() or files.validation.exists()):
        raise UsageError(
            f"{str(files.folder)!r} holds a data set. Write over it: --force; or name another: --out."
        )


def _need_extra() -> None:
    from importlib.util import find_spec

    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        raise UsageError(f"{missing[0]!r} is not installed. Install it: pip install 'lorekeeper[persona]'.")


def _show(out: Console, err: Console, report: Report, files: DatasetFiles) -> None:
    lines = printable(report.as_text()).rstrip("\n").split("\n")
    samples = [number for number, line in enumerate(lines) if line.startswith("Sample (")]
    shown = lines if len(samples) <= _SAMPLES_SHOWN else lines[: samples[_SAMPLES_SHOWN] - 1]
    for line in shown:
        if line.startswith("Warning: "):
            say(err, line, "yellow")
        else:
            out.print(line)
    say(
        out,
        f"Wrote {files.folder}. Read report.txt and some of train.jsonl there: what is in it, the model will "
        f"say. Next: lorekeeper persona train {report.persona}",
        "green",
    )
