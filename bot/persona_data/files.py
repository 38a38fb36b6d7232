"""Where a data set lies and what its files are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DatasetFiles:
    """The files of one data set."""

    folder: Path

    @property
    def train(self) -> Path:
        """Chat examples to train on, JSON lines."""
        return self.folder / "train.jsonl"

    @property
    def validation(self) -> Path:
        """Chat examples of other conversations, to validate with."""
        return self.folder / "validation.jsonl"

    @property
    def replies(self) -> Path:
        """The replies alone, of the speaker and of others who agreed: what a style measure learns from."""
        return self.folder / "replies.jsonl"

    @property
    def report(self) -> Path:
        """The report as JSON."""
        return self.folder / "report.json"

    @property
    def report_text(self) -> Path:
        """The report for people."""
        return self.folder / "report.txt"

    def all(self) -> tuple[Path, ...]:
        """Return every file of the set."""
        return (self.train, self.validation, self.replies, self.report, self.report_text)


def persona_folder(data: Path, name: str) -> Path:
    """Return the folder of a persona in the data folder."""
    return data / "personas" / name


def dataset_files(data: Path, name: str) -> DatasetFiles:
    """Return the files of a persona's data set in the data folder."""
    return DatasetFiles(persona_folder(data, name) / "dataset")
