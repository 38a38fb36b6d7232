"""Training a voice: what is told while it runs, what comes of it, and what it learns from.

TrainingRefused (CommandError)   the training cannot be done as it was asked for
TrainingFailed (BotError)        it was begun and did not end well; `resumable` when it may still
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.errors import BotError, CommandError
from bot.persona_data.chat_format import FEWEST_EXAMPLES, Message, faults

Backend = Literal["openai", "lora"]

ADVISED_EXAMPLES = 50


class TrainingRefused(CommandError):
    """The training cannot be done as it was asked for."""


class TrainingFailed(BotError):
    """The training was begun and did not end well; what is `resumable` may be followed further."""

    def __init__(self, message: str, *, resumable: bool = False) -> None:
        super().__init__(message)
        self.resumable = resumable


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How far a training is. `step` counts to `steps`; a loss is None where nothing new is known of it."""

    status: str
    step: int = 0
    steps: int = 0
    loss: float | None = None
    validation_loss: float | None = None
    message: str = ""


Told = Callable[[Moment], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model that speaks in the voice. `job` is the API's id of the training, or the adapter's folder."""

    model: str
    base: str
    backend: Backend
    job: str
    base_url: str = ""
    tokens: int = 0
    loss: float | None = None
    validation_loss: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The examples of one data set, and a digest of its files."""

    train: Sequence[Sequence[Message]]
    validation: Sequence[Sequence[Message]]
    digest: str


def read_examples(train: Path, validation: Path | None) -> Examples:
    """Return what the two files hold; raise TrainingRefused when they are no data set to train on.

    `validation` may be None, absent or empty: then nothing is validated.
    """
    if not train.is_file():
        raise TrainingRefused(
            f"There is no data set at {str(train)!r}. Make one: lorekeeper persona dataset, or name its "
            "folder with --dataset."
        )
    learnt = tuple(_read(train))
    checked = tuple(_read(validation)) if validation is not None and validation.is_file() else ()
    if len(learnt) < FEWEST_EXAMPLES:
        raise TrainingRefused(
            f"{str(train)!r} has {len(learnt)} examples, and at least {FEWEST_EXAMPLES} are needed. "
            "Add exports to the data set."
        )
    if shared := set(learnt) & set(checked):
        raise TrainingRefused(
            f"{len(shared)} examples are in {str(train)!r} and in {str(validation)!r}, so that "
            "nothing could be validated. Make the data set again."
        )
    return Examples(
        train=learnt,
        validation=checked,
        digest=_digest(train, *([validation] if validation and checked else [])),
    )


def _read(path: Path) -> Iterator[tuple[Message, ...]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _example(line, f"{str(path)!r}, line {number}")
    except OSError as exc:
        raise TrainingRefused(f"{str(path)!r} cannot be read: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise TrainingRefused(f"{str(path)!r} is not UTF-8 text. Make the data set again.") from exc


def _example(line: str, where: str) -> tuple[Message, ...]:
    for fault in faults(line):
        raise TrainingRefused(f"{where}: {fault}. Correct it, or make the data set again.")
    return tuple(
        Message(one["role"], one["content"], earlier=one.get("weight", 1) == 0)
        for one in json.loads(line)["messages"]
    )


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]
