"""Why an answer may be missing, the same for each chat app, and what the line in its place must be (P17)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from bot.ledger import Ledger
from bot.llms import Model, open_model
from bot.messages import Answer, Question
from bot.settings import LlmSettings
from kb.errors import StoreError
from tests.bot.desks import ScriptedAssistant
from tests.bot.found import FakeSearcher, Found, assistant, passage

LOG_ID = re.compile(r"\(log [0-9a-f]{8}\)")
PINS = passage("Printer PINs have 6 digits.", title="Printer help")
QUOTE = PINS.text.rstrip(".")
ASK = "How many digits has a printer PIN?"
SECRET = "hunter2"  # what no reader may see

Assistants = Callable[[Ledger], Any]


def one_line(said: str) -> str:
    """Return what is said, which must be one short line without anything of the inside."""
    assert said
    assert "\n" not in said
    assert len(said) < 300
    assert "Traceback" not in said
    assert "Error" not in said
    return said


@dataclass(slots=True)
class Broken(ScriptedAssistant):
    """An assistant that fails in a way which nobody foresaw."""

    def made(self, question: Question) -> Answer:
        raise RuntimeError(f"password={SECRET}")


def silent(ledger: Ledger) -> ScriptedAssistant:
    """Return an assistant that never says a word."""
    return ScriptedAssistant(ledger, holds=asyncio.Event())


def knowing(ledger: Ledger, *, model: Model | None = None) -> Any:  # noqa: ANN401 - a whole assistant
    """Return an assistant with one document."""
    return assistant(PINS, model=model, ledger=ledger)


def without_documents(ledger: Ledger) -> Any:  # noqa: ANN401
    """Return an assistant with none."""
    return assistant(ledger=ledger)


def locked(ledger: Ledger) -> Any:  # noqa: ANN401
    """Return an assistant whose documents cannot be searched."""
    fails = StoreError("The store is locked by another process.")
    return assistant(ledger=ledger, searcher=FakeSearcher(Found(passages=()), fails=fails))


@asynccontextmanager
async def modelled(base_url: str, *, key: str = "k", seconds: float = 5.0) -> AsyncIterator[Assistants]:
    """Give assistants with one document and the model at an address."""
    settings = LlmSettings(provider="openai", model="test-model", base_url=base_url, timeout=seconds)
    model = open_model(settings, SecretStr(key))
    assert model is not None
    try:
        yield lambda ledger: knowing(ledger, model=model)
    finally:
        await model.close()


def model_down() -> Any:  # noqa: ANN401 - a context of assistants
    """Give assistants whose model nobody serves."""
    return modelled("http://127.0.0.1:9/v1", seconds=60.0)
