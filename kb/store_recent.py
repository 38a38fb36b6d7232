"""The rows that were read of late: to take forty out of the table is half of what a search costs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from kb.nodes import StoredNode

MOST_BYTES = 64_000_000  # about 7,000 passages with their word vectors
_OVERHEAD = 1_500  # bytes a node takes beside its text and its word vectors


class RecentRows:
    """Nodes of one version of a table, those that were asked for last; another version empties it."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._version = -1
        self._bytes = 0
        self._nodes: OrderedDict[str, StoredNode] = OrderedDict()

    def of(self, version: int, ids: Iterable[str]) -> dict[str, StoredNode]:
        """Return those of these nodes that are known as they are in this version, by id."""
        if version != self._version:
            return {}
        known = {key: self._nodes[key] for key in ids if key in self._nodes}
        for key in known:
            self._nodes.move_to_end(key)
        return known

    def keep(self, version: int, nodes: Iterable[StoredNode]) -> None:
        """Keep nodes that were read while the table had this version; those asked for longest ago go."""
        if version < self._version:
            return
        if version > self._version:
            self._version, self._bytes = version, 0
            self._nodes.clear()
        for node in nodes:
            if node.id not in self._nodes:
                self._nodes[node.id] = node
                self._bytes += _size(node)
        while self._bytes > self._most:
            self._bytes -= _size(self._nodes.popitem(last=False)[1])


def _size(node: StoredNode) -> int:
    return _OVERHEAD + len(node.text) + (len(node.embedding.tokens) if node.embedding else 0)
