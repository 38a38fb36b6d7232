from __future__ import annotations

import json
from pathlib import Path

from tests.adapters.command import Shell, start
from tests.bot.persona_data.exports import consent, slack_zip, talks

PEOPLE = {"U1": "Ana Pérez", "U2": "Bo Li"}


def export(folder: Path, count: int = 60) -> None:
    slack_zip(folder / "export.zip", {"2023-11-14": talks(count)}, PEOPLE)
    consent(folder, "Ana Pérez", "U2")


ASKED = ("persona", "dataset", "--speaker", "Ana Pérez", "--from", "export.zip", "--consent", "consent.txt")


def test_data_set_from_the_command_line(tmp_path: Path) -> None:
    """The command writes its files into the data folder and prints the report."""
    export(tmp_path)
    done = start(tmp_path, *ASKED)
    assert (done.code, done.err) == (0, "")
    folder = tmp_path / ".lorekeeper" / "personas" / "persona" / "dataset"
    written = {file.name for file in folder.iterdir()}
    assert written == {"train.jsonl", "validation.jsonl", "replies.jsonl", "report.json", "report.txt"}
    assert "Consent: consent.txt" in done.out
    assert "lorekeeper persona train persona" in done.out


def test_report_as_json(shell: Shell) -> None:
    """With --json standard output is the report alone; --out names the folder."""
    export(shell.folder)
    done = shell(*ASKED, "--out", "set", "--json", "--persona", "ana")
    report = json.loads(done.out)
    assert report["persona"] == "ana"
    assert report["consent"]["people"] == 2
    assert report["files"]["train"] == "set/train.jsonl"
    assert len((shell.folder / "set" / "train.jsonl").read_text().splitlines()) == report["examples"]["train"]


def test_earlier_data_set_is_kept(shell: Shell) -> None:
    """A second run does not write over the first without --force."""
    export(shell.folder)
    assert shell(*ASKED).code == 0
    again = shell(*ASKED)
    assert again.code == 2
    assert "--force" in again.err
    assert shell(*ASKED, "--force").code == 0


def test_wrong_use(shell: Shell) -> None:
    """Each way of asking for what cannot be made ends with code 2 and one line that says what to do."""
    export(shell.folder)
    wrong = {
        "Missing option '--consent'": ASKED[:-2],
        "'Zed' is in no export": (*ASKED[:3], "Zed", *ASKED[4:]),
        "cannot be read": (*ASKED, "none.zip"),
        "no country code": (*ASKED, "--region", "XX"),
        "no model is set up": (*ASKED, "--drafts", "model"),
        "is no name": (*ASKED, "--persona", "../x"),
    }
    for words, arguments in wrong.items():
        done = shell(*arguments)
        assert (done.code, done.out) == (2, ""), words
        assert words in done.err
        assert done.err.count("\n") == 1
    assert not (shell.folder / ".lorekeeper" / "personas").exists()


def test_empty_ledger(shell: Shell) -> None:
    """With the word ledger, liked answers are read; without any there is nothing to train on."""
    export(shell.folder)
    (shell.folder / "consent.txt").write_text("lorekeeper\n")
    done = shell(
        "persona", "dataset", "--speaker", "lorekeeper", "--from", "ledger", "--consent", "consent.txt"
    )
    assert done.code == 2
    assert "No reply is left" in done.err


def test_group_lists_its_commands(shell: Shell) -> None:
    """The group's help names what can be done, from data to switch."""
    shown = shell("persona", "--help").out
    for name in ("dataset", "train", "cancel", "compare", "vote", "list", "on", "off"):
        assert f"  {name} " in shown
