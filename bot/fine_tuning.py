"""Fine-tuning at OpenAI, or at a server that speaks its protocol: upload, start, follow, cancel.

A job costs money, so none is started twice: a request whose outcome is unknown is looked up at the API
before it is made again. What was uploaded is deleted there once the job has ended.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import httpx
import openai
from openai import AsyncOpenAI, omit

from bot.llms import OPENAI_URL
from bot.training import Moment, Told, Trained, TrainingFailed, TrainingRefused, read_examples
from bot.tuning_errors import CLIENT_ERRORS, may_pass, one_line, tuning_error
from bot.tuning_events import EventReader
from bot.tuning_state import TuningFile, TuningState, new_token

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob, SupervisedHyperparametersParam
    from pydantic import SecretStr

DEFAULT_BASE = "gpt-4.1-mini-2025-04-14"
POLL_SECONDS = 5.0
LOST_SECONDS = 900.0  # how long the API may be out of reach while a job is followed

_ENDED = frozenset({"succeeded", "failed", "cancelled"})
_TIMEOUT = httpx.Timeout(60.0, write=600.0)
_MARK = "lorekeeper"
_LONGEST_SUFFIX = 18
_LOOKED_THROUGH = 200
_RETRIES = 3

Thing = TypeVar("Thing")
Pause = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to train: files in OpenAI's chat format, the model to start from; 0 epochs: the API chooses."""

    name: str
    train: Path
    validation: Path
    base: str = DEFAULT_BASE
    epochs: int = 0


def open_client(base_url: str, api_key: SecretStr | None, key_name: str) -> AsyncOpenAI:
    """Return a client of the API; raise TrainingRefused when it needs a key that is not there."""
    if api_key is None and not base_url:
        raise TrainingRefused(f"Fine-tuning needs a key. Put it into the environment variable {key_name!r}.")
    return AsyncOpenAI(
        api_key=api_key.get_secret_value() if api_key else "none",
        base_url=base_url or OPENAI_URL,
        max_retries=0,
        timeout=_TIMEOUT,
    )


class FineTuning:
    """The fine-tuning job of one persona. `told` hears of everything that changes."""

    def __init__(
        self,
        client: AsyncOpenAI,
        file: TuningFile,
        *,
        base_url: str = "",
        told: Told = lambda _moment: None,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._client = client
        self._file = file
        self._base_url = base_url
        self._told = told
        self._pause = pause

    async def start(self, plan: Plan) -> TuningState:
        """Upload the data and start the job; raise TrainingRefused when one is under way or it is refused."""
        examples = await asyncio.to_thread(read_examples, plan.train, plan.validation)
        if (under_way := self._file.read()) is not None:
            raise _busy(plan.name, under_way)
        state = TuningState(
            token=new_token(),
            base=plan.base,
            base_url=self._base_url,
            digest=examples.digest,
            train=str(plan.train.absolute()),
            validation=str(plan.validation.absolute()) if examples.validation else "",
            epochs=plan.epochs,
        )
        try:
            self._file.begin(state)
        except FileExistsError:
            raise _busy(plan.name, state) from None
        return await self._begun(plan.name, state, look=False)

    async def resume(self, name: str) -> TuningState:
        """Go on where an earlier run stopped; raise TrainingRefused when there is nothing to go on with."""
        if (state := self._file.read()) is None:
            raise TrainingRefused(f"No training of {name!r} is under way. Start one without --resume.")
        self._check_server(name, state)
        if state.job:
            return state
        examples = await asyncio.to_thread(
            read_examples, Path(state.train), Path(state.validation) if state.validation else None
        )
        if examples.digest != state.digest:
            raise TrainingRefused(
                f"The data set of {name!r} was changed after its training began. Cancel that one: lorekeeper "
                f"persona cancel {name}"
            )
        return await self._begun(name, state, look=True)

    async def follow(self, name: str, state: TuningState) -> Trained:
        """Tell how the job goes until it has ended, and return the model.

        Raise TrainingFailed when it failed or was cancelled, or when the API stays out of reach; the job is
        then still under way and the error `resumable`.
        """
        events = EventReader(self._client, state.job)
        lost = 0.0
        while True:
            try:
                job = await self._client.fine_tuning.jobs.retrieve(state.job)
                _identity(job)
                for moment in await events.new(job.status):
                    self._told(moment)
            except CLIENT_ERRORS as exc:
                if not may_pass(exc) or lost >= LOST_SECONDS:
                    raise tuning_error(exc, f"following the job {state.job!r} of {name!r}") from exc
                self._told(Moment(status="waiting", message="the API does not answer; the job goes on"))
                lost += POLL_SECONDS
            else:
                lost = 0.0
                self._told(Moment(status=job.status))
                if job.status in _ENDED:
                    return await self._ended(name, state, job, events)
            await self._pause(POLL_SECONDS)

    async def cancel(self, name: str) -> str:
        """Cancel the job that is under way and return how it stands; raise TrainingRefused when none is."""
        if (state := self._file.read()) is None:
            raise TrainingRefused(f"No training of {name!r} is under way; there is nothing to cancel.")
        self._check_server(name, state)
        job = state.job or await self._looked_up(name, state)
        status = await self._cancelled(name, job) if job else "cancelled"
        if status != "succeeded":
            await self._delete_uploads(state)
            self._file.forget()
        return status

    def finished(self) -> None:
        """Forget the job: what it made is recorded."""
        self._file.forget()

    async def _begun(self, name: str, state: TuningState, *, look: bool) -> TuningState:
        """Do what is missing of upload and start; a refusal leaves nothing behind.

        With `look`, an earlier run may have done it without noting it down.
        """
        try:
            state = await self._uploaded(state, look=look)
            return self._file.keep(state, job=await self._created(name, state, look=look))
        except TrainingRefused:
            await self._delete_uploads(self._file.read() or state)
            self._file.forget()
            raise

    async def _uploaded(self, state: TuningState, *, look: bool) -> TuningState:
        if not state.train_file:
            made = await self._upload(state, state.train, "train", look=look)
            state = self._file.keep(state, train_file=made)
        if state.validation and not state.validation_file:
            made = await self._upload(state, state.validation, "validation", look=look)
            state = self._file.keep(state, validation_file=made)
        return state

    async def _upload(self, state: TuningState, path: str, part: str, *, look: bool) -> str:
        name = f"{_MARK}-{state.token}-{part}.jsonl"
        self._told(Moment(status="uploading", message=f"uploading {Path(path).name}"))

        async def find() -> str:
            files = self._client.files.list(purpose="fine-tune", order="desc", limit=100)
            return await _first(files, lambda file: file.id if file.filename == name else "")

        async def send() -> str:
            content = await asyncio.to_thread(Path(path).read_bytes)
            return _identity(await self._client.files.create(file=(name, content), purpose="fine-tune"))

        return await self._once(find, send, f"uploading {path!r}", look=look)

    async def _created(self, name: str, state: TuningState, *, look: bool) -> str:
        self._told(Moment(status="starting", message=f"starting to train {state.base}"))

        async def send() -> str:
            chosen: SupervisedHyperparametersParam = {"n_epochs": state.epochs} if state.epochs else {}
            job = await self._client.fine_tuning.jobs.create(
                model=state.base,
                training_file=state.train_file,
                validation_file=state.validation_file or omit,
                method={"type": "supervised", "supervised": {"hyperparameters": chosen}},
                metadata={_MARK: state.token},
                suffix=_suffix(name),
            )
            return _identity(job)

        doing = f"starting the training of {name!r}"
        return await self._once(lambda: self._known_job(state), send, doing, look=look)

    async def _known_job(self, state: TuningState) -> str:
        """Return the job that was started for this state, empty when none was."""
        jobs = self._client.fine_tuning.jobs.list(limit=50, metadata={_MARK: state.token})
        return await _first(
            jobs, lambda job: job.id if (job.metadata or {}).get(_MARK) == state.token else ""
        )

    async def _once(
        self,
        find: Callable[[], Awaitable[str]],
        send: Callable[[], Awaitable[str]],
        what: str,
        *,
        look: bool,
    ) -> str:
        """Return the id that `send` made; one whose outcome is unknown is looked for before the next try."""
        attempt = 0
        while True:
            try:
                return (await find() if look or attempt else "") or await send()
            except CLIENT_ERRORS as exc:
                if not may_pass(exc) or attempt == _RETRIES:
                    raise tuning_error(exc, what) from exc
            attempt += 1
            await self._pause(2.0**attempt)

    async def _looked_up(self, name: str, state: TuningState) -> str:
        try:
            return await self._known_job(state)
        except CLIENT_ERRORS as exc:
            raise tuning_error(exc, f"looking up the training of {name!r}") from exc

    async def _cancelled(self, name: str, job: str) -> str:
        try:
            if (status := (await self._client.fine_tuning.jobs.retrieve(job)).status) in _ENDED:
                return status
            return (await self._client.fine_tuning.jobs.cancel(job)).status
        except CLIENT_ERRORS as exc:
            raise tuning_error(exc, f"cancelling the job {job!r} of {name!r}") from exc

    async def _ended(self, name: str, state: TuningState, job: FineTuningJob, events: EventReader) -> Trained:
        notes = await self._delete_uploads(state)
        if job.status == "succeeded" and job.fine_tuned_model:
            return Trained(
                model=job.fine_tuned_model,
                base=job.model,
                backend="openai",
                job=job.id,
                base_url=state.base_url,
                tokens=job.trained_tokens or 0,
                loss=events.loss,
                validation_loss=events.validation_loss,
                notes=notes,
            )
        self._file.forget()
        why = f": {one_line(job.error.message)}" if job.error and job.error.message else ""
        raise TrainingFailed(
            f"The job {job.id!r} of {name!r} {_HOW[job.status]}{why}. Its persona is as before."
        )

    async def _delete_uploads(self, state: TuningState) -> tuple[str, ...]:
        """Delete the data at the API; return a note for each file that is still there."""
        kept = []
        for file in filter(None, (state.train_file, state.validation_file)):
            try:
                await self._client.files.delete(file)
            except openai.NotFoundError:
                continue
            except CLIENT_ERRORS:
                kept.append(f"The uploaded file {file!r} could not be deleted. Delete it at the API.")
        return tuple(kept)

    def _check_server(self, name: str, state: TuningState) -> None:
        if state.base_url != self._base_url:
            raise TrainingRefused(
                f"The training of {name!r} is under way at {state.base_url or OPENAI_URL!r}, not at "
                f"{self._base_url or OPENAI_URL!r}. Set base_url of the persona as it was."
            )


_HOW = {"failed": "failed", "cancelled": "was cancelled", "succeeded": "ended without a model"}


def _busy(name: str, state: TuningState) -> TrainingRefused:
    job = f" ({state.job})" if state.job else ""
    return TrainingRefused(
        f"A training of {name!r} is under way{job}. Follow it with --resume, or cancel it: "
        f"lorekeeper persona cancel {name}"
    )


async def _first(things: AsyncIterable[Thing], fitting: Callable[[Thing], str]) -> str:
    """Return the id that `fitting` finds first among the latest things, empty when it finds none."""
    seen = 0
    async for thing in things:
        if (found := fitting(thing)) or seen == _LOOKED_THROUGH:
            return found
        seen += 1
    return ""


def _identity(made: object) -> str:
    """Return the id of what the API sent; a page of HTML, say a proxy's, comes as a text without one."""
    if isinstance(identity := getattr(made, "id", None), str):
        return identity
    raise TrainingFailed("The server sent what is no answer. Check the persona's base_url.", resumable=True)


def _suffix(name: str) -> str:
    """Return a persona's name as a part of a model's id: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LONGEST_SUFFIX].strip("-") or "persona"
