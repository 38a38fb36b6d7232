"""A real git repository that a test writes to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

GIT = shutil.which("git") or "git"


class Repository:
    """A repository with a working tree; each change is one commit of the branch `main`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.run("init", "-q", "-b", "main")

    def run(self, *arguments: str, when: int = 1_700_000_000) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
            "GIT_AUTHOR_DATE": f"@{when} +0000",
            "GIT_COMMITTER_DATE": f"@{when} +0000",
        }
        done = subprocess.run(
            [GIT, *arguments], cwd=self.path, env=environment, capture_output=True, check=True
        )
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def commit(self, when: int = 1_700_000_000) -> None:
        self.run("add", "-A", "-f")
        self.run("commit", "-q", "--allow-empty", "-m", "change", when=when)

    def write(self, files: Mapping[str, bytes], when: int = 1_700_000_000) -> None:
        for path, data in files.items():
            file = self.path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        self.commit(when)
