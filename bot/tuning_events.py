"""The events of a fine-tuning job, each told once, with the losses that they name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.training import Moment

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.fine_tuning import FineTuningJobEvent

_PAGE = 100
_STEP = re.compile(r"Step (\d+)/(\d+)")
_TRAINING = re.compile(r"training loss=([\d.]+)")
_VALIDATION = re.compile(r"(?<!full )validation loss=([\d.]+)")
_FULL = re.compile(r"full validation loss=([\d.]+)")


class EventReader:
    """Reads the events of one job as they come; `loss` and `validation_loss` are the latest."""

    def __init__(self, client: AsyncOpenAI, job: str) -> None:
        self._client = client
        self._job = job
        self._seen: set[str] = set()
        self.loss: float | None = None
        self.validation_loss: float | None = None

    async def new(self, status: str) -> list[Moment]:
        """Return what happened since the last look, oldest first."""
        fresh: list[FineTuningJobEvent] = []
        async for event in self._client.fine_tuning.jobs.list_events(self._job, limit=_PAGE):
            if event.id in self._seen:
                break  # the API lists the newest first
            fresh.append(event)
        self._seen |= {event.id for event in fresh}
        moments = [read_event(event, status) for event in reversed(fresh)]
        for moment in moments:
            self.loss = self.loss if moment.loss is None else moment.loss
            if moment.validation_loss is not None:
                self.validation_loss = moment.validation_loss
        return moments


def read_event(event: FineTuningJobEvent, status: str) -> Moment:
    """Return what an event says: its figures from its data, or else from its words."""
    data = event.data if isinstance(event.data, Mapping) else {}
    said = _STEP.search(event.message)
    step, steps = (int(said[1]), int(said[2])) if said else (0, 0)
    validation = _number(data.get("full_valid_loss"))
    if validation is None:
        validation = _number(data.get("valid_loss"))
    if validation is None:
        validation = _in_words(_FULL, event.message) or _in_words(_VALIDATION, event.message)
    loss = _number(data.get("train_loss"))
    return Moment(
        status=status,
        step=int(_number(data.get("step")) or step),
        steps=int(_number(data.get("total_steps")) or steps),
        loss=_in_words(_TRAINING, event.message) if loss is None else loss,
        validation_loss=validation,
        message="" if event.type == "metrics" else " ".join(event.message.split()),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _in_words(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    return float(found[1].rstrip(".")) if found else None
