"""The settings of this layer: one class a section, one class a source type.

Only `adapters/settings.py` reads files and the environment; here are the shapes and their defaults.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

SOURCE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class Section(BaseModel):
    """A section of the settings: unknown keys are errors and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSettings(Section):
    """`[data]`: where the knowledge base lives."""

    path: Path = Field(Path(".lorekeeper"), description="Folder of the index, the database and caches.")


class DatabaseSettings(Section):
    """`[database]`: manifest, runs, answers."""

    url: str = Field("", description="SQLAlchemy URL; empty means SQLite inside the data folder.")


class EmbeddingSettings(Section):
    """`[embedding]`: which model turns text into vectors."""

    provider: Literal["minilm", "openai"] = Field("minilm", description="The embedded model, or an API.")
    model: str = Field("", description="Model name at the API (provider openai).")
    base_url: str = Field("", description="Base URL of the OpenAI-compatible API; empty: OpenAI's own.")
    api_key_env: str = Field("OPENAI_API_KEY", description="Environment variable that holds the key.")
    threads: int = Field(0, ge=0, le=256, description="Threads of the embedded model; 0: one a core.")
    batch_size: int = Field(64, ge=1, le=2048, description="Texts a request (provider openai).")
    timeout: float = Field(60.0, gt=0, description="Seconds a request may take (provider openai).")


class RetrievalSettings(Section):
    """`[retrieval]`: how passages are found and when an answer is given."""

    candidates: int = Field(50, ge=5, le=500, description="Passages each search leg brings.")
    results: int = Field(10, ge=1, le=100, description="Passages kept after ranking.")
    rerank: bool = Field(True, description="Re-rank by the question's words against each passage's words.")
    threshold: float = Field(
        0.5, ge=0, le=1, description="Confidence below which the bot says it does not know."
    )


class SyncSettings(Section):
    """`[sync]`: limits of a sync run."""

    guard_documents: int = Field(10, ge=0, description="Deletions up to this many need no approval.")
    guard_share: float = Field(
        0.10, ge=0, le=1, description="Deletions up to this share of a source need no approval."
    )
    max_file_mb: float = Field(50.0, gt=0, description="Larger files are listed as too large.")
    parse_seconds: float = Field(30.0, gt=0, description="Seconds one document may take to parse.")
    parse_memory_mb: int = Field(512, ge=128, description="Memory one document may take to parse.")
    batch_documents: int = Field(128, ge=1, le=10_000, description="Documents a commit at most.")


class SourceSettings(Section):
    """What every source has: `[[sources]]`."""

    name: str = Field(pattern=SOURCE_NAME, description="A short name, unique among the sources.")
    location: str = Field(min_length=1, description="Where it is: a folder, a git address.")
    every: str = Field("30m", description="How often it is synced: 30s, 15m, 2h, 1d.")
    audience: tuple[str, ...] = Field((), description="Tags of those who may see it; empty: everyone.")
    include: tuple[str, ...] = Field((), description="Only paths that match one of these globs.")
    exclude: tuple[str, ...] = Field((), description="Never paths that match one of these globs.")

    @field_validator("every")
    @classmethod
    def _interval(cls, value: str) -> str:
        interval_seconds(value)
        return value


class FolderSource(SourceSettings):
    """A folder of this machine."""

    type: Literal["folder"] = "folder"
    gitignore: bool = Field(True, description="Honour .gitignore files.")


class GitSource(SourceSettings):
    """A git repository: a path, file://, https:// or ssh address."""

    type: Literal["git"] = "git"
    branch: str = Field("", description="Branch or tag; empty: the repository's default branch.")
    folder: str = Field("", description="Only this folder of the repository.")
    private_hosts: bool = Field(False, description="Allow hosts of this machine and of private networks.")


AnySource = Annotated[FolderSource | GitSource, Field(discriminator="type")]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def interval_seconds(text: str) -> int:
    """Turn `30s`, `15m`, `2h` or `1d` into seconds; raise ValueError that says the form."""
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and unit in _UNITS and 0 < int(number) < 10**6):
        raise ValueError(f"{text!r} is not an interval. Write a number and s, m, h or d, such as 30m.")
    return int(number) * _UNITS[unit]
