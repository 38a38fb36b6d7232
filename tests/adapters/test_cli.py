"""The command line: what is printed where, and the exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.adapters.command import LOREKEEPER, Shell, start


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with two sources, indexed: one for everyone, one for the audience hr."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "handbook").mkdir()
    (folder / "handbook" / "leave.md").write_text(
        "# Leave\n\nEverybody has 28 days of paid leave a year.\n\n"
        "## Carry over\n\nUp to five unused days move into the next year.\n",
        encoding="utf-8",
    )
    (folder / "handbook" / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    (folder / "pay").mkdir()
    (folder / "pay" / "levels.md").write_text("# Pay\n\nLevel four earns 70,000 crowns.\n", encoding="utf-8")
    (folder / "config.toml").write_text(
        '[[sources]]\nname = "handbook"\ntype = "folder"\nlocation = "handbook"\n', encoding="utf-8"
    )
    return folder


@pytest.fixture
def indexed(base: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run commands where both sources are indexed."""
    shell = Shell(folder=base, capture=capfd)
    if not (base / ".lorekeeper").exists():
        assert shell("sources", "add", "pay", "--audience", "hr").code == 0
        synced = shell("sync", "--json")
        assert synced.code == 3, synced.err
        handbook, pay = json.loads(synced.out)
        assert (handbook["status"], pay["status"]) == ("partial", "ok")
        assert [error["document"] for error in handbook["errors"]] == ["broken.pdf"]
    return shell


def test_help_imports_nothing_heavy() -> None:
    """`lorekeeper --help` loads no library that answers or indexes, which would cost seconds."""
    seen = subprocess.run(
        [LOREKEEPER.parent / "python", "-X", "importtime", LOREKEEPER, "--help"],
        capture_output=True,
        encoding="utf-8",
    )
    assert seen.returncode == 0
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in seen.stderr.splitlines()}
    heavy = {"lancedb", "llama_index", "onnxruntime", "sqlalchemy", "openai", "numpy", "pydantic", "asyncio"}
    assert not loaded & heavy


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    """A mistyped key ends with 2 and a line that names the file and the nearest key."""
    (tmp_path / "config.toml").write_text("[retrieval]\ntreshold = 1\n")
    done = start(tmp_path, "status")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "lorekeeper: config.toml: unknown key 'retrieval.treshold' (value 1). "
        "Did you mean 'retrieval.threshold'?\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "lorekeeper: No such command 'frobnicate'. Help: lorekeeper --help"),
        (["ask"], "lorekeeper ask: Give one QUESTION in quotes, or --questions FILE."),
        (["ask", " "], "lorekeeper ask: The question is empty. Help: lorekeeper ask --help"),
        (["ask", "Who?", "--persona", "bard"], "lorekeeper: --persona 'bard': personas are switched off. "),
        (["--config", "x.toml", "status"], "lorekeeper: settings file 'x.toml' does not exist."),
        (["sources", "remove", "x", "--yes"], "lorekeeper: There is no source 'x'. See: lorekeeper "),
        (["sync", "x"], "lorekeeper: There is no source 'x'. See: lorekeeper sources list"),
        (["ask", "a", "b"], "lorekeeper ask: Got unexpected extra argument (b). Help: lorekeeper ask --help"),
        (["sync", "--limit", "3"], "lorekeeper sync: --limit says how many syncs --history shows: "),
        (["--config", ".", "status"], "lorekeeper: settings file '.' is a folder. Name the file in it."),
        (["sources", "add", ""], "lorekeeper: The location '' is empty. Supported are a folder"),
        (["sources", "add", ".", "--name", "a b"], "lorekeeper: The source '.': name 'a b' is wrong: write"),
        (["sources", "add", ".", "--every", "5x"], "lorekeeper: The source '.': every '5x' is wrong: '5x' "),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(arguments: list[str], said: str, shell: Shell) -> None:
    """What cannot be done as it was written ends with 2 and says why on standard error."""
    done = shell(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(said)


def test_a_data_folder_that_is_a_file_is_named(shell: Shell) -> None:
    """What stands where the data should go is said before any work."""
    (shell.folder / "notes.txt").write_text("words")
    done = shell("--data", "notes.txt", "status")
    assert (done.code, done.out) == (2, "")
    assert done.err == "lorekeeper: the data folder 'notes.txt' is a file. Name a folder.\n"


def test_a_search_that_finds_nothing_says_where_to_look(shell: Shell) -> None:
    """An empty list of passages comes with the command that tells why; with --json it stays JSON alone."""
    done = shell("search", "anything")
    assert done.code == 0
    assert "What is indexed: lorekeeper status" in done.err
    assert json.loads(shell("search", "anything", "--json").out)["results"] == []


def test_a_folder_that_is_added_twice_is_told(shell: Shell) -> None:
    """A second source of the same place is added, and its twin is named."""
    (shell.folder / "docs").mkdir()
    assert "same location" not in shell("sources", "add", "docs").err
    assert "docs has the same location" in shell("sources", "add", "docs", "--name", "again").err


def test_a_closed_output_is_no_fault_of_the_program(tmp_path: Path) -> None:
    """A command whose standard output was closed ends as if it had been read."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"{LOREKEEPER} --version >&-; echo ended with $?"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("ended with 0\n", "")


def test_init_writes_settings_that_work_and_never_over_others(shell: Shell) -> None:
    """The written file is accepted as it is; a second init leaves it alone, --force does not."""
    assert shell("init", "etc").code == 0
    path = shell.folder / "etc" / "config.toml"
    status = shell("status", "--json", "--config", str(path))
    assert status.code == 0, status.err
    assert json.loads(status.out)["data"] == str(shell.folder / "etc" / ".lorekeeper")
    path.write_text("# mine\n")
    assert shell("init", "etc").code == 2
    assert path.read_text() == "# mine\n"
    assert shell("init", "etc", "--force").code == 0
    assert path.read_text() != "# mine\n"


def test_places_are_taken_before_and_after_the_command(shell: Shell) -> None:
    """--data means the same on both sides of a command; the later one counts."""
    before = shell("--data", "a", "status", "--json")
    after = shell("--data", "a", "sources", "list", "--json", "--data", "b")
    assert json.loads(before.out)["data"] == str(shell.folder / "a")
    assert (after.code, (shell.folder / "b").is_dir()) == (0, True)


def test_an_empty_base_says_how_to_begin(shell: Shell) -> None:
    """Asking before there is a source tells how to add one; with --json that is JSON too."""
    done = shell("ask", "Anything?", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["answered"]) == (0, False)
    assert "lorekeeper sources add" in answer["answer"]


def test_a_bad_question_line_is_named_before_work_starts(shell: Shell) -> None:
    """Nothing is answered and no data folder made when a line asks nothing."""
    (shell.folder / "q.jsonl").write_text('{"question": "One?"}\n{"id": 2}\n')
    done = shell("ask", "--questions", "q.jsonl")
    assert (done.code, done.out) == (2, "")
    assert "q.jsonl, line 2" in done.err
    assert not (shell.folder / ".lorekeeper").exists()


def test_a_source_that_is_not_there_is_not_added(shell: Shell) -> None:
    """The location is looked at first; a wrong one leaves nothing behind."""
    done = shell("sources", "add", "nowhere")
    assert done.code == 2
    assert "'nowhere' does not exist" in done.err
    assert json.loads(shell("sources", "list", "--json").out) == []


def test_a_fault_of_the_program_shows_no_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen exception is one line with an id; the traceback is in the data folder."""
    monkeypatch.setattr("adapters.managing.status_json", lambda _: {}["missing"])
    done = shell("status", "--json")
    (path,) = (shell.folder / ".lorekeeper" / "logs").glob("error-*.txt")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"lorekeeper: internal error {path.stem.removeprefix('error-')} (KeyError)")
    assert done.err.count("\n") == 1
    assert "KeyError: 'missing'" in path.read_text()


def test_an_answer_has_the_contract_s_keys(indexed: Shell) -> None:
    """The JSON of `ask` holds what other programs rely on, cited from the right document."""
    done = start(indexed.folder, "ask", "How many days of paid leave does everybody have?", "--json")
    assert (done.code, done.err) == (0, "")
    assert not (indexed.folder / ".cache").exists(), "something was written outside the data folder"
    answer = json.loads(done.out)
    assert answer["answered"]
    assert "28 days" in answer["answer"]
    assert answer["mode"] == "extractive"
    assert {"question", "confidence", "model", "milliseconds", "usage"} <= set(answer)
    assert set(answer["usage"]) == {"input_tokens", "output_tokens", "cost"}
    citation = answer["citations"][0]
    assert {"number", "document", "title", "heading", "url", "quote", "updated", "source"} <= set(citation)
    assert (citation["document"], citation["source"], citation["title"]) == ("leave.md", "handbook", "Leave")


def test_many_questions_give_a_line_each_in_order(indexed: Shell) -> None:
    """Ids come back in the order of the file, each with its results."""
    lines = (json.dumps({"id": number, "question": f"What about leave {number}?"}) for number in range(3))
    (indexed.folder / "q.jsonl").write_text("\n".join(lines))
    done = indexed("search", "--questions", "q.jsonl", "--limit", "1")
    replies = [json.loads(line) for line in done.out.splitlines()]
    assert [reply["id"] for reply in replies] == [0, 1, 2]
    assert {reply["results"][0]["document"] for reply in replies} == {"leave.md"}
    assert " ".join(replies[0]["results"][0]) == "rank document title heading text score source node"


def test_a_limited_document_is_found_by_its_audience_alone(indexed: Shell) -> None:
    """Without the tag the document is in no result; with it, it comes first."""
    question = "What does level four earn?"
    hidden = json.loads(indexed("search", question, "--json").out)
    shown = json.loads(indexed("search", question, "--json", "--audience", "hr").out)
    assert "levels.md" not in {result["document"] for result in hidden["results"]}
    assert shown["results"][0]["document"] == "levels.md"


def test_people_read_an_answer_with_its_place(indexed: Shell) -> None:
    """Without --json the citation's place follows the answer."""
    done = indexed("ask", "How many unused days move into the next year?", "--source", "handbook")
    assert done.code == 0
    assert "[1] leave.md > Carry over  handbook" in done.out


def test_show_names_what_could_not_be_read(indexed: Shell) -> None:
    """A broken document stands in `sources show` with a reason, for people and for programs."""
    assert "broken.pdf" in indexed("sources", "show", "handbook").out
    told = json.loads(indexed("sources", "show", "handbook", "--json").out)
    assert [(error["document"], bool(error["reason"])) for error in told["errors"]] == [("broken.pdf", True)]


def test_a_sync_of_nothing_new_is_told_in_a_line(indexed: Shell) -> None:
    """The report for people names what is unchanged and what still cannot be read."""
    done = indexed("sync", "pay")
    assert done.code == 0
    assert done.out.startswith("pay: 1 unchanged in ")


def test_a_dry_run_changes_nothing(indexed: Shell) -> None:
    """What would be added is told, and is not there afterwards."""
    new = indexed.folder / "pay" / "new.md"
    new.write_text("# New\n\nText.\n")
    (report,) = json.loads(indexed("sync", "pay", "--dry-run", "--json").out)
    new.unlink()
    assert (report["added"], report["unchanged"]) == (1, 1)
    (pay,) = [one for one in json.loads(indexed("sources", "list", "--json").out) if one["name"] == "pay"]
    assert pay["documents"] == 1


def test_a_name_is_taken_once(indexed: Shell) -> None:
    """A second source of the same name is refused with its name, wherever the first is defined."""
    for name in ("handbook", "pay"):
        done = indexed("sources", "add", name)
        assert done.code == 2
        assert repr(name) in done.err


def test_the_doctor_finds_a_healthy_base_well(indexed: Shell) -> None:
    """Every check of a base that works is ok, by name."""
    findings = json.loads(indexed("doctor", "--json").out)
    assert {finding["check"]: finding["outcome"] for finding in findings} == dict.fromkeys(
        (
            *(
                "Python",
                "Settings",
                "Data folder",
                "Embedding",
                "Database",
                "Index",
                "Answers",
                "Schedule",
                "git",
            ),
            *("Source handbook", "Source pay"),
        ),
        "ok",
    )


def test_syncs_are_listed_with_their_runs(indexed: Shell) -> None:
    """The history names each sync, newest first, for people and for programs."""
    told = json.loads(indexed("sync", "--history", "handbook", "--json").out)
    assert {run["source"] for run in told} == {"handbook"}
    first = told[-1]
    assert (first["kind"], first["status"], first["report"]["added"]) == ("sync", "partial", 1)
    assert first["started"] <= first["finished"]
    shown = indexed("sync", "--history", "--limit", "1").out.splitlines()
    assert len(shown) == 2
    assert shown[0].startswith("Source")
    assert indexed("sync", "--history", "--dry-run").code == 2
    assert indexed("sync", "--history", "nobody").code == 2


def test_pictures_among_the_documents_are_told_in_one_line(tmp_path: Path, shell: Shell) -> None:
    """Files of kinds that hold no text are counted, and are no failure."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "tea.md").write_text("# Tea\n\nTea is at four.\n", encoding="utf-8")
    for name in ("one.png", "two.png"):
        (tmp_path / "notes" / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    assert shell("sources", "add", "notes").code == 0
    synced = shell("sync")
    assert (synced.code, len(synced.out.splitlines())) == (0, 2)
    assert "2 files without text passed over: lorekeeper sources show notes" in synced.out
    assert "is a PNG image" in shell("sources", "show", "notes").out


def test_a_source_is_paused_and_resumed(indexed: Shell) -> None:
    """A sync plans the next one; a paused source has none, and is due when it is resumed."""

    def told() -> dict[str, object]:
        (pay,) = [
            one for one in json.loads(indexed("status", "--json").out)["sources"] if one["name"] == "pay"
        ]
        return pay

    planned = told()
    assert (planned["paused"], planned["failures"], planned["attention"]) == (False, 0, False)
    assert (planned["hung"], planned["overdue"], planned["held_at"]) == (False, False, None)
    assert str(planned["next_run"]) > str(planned["last_run"])
    assert json.loads(indexed("sources", "pause", "pay", "--json").out) == {"source": "pay", "paused": True}
    assert (told()["paused"], told()["next_run"]) == (True, None)
    assert "paused" in indexed("sources", "list").out
    assert "due now" in indexed("sources", "resume", "pay").out
    assert "is not paused" in indexed("sources", "resume", "pay").out
    assert told()["next_run"] is not None
    assert indexed("sources", "pause", "nobody").code == 2


def test_a_source_takes_any_setting_of_its_type(shell: Shell) -> None:
    """--set gives a key that has no option of its own; one that the type lacks is refused by name."""
    (shell.folder / "notes").mkdir()
    wrong = shell("sources", "add", "notes", "--set", "depth=3")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "--depth: a source of the type folder has no such setting; web has it" in wrong.err
    done = shell("sources", "add", "notes", "--set", "gitignore=false", "--watch", "--json")
    assert done.code == 0, done.err
    added = json.loads(done.out)
    assert (added["gitignore"], added["watch"]) == (False, True)


def test_an_index_can_be_built_anew(indexed: Shell) -> None:
    """--reembed embeds every passage again and answers come from the new index."""
    done = indexed("sync", "--reembed", "--json")
    reports = {report["source"]: report for report in json.loads(done.out)}
    assert (reports["pay"]["embedded_nodes"], reports["pay"]["reused_nodes"]) == (1, 0)
    assert "28 days" in indexed("ask", "How many days of leave does everybody have?").out
    assert not (indexed.folder / ".lorekeeper" / "rebuilding").exists()


def test_remove_wants_a_yes_and_removes_all(indexed: Shell) -> None:
    """Without a terminal --yes is needed; afterwards nothing of the source is stored."""
    assert indexed("sources", "remove", "pay").code == 2
    done = indexed("sources", "remove", "pay", "--yes", "--json")
    assert json.loads(done.out) == {"source": "pay", "documents": 1, "nodes": 1}
    listed = json.loads(indexed("sources", "list", "--json").out)
    assert [source["name"] for source in listed] == ["handbook"]


def test_a_configured_source_is_removed_in_its_file(indexed: Shell) -> None:
    """What the settings file defines would come back with the next sync."""
    done = indexed("sources", "remove", "handbook", "--yes")
    assert done.code == 2
    assert "settings file" in done.err


def test_a_reader_that_goes_away_ends_it_quietly(indexed: Shell) -> None:
    """`| head` leaves no message behind."""
    lines = "".join(json.dumps({"question": f"Leave {number}?"}) + "\n" for number in range(50))
    (indexed.folder / "many.jsonl").write_text(lines)
    with subprocess.Popen(
        [LOREKEEPER, "search", "--questions", "many.jsonl"],
        cwd=indexed.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""


def test_the_demo_answers_twice_and_declines_once(shell: Shell) -> None:
    """Without a terminal the demo shows its three questions and ends by itself with 0."""
    done = shell("demo", "--data", "demo")
    assert (done.code, done.err) == (0, "")
    answers = done.out.split("\n> ")[1:]
    assert len(answers) == 3
    assert ["I could not find this in my documents." in answer for answer in answers] == [False, False, True]
    assert all("[1]" in answer and " · confidence " in answer for answer in answers)
