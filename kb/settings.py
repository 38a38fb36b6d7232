"""The settings of this layer: one class a section. Those of sources are in `kb/sources.py`.

Only `adapters/settings.py` reads files and the environment; here are the shapes and their defaults.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from kb.public_hosts import AllowedHosts

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def interval_seconds(text: str) -> int:
    """Turn `30s`, `15m`, `2h` or `1d` into seconds; raise ValueError that says the form."""
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and unit in _UNITS and 0 < int(number) < 10**6):
        raise ValueError(f"{text!r} is not an interval. Write a number and s, m, h or d, such as 30m.")
    return int(number) * _UNITS[unit]


def _checked_interval(text: str) -> str:
    interval_seconds(text)
    return text


Interval = Annotated[str, AfterValidator(_checked_interval)]


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
    keep_versions: Interval = Field(
        "24h", description="How long a run can be rolled back: 30m, 24h, 7d. It costs disk."
    )


class ScheduleSettings(Section):
    """`[schedule]`: when `lorekeeper serve` syncs."""

    enabled: bool = Field(True, description="Sync by schedule while serving.")
    concurrent: int = Field(2, ge=1, le=64, description="Sources synced at a time.")
    jitter: float = Field(
        0.1, ge=0, le=0.5, description="Share of the interval by which a run may come later."
    )
    backoff_cap: Interval = Field("6h", description="The longest wait after failures.")
    attention_after: int = Field(5, ge=1, description="Failures in a row until a source needs attention.")
    drain_seconds: float = Field(20.0, gt=0, description="Seconds a sync has to stop at SIGTERM.")


class FetchSettings(Section):
    """`[fetch]`: limits of everything that is read from hosts that a source names."""

    seconds: float = Field(30.0, gt=0, description="Seconds one page or file may take in all.")
    max_mb: float = Field(20.0, gt=0, description="Size of one page or file, unpacked.")
    redirects: int = Field(10, ge=0, le=50, description="Redirects followed for one page.")
    private_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts and networks that are not public and may be read: wiki.corp, 10.0.0.0/8.",
    )
    proxy: str = Field("", description="Proxy for it all, http://host:port; the environment's is not used.")
    user_agent: str = Field("Lorekeeper", description="How it names itself to hosts and in robots.txt.")

    @field_validator("private_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        AllowedHosts.parse(value)
        return value


class ReadersSettings(Section):
    """`[readers]`: LlamaHub readers that sources may use. They are code of others, run in a child process."""

    allowed: tuple[str, ...] = Field(
        (), description="Full names: llama_index.readers.wikipedia.WikipediaReader."
    )
    seconds: float = Field(600.0, gt=0, description="Seconds a reader may take to load a source.")
    memory_mb: int = Field(1024, ge=128, description="Memory a reader may take.")


def check_schedule(text: str) -> None:
    """Raise ValueError that says the form unless the text is an interval or a cron expression."""
    if " " not in text.strip():
        interval_seconds(text)
        return
    from apscheduler.triggers.cron import CronTrigger

    try:
        trigger = CronTrigger.from_crontab(text, timezone="UTC")
    except ValueError as exc:
        raise ValueError(
            f"{text!r} is no cron expression ({exc}). Write five fields, such as 0 3 * * *."
        ) from exc
    if trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
        raise ValueError(f"{text!r} is a time that never comes. Write five fields, such as 0 3 * * *.")
