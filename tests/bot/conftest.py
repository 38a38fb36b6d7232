from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.llms import Model, open_model
from bot.settings import LlmSettings
from tests.emulators.openai import OpenAIEmulator


@pytest.fixture
async def server() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator().running() as running:
        yield running


@pytest.fixture
def llm_settings(server: OpenAIEmulator) -> LlmSettings:
    return LlmSettings(
        provider="openai",
        model="test-model",
        base_url=server.base_url,
        timeout=20.0,
        price_input=2.0,
        price_output=10.0,
    )


@pytest.fixture
async def model(server: OpenAIEmulator, llm_settings: LlmSettings) -> AsyncIterator[Model]:
    opened = open_model(llm_settings, SecretStr(server.key))
    assert opened is not None
    yield opened
    await opened.close()
