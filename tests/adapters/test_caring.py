"""The commands that look back and look after: rollback, diff, backup, restore, repair."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adapters.caring import _FOLDERS
from bot.curated import FOLDER
from tests.adapters.command import Shell


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.fixture
def synced(shell: Shell) -> Shell:
    """Return a shell with a folder source that was synced, edited and synced again."""
    for number in range(3):
        write(shell.folder / "notes" / f"{number}.md", f"# Note {number}\n\nThe colour of {number} is red.\n")
    assert shell("sources", "add", "notes").code == 0
    assert shell("sync").code == 0
    write(shell.folder / "notes" / "0.md", "# Note 0\n\nThe colour of 0 is blue.\n")
    write(shell.folder / "notes" / "new.md", "# New\n\nA new note.\n")
    assert shell("sync").code == 0
    return shell


def last_run(shell: Shell) -> str:
    runs = json.loads(shell("sync", "--history", "--json").out)
    return str(runs[0].get("run") or runs[0]["id"])


def texts(shell: Shell, question: str) -> list[str]:
    return [one["text"] for one in json.loads(shell("search", question, "--json").out)["results"]]


def test_a_sync_is_shown_and_rolled_back(synced: Shell) -> None:
    """Diff names what a sync changed, a rollback undoes it and holds the source until it is resumed."""
    run = last_run(synced)
    shown = synced("diff", run[:8])
    assert shown.code == 0
    assert "1 added, 1 changed" in shown.out
    assert "- The colour of 0 is red." in shown.out
    assert "+ The colour of 0 is blue." in shown.out
    diff = json.loads(synced("diff", run, "--json").out)
    assert (diff["run"], diff["source"], diff["added"], diff["changed"]) == (
        run,
        "notes",
        ["new.md"],
        ["0.md"],
    )
    done = synced("sync", "--rollback", run[:8])
    assert (done.code, "lorekeeper sources resume notes" in done.out) == (0, True)
    assert "The colour of 0 is red." in texts(synced, "colour of 0")
    held = synced("sync")
    assert held.code == 1
    assert "is held at run" in held.out + held.err
    assert synced("sources", "resume", "notes").code == 0
    assert synced("sync").code == 0
    assert "The colour of 0 is blue." in texts(synced, "colour of 0")


def test_an_unknown_run_is_one_line(synced: Shell) -> None:
    """A run that nobody knows is refused in one line that says where to look."""
    for arguments in (("diff", "zzz"), ("sync", "--rollback", "zzz")):
        done = synced(*arguments)
        assert (done.code, done.err) == (
            1,
            "lorekeeper: There is no run 'zzz'. See: lorekeeper sync --history\n",
        )


def test_a_backup_is_brought_back(synced: Shell) -> None:
    """A backup restored into another folder answers as the original; over a base it needs --force."""
    made = json.loads(synced("backup", "all.tar", "--json").out)
    assert made["nodes"] == 4
    again = synced("backup", "all.tar")
    assert (again.code, "exists already" in again.err) == (1, True)
    refused = synced("restore", "all.tar")
    assert (refused.code, "give --force" in refused.err) == (1, True)
    done = json.loads(synced("restore", "all.tar", "--data", "other", "--json").out)
    assert (done["state_hash"], done["aside"]) == (made["state_hash"], None)
    found = json.loads(synced("search", "new note", "--json", "--data", "other").out)
    assert found["results"][0]["document"] == "new.md"
    forced = synced("restore", "all.tar", "--force")
    assert (forced.code, "What was there lies in" in forced.out) == (0, True)
    assert synced("sync").code == 0


def test_a_backup_holds_what_people_saved(synced: Shell) -> None:
    """Files saved from chats are in a backup, and their source reads them in the new data folder."""
    assert _FOLDERS == (FOLDER,)
    page = synced.folder / ".lorekeeper" / FOLDER / "everyone" / "badge.md"
    page.parent.mkdir(parents=True)
    page.write_text("# Badge\n\nPress the star key twice to reset a badge.\n")
    assert synced("sources", "add", str(page.parent), "--name", "saved").code == 0
    assert synced("sync", "saved").code == 0
    assert synced("backup", "all.tar").code == 0
    assert synced("restore", "all.tar", "--data", "other").code == 0
    shutil.rmtree(page.parent)
    copy = synced.folder / "other" / FOLDER / "everyone" / "badge.md"
    copy.write_text(copy.read_text() + "\nThen wait for a minute.\n")
    (report,) = json.loads(synced("sync", "saved", "--json", "--data", "other").out)
    assert (report["status"], report["updated"], report["deleted"]) == ("ok", 1, 0)


def test_a_lost_database_is_repaired(synced: Shell) -> None:
    """After the database was damaged repair makes its rows from the index."""
    assert synced("repair").out == "Index and database are whole.\n"
    for path in (synced.folder / ".lorekeeper").glob("lorekeeper.db*"):
        path.write_bytes(b"damaged" * 1_000)
    done = synced("repair")
    assert done.code == 0
    assert "The database could not be read and was moved to" in done.out
    assert "notes: 4 rows made from the index" in done.out
    assert json.loads(synced("repair", "--json").out)["sources"][0]["documents"] == 4
    assert "A new note." in texts(synced, "new note")
