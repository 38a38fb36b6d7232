"""What `persona train` and `persona cancel` do: a training followed on the terminal, its model recorded."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from rich.console import Console

from adapters.cli_options import Place
from adapters.errors import UsageError
from adapters.failures import DONE
from adapters.launch import launch
from adapters.plain import emit, json_text
from adapters.progress import ProgressLine, progress_bar
from adapters.runtime import Runtime
from adapters.settings import read_variable
from adapters.terminal import open_consoles, say
from bot.persona_data.files import DatasetFiles, dataset_files, persona_folder
from bot.persona_settings import PERSONA_NAME, VoiceSettings
from bot.personas import Personas
from bot.training import ADVISED_EXAMPLES, Backend, Examples, Moment, Trained, read_examples

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_EXTRA = ("torch", "transformers", "peft")
_PASSES, _PASSES_UNCHECKED = 10, 3  # of an adapter; with validation examples it stops by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What was asked for, with the settings of the persona it is for."""

    name: str
    voice: VoiceSettings
    known: bool
    base_url: str
    files: DatasetFiles
    out: Path
    base: str
    epochs: int
    resume: bool


def run_train(
    place: Place,
    name: str,
    *,
    backend: Backend,
    base: str | None,
    dataset: Path | None,
    out: Path | None,
    epochs: int | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Train a voice, follow the training to its end and record its model."""
    if backend == "lora":
        _need_extra()
    elif out is not None:
        raise UsageError("--out is the folder of an adapter: add --backend lora, or leave it out.")
    choice = " --backend lora" if backend == "lora" else ""
    place.when_stopped = f"stopped; go on with: lorekeeper persona train {name}{choice} --resume"

    async def body(runtime: Runtime) -> int:
        wish = _wish(runtime, name, base=base, dataset=dataset, out=out, epochs=epochs, resume=resume)
        _, err = open_consoles()
        with progress_bar(err, wish.name) as bar:
            shown = _Shown(err, bar)
            trained = await (_adapted if backend == "lora" else _tuned)(runtime, wish, shown)
        _report(wish, trained, as_json=as_json)
        return DONE

    return launch(place, body)


def run_cancel(place: Place, name: str, *, as_json: bool) -> int:
    """Cancel the fine-tuning job of a persona."""

    async def body(runtime: Runtime) -> int:
        from bot.fine_tuning import FineTuning
        from bot.tuning_state import TuningFile

        wish = _wish(runtime, name)
        async with _client(wish) as client:
            tuning = FineTuning(client, TuningFile(_state(runtime, wish)), base_url=wish.base_url)
            status = await tuning.cancel(wish.name)
        if as_json:
            emit(json_text({"persona": wish.name, "status": status}))
        elif status == "succeeded":
            say(open_consoles()[0], f"Too late: the training of {wish.name} has succeeded. Record its model: "
                f"lorekeeper persona train {wish.name} --resume")  # fmt: skip
        else:
            say(open_consoles()[0], f"The training of {wish.name} is {status}. Its persona is as before.")
        return DONE

    return launch(place, body)


async def _tuned(runtime: Runtime, wish: _Wish, shown: _Shown) -> Trained:
    """Train at the API. What it made is recorded before the job is forgotten."""
    from bot.fine_tuning import DEFAULT_BASE, FineTuning, Plan
    from bot.tuned_models import TunedModels
    from bot.tuning_state import TuningFile

    if not wish.resume:
        shown.examples(await asyncio.to_thread(read_examples, wish.files.train, wish.files.validation))
    await runtime.ledger()  # the tables at this release's version, before anything costs money
    models = TunedModels(await runtime.engine())
    async with _client(wish) as client:
        file = TuningFile(_state(runtime, wish))
        tuning = FineTuning(client, file, base_url=wish.base_url, told=shown.told)
        if wish.resume:
            state = await tuning.resume(wish.name)
        else:
            plan = Plan(
                name=wish.name,
                train=wish.files.train,
                validation=wish.files.validation,
                base=wish.base or DEFAULT_BASE,
                epochs=wish.epochs,
            )
            state = await tuning.start(plan)
        shown.line(f"following the job {state.job}; Ctrl-C leaves it running")
        trained = await tuning.follow(wish.name, state)
        await models.keep(wish.name, trained)
        tuning.finished()
    return trained


async def _adapted(runtime: Runtime, wish: _Wish, shown: _Shown) -> Trained:
    """Train an adapter on this machine, in a thread that ends soon after the command is stopped."""
    from bot.lora_files import AdapterFiles
    from bot.tuned_models import TunedModels

    base = wish.base or (AdapterFiles(wish.out).begun_with() if wish.resume else "")
    if not base and not wish.resume:
        raise UsageError("--backend lora needs --base: a model's folder, or its id such as Qwen/Qwen3-1.7B.")
    await runtime.ledger()
    examples = await asyncio.to_thread(read_examples, wish.files.train, wish.files.validation)
    shown.examples(examples)
    stop = Event()
    try:
        trained = await asyncio.to_thread(_train_adapter, wish, base, examples, shown, stop)
    finally:
        stop.set()
    await TunedModels(await runtime.engine()).keep(wish.name, trained)
    return trained


def _train_adapter(wish: _Wish, base: str, examples: Examples, shown: _Shown, stop: Event) -> Trained:
    from bot.lora import LoraPlan, train_lora

    passes = wish.epochs or (_PASSES if examples.validation else _PASSES_UNCHECKED)
    plan = LoraPlan(name=wish.name, base=base, out=wish.out, epochs=passes)
    return train_lora(plan, examples, shown.told, stop, resume=wish.resume)


class _Shown:
    """Shows how a training goes: a bar on a terminal, and a line for whatever is worth keeping."""

    def __init__(self, console: Console, bar: ProgressLine) -> None:
        self._console = console
        self._bar = bar
        self._latest = Moment(status="starting")
        self._waiting = False

    def told(self, moment: Moment) -> None:
        """Take in one moment; called from a training's thread as well."""
        before, self._latest = self._latest, _joined(self._latest, moment)
        self._bar.update(
            done=self._latest.step, total=self._latest.steps or None, step=_figures(self._latest)
        )
        waiting = moment.status == "waiting"
        if moment.message and not (waiting and self._waiting):
            figures = f": {_figures(self._latest)}" if moment.validation_loss is not None else ""
            self.line(f"{moment.message}{figures}")
        elif moment.validation_loss is not None:
            self.line(f"step {moment.step} of {moment.steps}: {_figures(self._latest)}")
        elif moment.status != before.status and not waiting:
            self.line(moment.status.replace("_", " "))
        self._waiting = waiting

    def examples(self, examples: Examples) -> None:
        """Say what is trained on."""
        count = len(examples.train)
        self.line(f"{count:,} examples to learn, {len(examples.validation):,} to validate with")
        if count < ADVISED_EXAMPLES:
            advice = f"{count} examples are few: below {ADVISED_EXAMPLES} a voice is hardly learnt"
            say(self._console, advice, "yellow")

    def line(self, text: str) -> None:
        """Print one line above the bar."""
        say(self._console, text, "dim")


def _joined(before: Moment, now: Moment) -> Moment:
    """Return the latest that is known: a moment says only what is new."""
    return Moment(
        status=now.status,
        step=max(now.step, before.step),
        steps=now.steps or before.steps,
        loss=before.loss if now.loss is None else now.loss,
        validation_loss=before.validation_loss if now.validation_loss is None else now.validation_loss,
    )


def _figures(moment: Moment) -> str:
    parts = [
        f"loss {moment.loss:.3f}" if moment.loss is not None else "",
        f"validation loss {moment.validation_loss:.3f}" if moment.validation_loss is not None else "",
    ]
    return ", ".join(filter(None, parts)) or moment.status.replace("_", " ")


def _report(wish: _Wish, trained: Trained, *, as_json: bool) -> None:
    serve = _serving(trained)
    if as_json:
        emit(json_text({"persona": wish.name, **asdict(trained), **({"serve": serve} if serve else {})}))
        return
    out, err = open_consoles()
    figures = _figures(Moment(status="", loss=trained.loss, validation_loss=trained.validation_loss))
    tokens = f"{trained.tokens:,} tokens" if trained.tokens else ""
    made = f"an adapter in {trained.job}" if trained.backend == "lora" else trained.model
    say(out, f"Trained {wish.name}: {made}", "green")
    say(out, f"from {trained.base}; {', '.join(filter(None, (figures, tokens)))}")
    for note in trained.notes:
        say(err, note, "yellow")
    if serve:
        now = f" (it is {wish.base_url!r} now)" if wish.base_url else ""
        say(out, f"Serve it: {serve}")
        say(out, f"Then set base_url of the persona {wish.name} to http://localhost:8000/v1{now}")
    if not wish.known:
        say(out, f"The settings do not name the persona {wish.name} yet: add [[personas]] with that name.")
    say(out, "Next: lorekeeper persona compare QUESTIONS, to see whether it is worth it")


def _serving(trained: Trained) -> str:
    if trained.backend != "lora":
        return ""
    from bot.lora_files import serving_line

    return serving_line(trained.model, trained.base, Path(trained.job))


def _wish(
    runtime: Runtime,
    wanted: str,
    *,
    base: str | None = None,
    dataset: Path | None = None,
    out: Path | None = None,
    epochs: int | None = None,
    resume: bool = False,
) -> _Wish:
    settings = runtime.settings
    personas = Personas(settings=settings.persona, others=settings.personas)
    name = personas.proper(wanted)
    if not re.match(PERSONA_NAME, name):
        raise UsageError(f"{name!r} is no name of a persona. Use letters, digits, dots, - and _.")
    found = personas.voice(name)
    voice = found or VoiceSettings.model_validate({})
    shared = settings.llm.base_url if settings.llm.provider != "none" else ""
    return _Wish(
        name=name,
        voice=voice,
        known=found is not None,
        base_url=voice.base_url or shared,
        files=DatasetFiles(dataset) if dataset else dataset_files(runtime.data, name),
        out=out or persona_folder(runtime.data, name) / "adapter",
        base=base or "",
        epochs=epochs or 0,
        resume=resume,
    )


def _client(wish: _Wish) -> AsyncOpenAI:
    from bot.fine_tuning import open_client

    variable = wish.voice.api_key_env
    return open_client(wish.base_url, read_variable(variable), variable)


def _state(runtime: Runtime, wish: _Wish) -> Path:
    return persona_folder(runtime.data, wish.name) / "training.json"


def _need_extra() -> None:
    from importlib.util import find_spec

    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        raise UsageError(f"{missing[0]!r} is not installed. Install it: pip install 'lorekeeper[lora]'.")
