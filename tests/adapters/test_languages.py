"""What goes wrong in a chat is told in its reader's language (P17), alike on all platforms; here German."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.texts import texts
from kb.errors import StoreError
from kb.manifest import Manifest
from tests.adapters.discord import office as discord
from tests.adapters.failing import ASK, QUOTE, Broken, knowing, locked, model_down
from tests.adapters.slack import office as slack

GERMAN = texts("de")


@dataclass(frozen=True, kw_only=True)
class Platform:
    """How a German bot is met there: asked questions in a channel, or serving an office."""

    said: Callable[..., Awaitable[list[str]]]
    office: Callable[[Path], AbstractAsyncContextManager[Any]]


@pytest.fixture(params=[slack, discord], ids=["slack", "discord"])
def platform(request: pytest.FixtureRequest) -> Platform:
    return Platform(said=request.param.said, office=request.param.office)


def begins(template: str) -> str:
    """Return what stands before a template's first blank."""
    return template.partition("{")[0]


async def test_a_model_that_is_down(platform: Platform, tmp_path: Path) -> None:
    """Beside the passage a German line says that the model cannot be reached."""
    async with model_down() as answers:
        (told,) = await platform.said(tmp_path, answers, ASK)
    assert QUOTE in told
    assert "Das Modell ist nicht erreichbar, deshalb hier die Textstellen selbst (Log " in told


async def test_documents_that_cannot_be_searched(platform: Platform, tmp_path: Path) -> None:
    """The German line comes first; below it stands what the store said, with a German word for the log."""
    (told,) = await platform.said(tmp_path, locked, ASK)
    line, detail = told.splitlines()
    assert line == GERMAN.cannot_search
    assert "locked by another process. (Log " in detail


async def test_a_failure_that_nobody_foresaw(platform: Platform, tmp_path: Path) -> None:
    """One German line stands in the answer's place."""
    (told,) = await platform.said(tmp_path, Broken, ASK)
    assert told.startswith(begins(GERMAN.failed))


async def test_a_quota(platform: Platform, tmp_path: Path) -> None:
    """Who asks too much is told in German when they may ask again."""
    _, told = await platform.said(tmp_path, knowing, ASK, "How many weeks?", per_person=1)
    assert told.startswith("Du hast in zehn Minuten 1 Frage gestellt. Frag in ")


async def test_commands_that_cannot_be_carried_out(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown source, a command that is not allowed and a broken database are refused in German."""
    async with platform.office(tmp_path) as town:
        unknown = await town.kb("show rules", town.bob)
        assert unknown.startswith("Eine Quelle 'rules' gibt es nicht. Siehe `/kb list`.")
        refused = await town.kb("sync", town.bob)
        assert refused.startswith("Du darfst nicht ändern, was ich weiß; das dürfen Admins und alle")

        async def fails(_: Manifest) -> None:
            raise StoreError("The database is malformed.")

        monkeypatch.setattr(Manifest, "states", fails)
        line = GERMAN.failures["StoreError"]
        assert (await town.kb("list", town.bob)).startswith(f"{line} (Log ")
        assert await town.kb("list", town.ann) == f"{line} The database is malformed."
