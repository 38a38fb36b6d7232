"""The table's columns, and nodes to rows and back.

A hit is read from three columns: `text`, `tokens` and `card`, which holds all the rest as JSON. Reading
fifteen columns of thirty rows takes twice as long as finding them. The single columns are there to be
filtered by, and for people.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from kb.documents import HIDDEN_TAG
from kb.nodes import Embedding, StoredNode, Vector
from kb.plain import plain_text

SCHEMA_VERSION = 1
NODE_COLUMNS = [
    "id",
    "document_id",
    "source",
    "uri",
    "title",
    "heading",
    "position",
    "text",
    "hash",
    "updated",
    "audience",
    "url",
    "page",
    "metadata",
]
READ_COLUMNS = ["card", "text"]
EMBEDDING_COLUMNS = ["vector", "tokens"]
STATE_COLUMNS = ["id", "text", "source", "uri", "audience"]

Cell = str | int | float | list[str] | None

_encode = json.JSONEncoder(sort_keys=True).encode

_METADATA_KEY = b"lorekeeper"
_WORD_EDGES = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])")


def table_schema(*, model: str, dimension: int, ready: bool) -> pa.Schema:
    """Return the schema of a new table; its metadata names the model that the vectors come from."""
    strings = pa.list_(pa.string())
    fields = [
        ("id", pa.string()),
        ("document_id", pa.string()),
        ("source", pa.string()),
        ("uri", pa.string()),
        ("title", pa.string()),
        ("heading", strings),
        ("position", pa.int32()),
        ("text", pa.string()),
        ("search", pa.string()),
        ("hash", pa.string()),
        ("updated", pa.float64()),
        ("audience", strings),
        ("url", pa.string()),
        ("page", pa.int32()),
        ("vector", pa.list_(pa.float32(), dimension)),
        ("tokens", pa.binary()),
        ("metadata", pa.string()),
        ("card", pa.string()),
    ]
    about = {"schema": SCHEMA_VERSION, "model": model, "dimension": dimension, "ready": ready}
    return pa.schema(fields, metadata={_METADATA_KEY: json.dumps(about).encode()})


def table_facts(schema: pa.Schema) -> dict[str, Any]:
    """Return what `table_schema` noted in a table's metadata, or nothing when it is not ours."""
    noted = (schema.metadata or {}).get(_METADATA_KEY, b"{}")
    facts = json.loads(noted)
    return facts if isinstance(facts, dict) else {}


def search_text(node: StoredNode) -> str:
    """Return what full-text search sees of a node: context, text and the words of its uri."""
    words = " ".join(word for word in _WORD_EDGES.split(node.uri) if word)
    parts = (node.title, " > ".join(node.heading), plain_text(node.text), words)
    return "\n".join(part for part in parts if part)


def to_table(nodes: Sequence[StoredNode], cards: Mapping[str, str], schema: pa.Schema) -> pa.Table:
    """Turn nodes, each with its embedding, into rows; the cards are those of `to_cards`."""
    dimension = schema.field("vector").type.list_size
    vectors = np.concatenate([_vector(node, dimension) for node in nodes])
    columns = {name: [_cell(name, node) for node in nodes] for name in [*NODE_COLUMNS, "search"]}
    columns["card"] = [cards[node.id] for node in nodes]
    arrays = {name: pa.array(cells, schema.field(name).type) for name, cells in columns.items()}
    arrays["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors), dimension)
    arrays["tokens"] = pa.array([_embedding(node).tokens for node in nodes], pa.binary())
    return pa.table([arrays[name] for name in schema.names], names=schema.names)


def batches(
    documents: Mapping[str, Sequence[StoredNode]], most: int
) -> Iterator[dict[str, Sequence[StoredNode]]]:
    """Cut documents into commits of at most so many nodes; a document is never cut."""
    batch: dict[str, Sequence[StoredNode]] = {}
    size = 0
    for document, nodes in documents.items():
        if batch and size + len(nodes) > most:
            yield batch
            batch, size = {}, 0
        batch[document] = nodes
        size += len(nodes)
    if batch:
        yield batch


def to_cards(nodes: Iterable[StoredNode]) -> dict[str, str]:
    """Return each node's card by its id; equal cards mean equal rows."""
    return {node.id: _card(node) for node in nodes}


def to_nodes(rows: pa.Table) -> Iterator[StoredNode]:
    """Turn rows of card and text into nodes; the embedding is filled from what else was read."""
    vectors = read_vectors(rows) if "vector" in rows.column_names else None
    tokens = rows["tokens"].to_pylist() if "tokens" in rows.column_names else None
    texts = rows["text"].to_pylist()
    for place, card in enumerate(rows["card"].to_pylist()):
        facts = json.loads(card)
        del facts["digest"]
        facts["heading"], facts["audience"] = tuple(facts["heading"]), tuple(facts["audience"])
        yield StoredNode(text=texts[place], embedding=_read_embedding(place, vectors, tokens), **facts)


def to_embeddings(rows: pa.Table) -> dict[str, Embedding]:
    """Turn rows of hash, vector and tokens into embeddings by hash."""
    vectors = read_vectors(rows)
    tokens = rows["tokens"].to_pylist()
    hashes = rows["hash"].to_pylist()
    return {
        digest: Embedding(vector=vectors[place], tokens=tokens[place]) for place, digest in enumerate(hashes)
    }


def state_digests(rows: pa.Table | pa.RecordBatch) -> Iterator[bytes]:
    """Yield a digest for each row of the state columns, but not for hidden nodes."""
    for row in rows.select(STATE_COLUMNS).to_pylist():
        if HIDDEN_TAG in row["audience"]:
            continue
        row["audience"] = sorted(row["audience"])
        yield _digest(row)


def clean(text: str) -> str:
    """Return text that UTF-8 can hold: lone surrogates become `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _cell(name: str, node: StoredNode) -> Cell:
    match name:
        case "search":
            return clean(search_text(node))
        case "metadata":
            return _encode(node.metadata)
        case "heading" | "audience":
            return [clean(part) for part in getattr(node, name)]
    value: Cell = getattr(node, name)
    return clean(value) if isinstance(value, str) else value


def _card(node: StoredNode) -> str:
    """Return all but text and embedding, with a digest of the text."""
    facts: dict[str, Any] = {name: _cell(name, node) for name in NODE_COLUMNS if name != "text"}
    facts["metadata"] = node.metadata
    facts["digest"] = hashlib.sha256(clean(node.text).encode()).hexdigest()[:16]
    return _encode(facts)


def _digest(values: dict[str, Any]) -> bytes:
    return hashlib.sha256(_encode(values).encode()).digest()


def _embedding(node: StoredNode) -> Embedding:
    if node.embedding is None:
        raise ValueError(f"Node {node.id!r} of {node.uri!r} has no embedding. Embed it before it is stored.")
    return node.embedding


def _vector(node: StoredNode, dimension: int) -> Vector:
    vector = np.asarray(_embedding(node).vector, dtype=np.float32)
    if vector.shape != (dimension,) or not np.isfinite(vector).all():
        raise ValueError(
            f"Node {node.id!r} of {node.uri!r} has a vector of shape {vector.shape}, or not all finite; "
            f"the store holds vectors of {dimension} numbers. Embed it with the store's model."
        )
    return vector


def read_vectors(rows: pa.Table) -> Vector:
    """Return the vectors of the rows, shape (n, d)."""
    column = rows["vector"].combine_chunks()
    width = rows.schema.field("vector").type.list_size
    flat = column.flatten().to_numpy(zero_copy_only=False) if len(rows) else np.empty(0, np.float32)
    vectors: Vector = flat.reshape(len(rows), width)
    return vectors


def _read_embedding(place: int, vectors: Vector | None, tokens: list[bytes] | None) -> Embedding | None:
    if vectors is None and tokens is None:
        return None
    vector = np.empty(0, np.float32) if vectors is None else vectors[place]
    return Embedding(vector=vector, tokens=b"" if tokens is None else tokens[place])
