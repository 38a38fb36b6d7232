"""The pictures of docs/slack.md and docs/discord.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.preview import discord, slack

DOCS = Path(__file__).parents[2] / "docs"
SCENES = {**discord.SCENES, **slack.SCENES}


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_has_its_page_and_its_small_picture(name: str) -> None:
    """Each scene renders, and its picture is there with at most 120 kB."""
    page = SCENES[name][0]()
    assert page.startswith("<!doctype html>")
    assert "Lorekeeper" in page or "modal" in page
    assert 2_000 < (DOCS / "images" / f"{name}.png").stat().st_size <= 120_000


@pytest.mark.parametrize("platform", ["discord", "slack"])
def test_the_set_up_page_shows_every_picture(platform: str) -> None:
    """The page of a platform shows each of its pictures that is made, and none that is not."""
    shown = re.findall(r"\(images/([\w-]+)\.png\)", (DOCS / f"{platform}.md").read_text("utf-8"))
    assert sorted(shown) == sorted(name for name in SCENES if name.startswith(f"{platform}-"))
