"""Where a LoRA training keeps what it made, and how it is served. Knows no torch.

The folder that was asked for holds the finished adapter. Beside it, until the training ends, lies a folder
with the best adapter so far and what is needed to go on.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.training import TrainingRefused

_SETTINGS, _STANDING, _STATE, _BEST = "settings.json", "standing.json", "state.pt", "best"
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # those that vLLM takes as --max-lora-rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a training is: whole passes, the best measure, passes since then, the last training loss."""

    epoch: int = 0
    best: float | None = None
    worse: int = 0
    loss: float | None = None


class AdapterFiles:
    """The files of one adapter."""

    def __init__(self, out: Path) -> None:
        self.adapter = out
        self._work = out.with_name(f"{out.name}.training")

    @property
    def state(self) -> Path:
        """What torch needs to go on."""
        return self._work / _STATE

    def standing(self, name: str, settings: Mapping[str, Any], *, resume: bool) -> Standing:
        """Return where the training begins; raise TrainingRefused when it cannot as it was asked for."""
        kept = self._work / _SETTINGS
        if resume and kept.is_file():
            if json.loads(kept.read_text(encoding="utf-8")) != settings:
                raise TrainingRefused(
                    f"The training of {name!r} was begun with another base, data set or number of epochs. "
                    "Repeat those, or start anew without --resume."
                )
            noted = self._work / _STANDING
            return (
                Standing(**json.loads(noted.read_text(encoding="utf-8"))) if noted.is_file() else Standing()
            )
        if resume:
            raise TrainingRefused(f"No training of {name!r} is under way. Start one without --resume.")
        self._check_out()
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        kept.write_text(json.dumps(settings), encoding="utf-8")
        return Standing()

    def begun_with(self) -> str:
        """Return the base model of the training that is under way, empty when none is."""
        kept = self._work / _SETTINGS
        return str(json.loads(kept.read_text(encoding="utf-8"))["base"]) if kept.is_file() else ""

    def save_best(self, save: Callable[[Path], None]) -> None:
        """Let `save` write the best adapter so far into a folder."""
        fresh = self._work / f"{_BEST}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        save(fresh)
        shutil.rmtree(self._work / _BEST, ignore_errors=True)
        fresh.rename(self._work / _BEST)

    def save_standing(self, standing: Standing, save: Callable[[Path], None]) -> None:
        """Note how far the training is, once `save` has written what is needed to go on from there."""
        fresh = self.state.with_suffix(".new")
        save(fresh)
        fresh.replace(self.state)
        noted = self._work / f"{_STANDING}.new"
        noted.write_text(json.dumps(asdict(standing)), encoding="utf-8")
        noted.replace(self._work / _STANDING)

    def publish(self) -> None:
        """Put the best adapter in its place, and remove what only the training needed."""
        old = self.adapter.with_name(f"{self.adapter.name}.old")
        best = self._work / _BEST
        if best.exists() and self.adapter.exists():
            self.adapter.rename(old)
        if best.exists():
            best.rename(self.adapter)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(self._work, ignore_errors=True)

    def _check_out(self) -> None:
        """Refuse to replace a folder that is not an adapter."""
        is_adapter = (self.adapter / "adapter_config.json").is_file()
        if self.adapter.exists() and not is_adapter and not _is_empty(self.adapter):
            raise TrainingRefused(
                f"{str(self.adapter)!r} holds something that is no adapter. Choose another folder with --out."
            )


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def serving_line(name: str, base: str, adapter: Path) -> str:
    """Return the command by which vLLM serves an adapter under a persona's name."""
    rank = int(json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))["r"])
    taken = next((size for size in _RANKS if size >= rank), rank)
    words = ["vllm", "serve", base, "--enable-lora", "--max-lora-rank", str(taken)]
    words += ["--lora-modules", f"{name}={adapter}"]
    if (template := adapter / "chat_template.jinja").is_file():
        words += ["--chat-template", str(template)]
    return shlex.join(words)
