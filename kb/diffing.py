"""What a run changed: documents and passages, from the store's versions before and after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kb.lookback import versions_of
from kb.manifest import Run
from kb.nodes import StoredNode
from kb.store import NodeStore
from kb.store_snapshots import Print, Snapshot

Change = Literal["added", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageChange:
    """A passage that is new, or that is there no longer; a changed one is both."""

    document: str
    change: Change
    heading: str
    text: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDiff:
    """What a run changed, documents by uri. A document counts as removed once it is hidden."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    passages: tuple[PassageChange, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `lorekeeper diff`, less what it says of the run."""
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": list(self.changed),
            "passages": [asdict(passage) for passage in self.passages],
        }


async def diff_run(store: NodeStore, run: Run) -> RunDiff:
    """Return what a run changed of its source.

    Raise `SyncRefused` when the run cannot be looked back at, `StoreError` when its versions are kept no
    longer.
    """
    first, last = versions_of(run, store.name)
    if first == last:
        return RunDiff()
    async with store.at(first) as before, store.at(last) as after:
        old, new = _seen(await before.prints(run.source)), _seen(await after.prints(run.source))
        touched = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        passages = await _passages(before, after, touched & old.keys(), touched & new.keys())
    changed = {passage.document for passage in passages}
    both = touched & old.keys() & new.keys()
    return RunDiff(
        added=_uris(new, touched - old.keys()),
        removed=_uris(old, touched - new.keys()),
        changed=tuple(uri for uri in _uris(new, both) if uri in changed),
        passages=tuple(passages),
    )


def _seen(prints: Mapping[str, Print]) -> dict[str, Print]:
    return {key: one for key, one in prints.items() if not one.hidden}


def _uris(prints: Mapping[str, Print], ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(prints[key].uri for key in ids))


async def _passages(
    before: Snapshot, after: Snapshot, old: Collection[str], new: Collection[str]
) -> list[PassageChange]:
    """Return the passages that differ, by document; in each those removed first."""
    was = await before.nodes(old, embedded=False)
    now = await after.nodes(new, embedded=False)
    changes: list[PassageChange] = []
    for key in was.keys() | now.keys():
        kept = {node.id for node in was.get(key, ())} & {node.id for node in now.get(key, ())}
        changes += [_change(node, "removed") for node in was.get(key, ()) if node.id not in kept]
        changes += [_change(node, "added") for node in now.get(key, ()) if node.id not in kept]
    return sorted(changes, key=lambda passage: (passage.document, passage.change == "added"))


def _change(node: StoredNode, change: Change) -> PassageChange:
    return PassageChange(
        document=node.uri, change=change, heading=" > ".join(node.heading), text=node.text, hash=node.hash
    )
