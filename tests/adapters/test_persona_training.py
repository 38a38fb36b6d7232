from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.ledger import Ledger
from bot.training import Trained
from bot.tuned_models import TunedModel, TunedModels
from kb.database import open_database
from tests.adapters.command import Shell
from tests.emulators.openai_tuning import TuningEmulator


@contextmanager
def serving(server: TuningEmulator) -> Iterator[TuningEmulator]:
    """Run the server beside a command that runs its own loop in this thread."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    ending = asyncio.Event()

    async def serve() -> None:
        async with server.running():
            started.set()
            await ending.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    started.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()
        loop.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TuningEmulator]:
    monkeypatch.setattr("bot.fine_tuning.POLL_SECONDS", 0.0)
    monkeypatch.setenv("TUNE_KEY", "test-key")
    emulator = TuningEmulator(models=("gpt-4.1-mini-2025-04-14", "small"))
    emulator.by_itself = True
    with serving(emulator):
        yield emulator


def prepare(folder: Path, base_url: str) -> None:
    """Write settings with one persona, and its data set."""
    (folder / "config.toml").write_text(
        f'[[personas]]\nname = "Dana"\nbase_url = "{base_url}"\napi_key_env = "TUNE_KEY"\n', encoding="utf-8"
    )
    dataset = folder / ".lorekeeper" / "personas" / "Dana" / "dataset"
    dataset.mkdir(parents=True)
    for name, count in (("train", 12), ("validation", 2)):
        lines = [
            {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": f"{name} {n}"}]}
            for n in range(count)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (dataset / f"{name}.jsonl").write_text(text, encoding="utf-8")


def kept(folder: Path) -> dict[str, TunedModel]:
    async def read() -> dict[str, TunedModel]:
        engine = await open_database("", folder / ".lorekeeper")
        try:
            await Ledger.open(engine)
            return await TunedModels(engine).all()
        finally:
            await engine.dispose()

    return asyncio.run(read())


def test_train(shell: Shell, server: TuningEmulator) -> None:
    """A voice is trained at the API, its progress told, and its model recorded for the persona."""
    prepare(shell.folder, server.base_url)
    done = shell("persona", "train", "dana", "--epochs", "2")
    assert done.code == 0, done.err
    model = "ft:gpt-4.1-mini-2025-04-14:org:dana:1"
    assert f"Trained Dana: {model}" in done.out
    assert "loss 1.200, validation loss 1.600, 4,321 tokens" in done.out
    assert "12 examples are few" in done.err
    assert "step 2 of 3: loss 1.500, validation loss 1.700" in done.err
    row = kept(shell.folder)["Dana"]
    assert (row.model, row.base_url, row.backend, row.job) == (model, server.base_url, "openai", "ftjob-1")
    assert row.trained > 1_700_000_000
    assert not (shell.folder / ".lorekeeper" / "personas" / "Dana" / "training.json").exists()


def test_train_as_json(shell: Shell, server: TuningEmulator) -> None:
    """With --json the result alone is on standard output."""
    prepare(shell.folder, server.base_url)
    done = shell("persona", "train", "Dana", "--base", "small", "--json")
    told = json.loads(done.out)
    assert (told["persona"], told["base"], told["model"]) == ("Dana", "small", "ft:small:org:dana:1")
    assert (told["loss"], told["validation_loss"], told["notes"]) == (1.2, 1.6, [])


def test_a_failed_training_keeps_the_persona(shell: Shell, server: TuningEmulator) -> None:
    """A job that fails ends the command with its reason, and the earlier model stays recorded."""
    prepare(shell.folder, server.base_url)
    shell("persona", "train", "Dana")
    server.outcome = "failed"
    done = shell("persona", "train", "Dana")
    assert done.code == 1
    assert "failed: The data was not approved." in done.err
    assert kept(shell.folder)["Dana"].job == "ftjob-1"


def test_cancel_and_resume(shell: Shell, server: TuningEmulator) -> None:
    """Without a job there is nothing to follow or cancel, and each says so in one line."""
    prepare(shell.folder, server.base_url)
    for words, told in (
        (("train", "Dana", "--resume"), "Start one"),
        (("cancel", "Dana"), "nothing to cancel"),
    ):
        done = shell("persona", *words)
        assert done.code == 2
        assert told in done.err
        assert len(done.err.strip().splitlines()) == 1


def test_wrong_use(shell: Shell, server: TuningEmulator) -> None:
    """A name that is a path, a missing data set, an odd --out and a missing --base are told in one line."""
    prepare(shell.folder, server.base_url)
    for words, told in (
        (("../x",), "is no name of a persona"),
        (("other",), "There is no data set at"),
        (("Dana", "--out", "x"), "add --backend lora"),
    ):
        done = shell("persona", "train", *words)
        assert done.code == 2
        assert told in done.err
    assert server.requests == []


def test_a_lora_adapter_needs_a_base(shell: Shell) -> None:
    """Training an adapter says which model it wants to start from."""
    for extra in ("torch", "transformers", "peft"):
        pytest.importorskip(extra, reason="needs the extra lora")
    prepare(shell.folder, "http://127.0.0.1:1/v1")
    done = shell("persona", "train", "Dana", "--backend", "lora")
    assert done.code == 2
    assert "--backend lora needs --base" in done.err


async def test_the_latest_training_counts(tmp_path: Path) -> None:
    """A persona has one model: the one of its latest training."""
    engine = await open_database("", tmp_path)
    await Ledger.open(engine)
    models = TunedModels(engine)
    for number in (1, 2):
        made = Trained(model=f"ft:{number}", base="b", backend="openai", job=f"j{number}")
        await models.keep("dana", made)
    found = await models.find("dana")
    assert found is not None
    assert (found.model, found.job) == ("ft:2", "j2")
    assert await models.find("nobody") is None
    await engine.dispose()
