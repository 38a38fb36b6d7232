"""The embedded model: text in, one vector and its words' vectors out."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from kb.errors import EmbeddingError
from kb.minilm import graph
from kb.minilm.tokens import encodable, open_tokenizer
from kb.minilm.weights import Weights, model_folder
from kb.nodes import Vector

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

_LONGEST = 32_768  # characters looked at: far more than 256 pieces of any prose
_BACKGROUND = 10  # of 19, as `nice` counts
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What the model makes of one text; [CLS] and [SEP] are left out of the pieces.

    `vector` (384,) and the rows of `token_vectors` (n, 384) have unit length. `offsets` (n, 2) are
    the pieces' character spans in the text.
    """

    vector: Vector = field(repr=False)
    token_ids: NDArray[np.int32] = field(repr=False)
    token_vectors: Vector = field(repr=False)
    offsets: NDArray[np.int32] = field(repr=False)


class MiniLM:
    """all-MiniLM-L6-v2 in one onnxruntime session that all threads share.

    Texts are encoded one at a time: under dynamic int8 a text's vector would depend on its batch.
    """

    dimension = graph.DIMENSION

    def __init__(self, session: InferenceSession, tokenizer: Tokenizer, identity: str, threads: int) -> None:
        self.identity = identity
        self._session = session
        self._tokenizer = tokenizer
        count = threads or _cores()
        self._urgent = ThreadPoolExecutor(count, thread_name_prefix="minilm-urgent")
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="minilm", initializer=_step_back)

    @classmethod
    def load(cls, cache: Path, *, threads: int = 0, quantised: bool = True) -> MiniLM:
        """Load the model, writing its graph into `cache` the first time. Blocks for a second then.

        `threads` bounds `encode_all`; 0 means one a core. Raises EmbeddingError when the package is
        not installed or the cache cannot be written.
        """
        weights = model_folder() / "model.safetensors"
        kind = "int8" if quantised else "fp32"
        identity = f"all-MiniLM-L6-v2/{kind}-{graph.VERSION}-{Weights(weights).fingerprint()}"
        path = cache / graph_name(identity)
        session = _open_cached(path)
        if session is None:
            _write(graph.build(Weights(weights), quantised=quantised).parts, path)
            session = _open(path)
        return cls(session, open_tokenizer(truncate=True), identity, threads)

    def encode(self, text: str) -> Encoded:
        """Encode one text of any content; what lies past 256 pieces is not seen. Any thread may call."""
        pieces = self._tokenizer.encode(encodable(text[:_LONGEST]))
        ids = np.array(pieces.ids, dtype=np.int32)
        vector, words = self._session.run(graph.OUTPUTS, {graph.INPUT: ids[np.newaxis]})
        offsets = np.array(pieces.offsets, dtype=np.int32)
        inner = slice(1, -1)
        return Encoded(
            vector=vector[0], token_ids=ids[inner], token_vectors=words[0, inner], offsets=offsets[inner]
        )

    async def encode_all(self, texts: Sequence[str]) -> list[Encoded]:
        """Encode texts in parallel; results are in the texts' order."""
        return await self.map(lambda encoded: encoded, texts)

    async def map(
        self, function: Callable[[Encoded], Result], texts: Sequence[str], *, urgent: bool = False
    ) -> list[Result]:
        """Encode texts in parallel and keep only what `function`, called in a thread, makes of each.

        Urgent ones have threads of their own, which others step back for.
        Word vectors take 1.5 kB a piece: callers that need less of many texts reduce them here.
        """
        loop = asyncio.get_running_loop()

        def job(text: str) -> Result:
            return function(self.encode(text))

        pool = self._urgent if urgent else self._pool
        return await asyncio.gather(*(loop.run_in_executor(pool, job, text) for text in texts))

    def close(self) -> None:
        """Stop the threads; texts that have not been begun are dropped."""
        for pool in (self._urgent, self._pool):
            pool.shutdown(wait=False, cancel_futures=True)


def graph_name(identity: str) -> str:
    """Return the file name under which the graph of these weights and this precision is cached."""
    return f"minilm-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.onnx"


def _step_back() -> None:
    """Let other threads go first: a question is asked while thousands of passages are embedded."""
    if sys.platform == "linux":  # elsewhere a priority is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BACKGROUND)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open_cached(path: Path) -> InferenceSession | None:
    """Return the session of a graph that is there and whole, or None."""
    if not path.is_file():
        return None
    try:
        return _open(path)
    except EmbeddingError:
        return None


def _open(path: Path) -> InferenceSession:
    # Read at import: without it onnxruntime writes a device id below the user's home and may report.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    # The higher levels would put back the slow operators that kb.minilm.graph avoids.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    failures = (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.InvalidArgument)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except failures as error:
        raise EmbeddingError(
            f"The embedding model's graph {str(path)!r} cannot be loaded. "
            "Delete the file and try again; `pip install --upgrade onnxruntime` if that does not help."
        ) from error


def _write(parts: Sequence[bytes | memoryview], path: Path) -> None:
    """Write a file whole or not at all, whoever else writes it at the same time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=path.stem, suffix=".part", delete=False) as file:
            draft = Path(file.name)
            try:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise EmbeddingError(
            f"The embedding model's graph cannot be written to {str(path)!r}: {error.strerror}. "
            "Make room there, or name another folder with --data."
        ) from error
