"""Makes nodes for the store's tests: small vectors that follow from the text."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from kb.documents import EVERYONE, Audience, document_id
from kb.nodes import Embedding, Found, StoredNode, Vector, index_text, node_hash, node_id
from kb.store import NodeStore

DIMENSION = 8
AT_ONCE = timedelta(0)


def vector_of(text: str, dimension: int = DIMENSION) -> Vector:
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8])
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    unit: Vector = vector / np.linalg.norm(vector)
    return unit


def nodes_of(
    uri: str,
    *texts: str,
    source: str = "docs",
    audience: tuple[str, ...] = ("*",),
    dimension: int = DIMENSION,
    **facts: Any,  # noqa: ANN401 - fields of StoredNode
) -> list[StoredNode]:
    title = facts.pop("title", "A title")
    document = document_id(source, uri)
    nodes = []
    for position, text in enumerate(texts):
        digest = node_hash(index_text(title, ("Part",), text))
        nodes.append(
            StoredNode(
                id=node_id(document, digest, texts[:position].count(text)),
                document_id=document,
                source=source,
                uri=uri,
                title=title,
                heading=("Part",),
                position=position,
                text=text,
                hash=digest,
                updated=1_700_000_000.0,
                audience=audience,
                embedding=Embedding(
                    vector=vector_of(text, dimension), tokens=text.encode("utf-8", "replace")[:40]
                ),
                **facts,
            )
        )
    return nodes


def documents_of(*groups: list[StoredNode]) -> dict[str, list[StoredNode]]:
    return {group[0].document_id: group for group in groups}


async def open_store(path: Path, *, model: str = "m", create: bool = True, fresh: bool = False) -> NodeStore:
    return await NodeStore.open(
        path, model=model, dimension=DIMENSION, create=create, fresh=fresh, refresh=AT_ONCE
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A stored node that was found."""

    node: StoredNode
    score: float


async def nearest(
    store: NodeStore,
    vector: Vector,
    *,
    limit: int,
    audience: Audience,
    sources: Sequence[str] = (),
) -> list[Hit]:
    """Find and read the nodes whose vectors are nearest, best first; the score is the cosine."""
    found = await store.find_nearest(vector, limit=limit, audience=audience, sources=sources)
    return await _hits(store, found, audience)


async def matching(
    store: NodeStore, text: str, *, limit: int, audience: Audience, sources: Sequence[str] = ()
) -> list[Hit]:
    """Find and read the nodes that have words of the text, best first; the score is BM25."""
    found = await store.find_matching(text, limit=limit, audience=audience, sources=sources)
    return await _hits(store, found, audience)


async def _hits(store: NodeStore, found: Sequence[Found], audience: Audience) -> list[Hit]:
    nodes = await store.read(found, audience)
    return [Hit(node=nodes[one.id], score=one.score) for one in found if one.id in nodes]


async def texts(store: NodeStore, question: str, audience: Audience = EVERYONE, *sources: str) -> list[str]:
    hits = await matching(store, question, limit=10, audience=audience, sources=sources)
    return [hit.node.text for hit in hits]


def disk_files(folder: Path | str, pattern: str = "*") -> list[Path]:
    return sorted(path for path in Path(folder).rglob(pattern) if path.is_file())


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def without_embedding(node: StoredNode) -> StoredNode:
    return dataclasses.replace(node, embedding=None)
