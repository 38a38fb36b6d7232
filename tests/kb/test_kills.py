"""A sync may die at any moment: every document is old or new, and the next sync ends as a clean build."""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.sources import FolderSource, GitSource
from tests.kb import killed


@dataclass(frozen=True)
class Scene:
    """A synced base, its source in the new state, and what a clean build of that looks like."""

    source: killed.Source
    data: Path
    state: str


GIT_STEPS = ("fetch", "record", "hide", "delete")


@pytest.fixture(scope="module")
def folder_scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory, git=False)


@pytest.fixture(scope="module")
def git_scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory, git=True)


def make_scene(tmp_path_factory: pytest.TempPathFactory, *, git: bool) -> Scene:
    folder, data = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("data")
    source: killed.Source = FolderSource(name="s", location=str(folder))
    if git:
        source = GitSource(name="s", location=folder.as_uri(), branch="main")
    for files in (killed.first(), killed.before()):
        killed.put(source, files)
        asyncio.run(killed.sync(data, source))
    assert asyncio.run(killed.hidden(data, "s")) == 4
    killed.put(source, killed.after())
    _, state = asyncio.run(killed.sync(tmp_path_factory.mktemp("clean"), source))
    return Scene(source=source, data=data, state=state)


def check(scene: Scene, data: Path) -> None:
    """Judge a base after a kill, and again after the next sync."""
    assert asyncio.run(killed.misfits(data, "s", killed.before(), killed.after())) == []
    report, state = asyncio.run(killed.sync(data, scene.source))
    assert report.status == "ok"
    assert state == scene.state
    _, state = asyncio.run(killed.sync(data, scene.source))
    assert (state, asyncio.run(killed.hidden(data, "s"))) == (scene.state, 0)


@pytest.mark.parametrize(
    ("kind", "step"),
    [*(("folder", step) for step in killed.STEPS), *(("git", step) for step in GIT_STEPS)],
)
def test_a_kill_at_any_step_is_harmless(
    kind: str, step: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Killed at a step, no document is lost or mixed, and one sync converges."""
    scene: Scene = request.getfixturevalue(f"{kind}_scene")
    shutil.copytree(scene.data, tmp_path, dirs_exist_ok=True)
    assert killed.run_killed(tmp_path, scene.source, fault=killed.midway(step)) == -9
    check(scene, tmp_path)


def test_kills_at_random_moments_are_harmless(folder_scene: Scene, tmp_path: Path) -> None:
    """Killed again and again without a sync that ends, no document is lost or mixed."""
    rng = random.Random(1)
    shutil.copytree(folder_scene.data, tmp_path, dirs_exist_ok=True)
    for _ in range(3):
        killed.run_killed(tmp_path, folder_scene.source, after=rng.uniform(0.05, 0.4))
        assert asyncio.run(killed.misfits(tmp_path, "s", killed.before(), killed.after())) == []
    check(folder_scene, tmp_path)


def test_a_first_sync_that_is_killed_is_resumed(folder_scene: Scene, tmp_path: Path) -> None:
    """The sync after a kill says that it goes on, and fetches only what is not stored yet."""
    assert killed.run_killed(tmp_path, folder_scene.source, fault="commit:3") == -9
    report, state = asyncio.run(killed.sync(tmp_path, folder_scene.source))
    assert report.resumed
    assert 0 < report.unchanged < len(killed.after())
    assert state == folder_scene.state


def test_a_change_taken_back_after_a_kill_is_taken_back(tmp_path: Path) -> None:
    """Documents stored but not recorded are read again although their old version token is back."""
    folder, data = tmp_path / "source", tmp_path / "data"
    source = GitSource(name="s", location=folder.as_uri(), branch="main")
    killed.put(source, killed.before())
    _, old_state = asyncio.run(killed.sync(data, source))
    killed.put(source, killed.after())
    assert killed.run_killed(data, source, fault="record") == -9
    killed.git(folder, "reset", "-q", "--hard", "HEAD~1")
    report, state = asyncio.run(killed.sync(data, source))
    assert (report.status, state) == ("ok", old_state)
