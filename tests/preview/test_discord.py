"""The pictures of docs/discord.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.preview.discord import SCENES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_has_its_page_and_its_small_picture(name: str) -> None:
    """Each scene renders, and its picture is there with at most 120 kB."""
    page = SCENES[name][0]()
    assert page.startswith("<!doctype html>")
    assert "Lorekeeper" in page or "modal" in page
    assert 2_000 < (DOCS / "images" / f"{name}.png").stat().st_size <= 120_000


def test_the_set_up_page_shows_every_picture() -> None:
    """docs/discord.md shows each picture that is made, and none that is not."""
    shown = re.findall(r"\(images/(discord-[\w-]+)\.png\)", (DOCS / "discord.md").read_text("utf-8"))
    assert sorted(shown) == sorted(SCENES)
