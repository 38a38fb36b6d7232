"""What goes wrong on request: calls that fail, answers that get lost, events that come twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.slack.workspace import Json


@dataclass(slots=True, kw_only=True)
class Fault:
    """One way in which the next calls of a method go wrong.

    With `accepted` the call does its work first and only its answer is bad. `cut` closes the connection,
    `hang` never answers. A `delay` alone answers late and well.
    """

    method: str
    times: int = 1
    error: str = ""
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: int = 0
    accepted: bool = False
    cut: bool = False
    hang: bool = False
    delay: float = 0.0
    only: Callable[[dict[str, Any]], bool] = lambda _: True

    @property
    def spoils(self) -> bool:
        """Whether the answer is a bad one, not only a late one."""
        return bool(self.error or self.cut or self.hang or self.retry_after or self.status != 200)


class Faults:
    """The faults that wait for their calls. Method "*" means any."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.duplicates = 0.0
        self.duplicate_delays: tuple[float, ...] = (0.0, 60.0, 301.0)
        self.random = random.Random(4)

    def fail(self, method: str, error: str, *, times: int = 1, **more: Json) -> None:
        """Let the next calls be refused with one of Slack's error names."""
        self.waiting.append(Fault(method=method, error=error, times=times, **more))

    def status(self, method: str, status: int, *, times: int = 1, **more: Json) -> None:
        """Let the next calls get an HTTP status; with `accepted=True` they have done their work."""
        self.waiting.append(Fault(method=method, status=status, times=times, **more))

    def rate_limit(self, method: str, retry_after: int = 1, *, times: int = 1, **more: Json) -> None:
        """Let the next calls be refused with 429 and `Retry-After`."""
        self.waiting.append(Fault(method=method, retry_after=retry_after, times=times, **more))

    def cut(self, method: str, *, times: int = 1, accepted: bool = False, **more: Json) -> None:
        """Close the connection instead of an answer."""
        self.waiting.append(Fault(method=method, cut=True, accepted=accepted, times=times, **more))

    def hang(self, method: str, *, times: int = 1, accepted: bool = False, **more: Json) -> None:
        """Never answer."""
        self.waiting.append(Fault(method=method, hang=True, accepted=accepted, times=times, **more))

    def slow(self, method: str, seconds: float, *, times: int = 1, **more: Json) -> None:
        """Answer late."""
        self.waiting.append(Fault(method=method, delay=seconds, times=times, **more))

    def clear(self) -> None:
        self.waiting.clear()
        self.duplicates = 0.0

    def take(self, method: str, arguments: dict[str, Any]) -> Fault | None:
        """Return the fault that this call meets, counted down."""
        for fault in self.waiting:
            if fault.method in {method, "*"} and fault.only(arguments):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def repeats(self) -> list[float]:
        """Return after which seconds an event is delivered again although it was acknowledged."""
        if self.random.random() >= self.duplicates:
            return []
        return [self.random.choice(self.duplicate_delays)]
