"""Folders of the data folder that a backup holds beside index and database: files that exist nowhere else.

In the archive they lie below `files/`. Sources that read them are told where they lie after a restore.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from kb.errors import StoreError

FILES = "files"


def copy_folders(data: Path, folders: Iterable[str], scratch: Path) -> None:
    """Copy folders of the data folder; what goes away meanwhile is left out (blocking)."""
    for folder in folders:
        for path in sorted((data / folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                target = scratch / FILES / path.relative_to(data)
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    shutil.copy2(path, target)
                except FileNotFoundError:
                    target.unlink(missing_ok=True)


def places(members: Iterable[str], folders: Sequence[str], stage: Path) -> dict[str, Path]:
    """Return where each file of these folders belongs below `stage`; raise `StoreError` for one outside."""
    found: dict[str, Path] = {}
    for name in members:
        parts = PurePosixPath(name).parts
        if parts[:1] != (FILES,) or len(parts) < 3 or parts[1] not in folders:
            continue
        if ".." in parts:
            raise StoreError(f"The backup is damaged: {name!r} is no place of a file.")
        found[name] = stage.joinpath(*parts[1:])
    return found


def moved_definition(row: dict[str, Any], old: str, new: Path, folders: Sequence[str]) -> dict[str, Any]:
    """Return a source's row as it is when the folders it may read lie in another data folder now."""
    definition = json.loads(row["definition"])
    location = Path(str(definition.get("location", "")))
    for folder in folders:
        before = Path(old) / folder
        if old and (location == before or before in location.parents):
            definition["location"] = str(new / location.relative_to(old))
            return row | {"definition": json.dumps(definition, ensure_ascii=False)}
    return row
