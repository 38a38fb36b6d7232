"""Files that ship with the program: the documents of the demo and the commented settings.

In a checkout they stand at its root, in an installed package under `adapters/resources`.
"""

from __future__ import annotations

import os
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parent
_PACKAGED = _HERE / "resources"


def example_config() -> str:
    """Return the text of `config.example.toml`."""
    return _find("config.example.toml").read_text(encoding="utf-8")


def documents_folder() -> Path:
    """Return the folder of the project's own documents."""
    return _find("docs")


def in_checkout() -> bool:
    """Tell whether the program runs from its source tree."""
    return (_CHECKOUT / "pyproject.toml").is_file() and not (_PACKAGED / "docs").is_dir()


def _find(name: str) -> Path:
    packaged = _PACKAGED / name
    return packaged if packaged.exists() else _CHECKOUT / name


def own_data_folder() -> Path:
    """Return where the program keeps data of its own: in the checkout, else in the user's cache folder."""
    if in_checkout():
        return _CHECKOUT / ".lorekeeper"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "lorekeeper"
