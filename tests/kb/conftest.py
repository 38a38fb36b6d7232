"""What the tests of this layer share."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.kb.bases import Base, open_base


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty knowledge base: copying it is quicker than making one for each test."""
    folder = tmp_path_factory.mktemp("blank")

    async def make() -> None:
        async with AsyncExitStack() as stack:
            await open_base(stack, folder)

    asyncio.run(make())
    return folder


@pytest.fixture
async def base(tmp_path: Path, blank: Path) -> AsyncIterator[Base]:
    shutil.copytree(blank, tmp_path, dirs_exist_ok=True)
    shutil.copytree(blank, tmp_path / "clean")
    async with AsyncExitStack() as stack:
        yield await open_base(stack, tmp_path)
