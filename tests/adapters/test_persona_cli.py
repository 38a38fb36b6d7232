"""`ask --persona` as it is installed, against a server on the loopback interface."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.adapters.command import Shell
from tests.emulators.openai import OpenAIEmulator, say

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
[persona]
enabled = true
name = "pirate"
description = "a pirate"
model = "ft:pirate"
base_url = "{url}"

[[sources]]
name = "docs"
type = "folder"
location = "./docs"
"""


async def lorekeeper(folder: Path, key: str, *arguments: str) -> tuple[int, str, str]:
    """Run the command in a folder and return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters", *arguments, cwd=folder,
        env=os.environ | {"OPENAI_API_KEY": key, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_ask_in_a_voice(tmp_path: Path) -> None:
    """The command answers in the voice, tells the step in --json, and refuses an unknown persona."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "printer.md").write_text("# Printer PINs\n\nPrinter PINs have 6 digits.\n")
    async with OpenAIEmulator(models=("ft:pirate",)).running() as server:
        (tmp_path / "config.toml").write_text(CONFIG.format(url=server.base_url))
        server.reply = lambda _request: say("Arr, printer PINs have six digits [1]!")
        code, _, err = await lorekeeper(tmp_path, server.key, "sync")
        assert code == 0, err
        asked = "How many digits do printer PINs have?"
        code, out, err = await lorekeeper(tmp_path, server.key, "ask", asked, "--persona", "pirate", "--json")
        assert code == 0, err
        told = json.loads(out)
        assert (told["answer"], told["mode"]) == ("Arr, printer PINs have six digits [1]!", "persona"), told
        assert (told["persona"]["verdict"], told["persona"]["name"]) == ("kept", "pirate")
        code, out, err = await lorekeeper(tmp_path, server.key, "ask", asked, "--persona", "elf")
        assert (code, out) == (2, "")
        assert err == "lorekeeper: --persona 'elf': There is no persona 'elf'. There are: 'pirate'.\n"


def test_list_tells_where_voices_are_on(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list has the channels of settings and commands, how many people chose it, and how it did."""
    rule = '\n[[channels]]\nplatform = "discord"\nid = "7"\npersona = "pirate"\n'
    monkeypatch.setenv("OPENAI_API_KEY", "")
    (shell.folder / "docs").mkdir()
    (shell.folder / "config.toml").write_text(CONFIG.format(url="http://127.0.0.1:9/v1") + rule)
    done = shell("persona", "list")
    assert done.code == 0, done.err
    assert done.out.splitlines()[1].split() == [
        *("pirate", "rewrite", "ft:pirate", "discord:7", "none", "yet", "ready")
    ]
    for option, key in (("--channel", "slack:T1:C1"), ("--person", "slack:T1:U1")):
        done = shell("persona", "on", "pirate", option, key)
        assert done.code == 0, done.err
        assert key in done.out
    done = shell("persona", "list")
    assert "discord:7, slack:T1:C1, 1 person" in done.out
    done = shell("persona", "off")
    assert done.out == "No persona speaks anywhere.\n"
    done = shell("persona", "list", "--json")
    (told,) = json.loads(done.out)
    assert (told["channels"], told["people"]) == (["discord:7", "slack:T1:C1"], ["slack:T1:U1"])
    assert (told["answers"], told["state"]) == ({}, "off everywhere")
