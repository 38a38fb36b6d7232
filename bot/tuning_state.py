"""What is known of a fine-tuning job that is under way, in a file, so that a crash loses nothing of it.

Every step is written down when it is done. What was done and not written down is found again at the API by
`token`, which the names of uploads and the job's metadata hold.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from bot.training import TrainingFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningState:
    """One job: what it is to train, and how far it came. Empty ids: not uploaded or created yet."""

    token: str
    base: str
    base_url: str
    digest: str
    train: str
    validation: str
    epochs: int = 0
    train_file: str = ""
    validation_file: str = ""
    job: str = ""


class TuningFile:
    """The file that holds the state of a persona's job; there is none when no job is under way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> TuningState | None:
        """Return the state, None when no job is under way; raise TrainingFailed for a file that is none."""
        try:
            value = json.loads(self.path.read_text(encoding="utf-8"))
            return TuningState(**_checked(value))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as exc:
            raise TrainingFailed(
                f"The state of the training in {str(self.path)!r} cannot be read. Look the job up at the "
                "API, then remove the file."
            ) from exc

    def begin(self, state: TuningState) -> TuningState:
        """Write the state of a new job; raise FileExistsError when another process has just begun one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("x", encoding="utf-8") as file:
            _write(file.fileno(), state)
        return state

    def keep(self, state: TuningState, **changes: str) -> TuningState:
        """Write the state with `changes` in the place of the earlier one, and return it."""
        changed = replace(state, **changes)  # type: ignore[arg-type] # every field that changes is a text
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            _write(file.fileno(), changed)
        beside.replace(self.path)
        return changed

    def forget(self) -> None:
        """Remove the file: the job has ended."""
        self.path.unlink(missing_ok=True)


def new_token() -> str:
    """Return what tells this job from all others."""
    return secrets.token_hex(8)


def _checked(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON from a file
    kinds = {field.name: int if field.name == "epochs" else str for field in fields(TuningState)}
    if not isinstance(value, dict) or any(
        not isinstance(value.get(key, kind()), kind) for key, kind in kinds.items()
    ):
        raise TypeError
    return value


def _write(descriptor: int, state: TuningState) -> None:
    os.write(descriptor, json.dumps(asdict(state), indent=1).encode())
    os.fsync(descriptor)
