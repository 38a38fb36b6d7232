from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.ledger import Ledger
from bot.messages import Answer, Asker, Question
from bot.persona_data import chat_format
from bot.persona_data.building import Wish, finish, gather
from bot.persona_data.chat_format import Message, estimate_tokens, example_line, faults, file_faults
from bot.persona_data.consent import read_consent
from bot.persona_data.errors import DatasetRefused
from bot.persona_data.examples import Example
from bot.persona_data.exports import recognise
from bot.persona_data.files import DatasetFiles
from bot.persona_data.rated_answers import liked_answers
from bot.persona_data.repeats import Repeats
from bot.persona_data.reporting import Report
from bot.persona_data.said import Found, Said
from bot.persona_data.splitting import leaks, refuse_leaks, split
from bot.persona_data.wording import VoiceWording
from bot.persona_prompts import rewrite_chat
from bot.persona_settings import VoiceSettings
from kb.database import open_database
from tests.bot.persona_data.exports import (
    consent,
    discord_author,
    discord_json,
    discord_message,
    helpful,
    slack_message,
    slack_zip,
    talks,
)

PEOPLE = {"U1": "Ana Pérez", "U2": "Bo Li", "U3": "Zoë van Dijk"}
VOICE = VoiceSettings.model_validate({"description": "Ana", "prompt": "She jokes.", "examples": ("Ha!",)})


def build(
    folder: Path,
    exports: Sequence[Path],
    *,
    speakers: tuple[str, ...] = ("U1",),
    agreed: tuple[str, ...] = ("U1", "U2"),
    more: Sequence[Found] = (),
    **wishes: Any,  # noqa: ANN401 - the other fields of Wish
) -> tuple[Report, DatasetFiles]:
    """Make a data set as the command does."""
    wish = Wish(persona="ana", speakers=speakers, consent=read_consent(consent(folder, *agreed)), **wishes)
    files = DatasetFiles(folder / "out")
    read = [export for path in exports for export in recognise(path)]
    gathered = gather(wish, read, more, lambda _: None)
    wording = VoiceWording(VOICE, "Ana")
    return finish(wish, gathered, gathered.drafts(), wording, files, lambda _: None), files


def slack(folder: Path, messages: Sequence[dict[str, Any]], name: str = "export.zip") -> Path:
    return slack_zip(folder / name, {"2023-11-14": messages}, PEOPLE)


def lines(file: Path) -> list[list[dict[str, Any]]]:
    return [json.loads(line)["messages"] for line in file.read_text(encoding="utf-8").splitlines()]


def both(files: DatasetFiles) -> list[list[dict[str, Any]]]:
    return lines(files.train) + lines(files.validation)


def test_whole_data_set(tmp_path: Path) -> None:
    """An export becomes valid chat lines of both kinds, split by conversation, with a report that adds up."""
    report, files = build(tmp_path, [slack(tmp_path, talks(60))])
    assert not [*file_faults(files.train), *file_faults(files.validation)]
    assert report.examples["chat"] + report.examples["rewrite"] == sum(report.sides.values())
    assert report.examples["rewrite"] >= 55
    assert report.examples["chat"] == 60 - report.dropped.get("near-duplicate of another reply", 0) >= 55
    assert 4 <= report.groups["validation"] <= 12
    assert (report.messages, report.own, report.replies) == (120, 60, 60)
    assert json.loads(files.report.read_text())["consent"]["people"] == 2
    assert "Consent: " in files.report_text.read_text()
    assert report.cost == round(report.tokens * 3 * 5 / 1e6, 4)
    assert files.train.stat().st_mode & 0o077 == 0


def test_two_runs_are_the_same(tmp_path: Path) -> None:
    """The same exports make the same files."""
    export = slack(tmp_path, talks(30))
    _, files = build(tmp_path, [export])
    first = files.train.read_bytes()
    build(tmp_path, [export])
    assert files.train.read_bytes() == first


def test_training_speaks_as_answering_does(tmp_path: Path) -> None:
    """A rewrite example holds the very messages that a style model is later asked with."""
    _, files = build(tmp_path, [slack(tmp_path, talks(30))])
    trained = VOICE.model_copy(update={"mode": "rewrite"})
    rewrites = [one for one in both(files) if "Rewrite" in one[0]["content"]]
    assert rewrites
    for system, user, _ in rewrites:
        asked = rewrite_chat(trained, "Ana", user["content"])
        assert [(system["role"], system["content"]), (user["role"], user["content"])] == list(asked)
    assert any("[1]" in user["content"] and "[1]" in reply["content"] for _, user, reply in rewrites)


def test_words_of_others_are_left_out(tmp_path: Path) -> None:
    """Nothing that a person without consent said, and no name of theirs, is in any file."""
    messages = talks(30, asker="U3") + [
        slack_message("U1", f"ask Zoë or <@U3> about rack {n}, she knows {helpful(n)}", 900_000 + n * 9000)
        for n in range(30)
    ]
    report, files = build(tmp_path, [slack(tmp_path, messages)], agreed=("U1",))
    written = "".join(file.read_text() for file in files.folder.iterdir())
    assert not any(word in written for word in ("what about case", "Zoë", "zoë", "Dijk", "U3"))
    assert report.examples["chat"] == 0
    assert any("--others unnamed" in line for line in report.warnings)


def test_words_of_others_without_names(tmp_path: Path) -> None:
    """With the option, words of people without consent are context, and still nobody is named."""
    report, files = build(tmp_path, [slack(tmp_path, talks(30, asker="U3"))], agreed=("U1",), unnamed=True)
    written = files.train.read_text()
    assert "what about case" in written
    assert "Zoë" not in written
    assert report.examples["chat"] == 30


def test_context_is_who_spoke_before(tmp_path: Path) -> None:
    """Several people before a reply are numbered; the speaker's earlier words are read and not learnt."""
    talk = [
        slack_message("U2", "is the gateway slow for you?", 0),
        slack_message("U1", "yeah it's slow since the update", 400),
        slack_message("U3", "here as well, since noon", 800),
        slack_message("U1", "try the old build then, it works, gonna tell the team", 1200),
    ]
    _, files = build(
        tmp_path, [slack(tmp_path, talk + [{**m, "ts": f"{float(m['ts']) + 50_000}"} for m in talks(20)])],
        agreed=("U1", "U2", "U3"),
    )  # fmt: skip
    (found,) = [one for one in both(files) if len(one) == 5]
    assert [message["role"] for message in found] == ["system", "user", "assistant", "user", "assistant"]
    assert found[1]["content"] == "Person 1: is the gateway slow for you?"
    assert found[3]["content"] == "Person 2: here as well, since noon"
    assert [message.get("weight") for message in found] == [None, None, 0, None, None]


def test_reply_to_an_older_message(tmp_path: Path) -> None:
    """A Discord reply is paired with the message it names, however long ago that was."""
    ana, bo = discord_author(1, "ana", "Ana P"), discord_author(2, "bo", "Bo")
    messages = []
    for number in range(12):
        minute = number * 3
        messages += [
            discord_message(number, bo, f"question {number} about the gateway and its disk", minute),
            discord_message(500 + number, ana, helpful(number), 200 + number * 70, type="Reply",
                            reference={"messageId": str(100_000_000_000_000_000 + number)}),
        ]  # fmt: skip
    ids = (ana["id"], bo["id"])
    _, files = build(
        tmp_path, [discord_json(tmp_path / "help.json", messages)], speakers=(ana["id"],), agreed=ids
    )
    chats = [one for one in both(files) if one[1]["content"].startswith("question ")]
    assert len(chats) == 12
    for chat in chats:
        number = int(chat[1]["content"].split()[1])
        assert str(number + 10) in chat[-1]["content"]


@pytest.mark.parametrize(
    ("agreed", "unnamed", "others"), [(("U1",), False, 0), (("U1",), True, 30), (("U1", "U2"), False, 30)]
)
def test_replies_and_their_contrast(
    tmp_path: Path, agreed: tuple[str, ...], unnamed: bool, others: int
) -> None:
    """The replies stand in a file of their own, beside words of others whose words may be used."""
    _, files = build(tmp_path, [slack(tmp_path, talks(30))], agreed=agreed, unnamed=unnamed)
    rows = [json.loads(line) for line in files.replies.read_text(encoding="utf-8").splitlines()]
    assert sum(not row["own"] for row in rows) == others
    assert all(row["talk"] and row["text"] for row in rows)
    assert {row["text"] for row in rows if row["own"]} >= {
        one[-1]["content"] for one in both(files) if "[1]" not in one[-1]["content"]
    }


def test_what_is_dropped_is_counted(tmp_path: Path) -> None:
    """Short, repeated and secret replies are left out, each with its reason."""
    odd = [
        "ok",
        "thanks!",
        helpful(3),
        helpful(3).upper(),
        "the key is AKIAIOSFODNN7EXAMPLE use that one",
        "```\nx = 1\ny = 2\nz = 3\n```",
    ]
    messages = talks(30) + [slack_message("U1", text, 800_000 + n * 9000) for n, text in enumerate(odd)]
    report, files = build(tmp_path, [slack(tmp_path, messages)])
    assert report.dropped == {
        "under 3 words": 2,
        "near-duplicate of another reply": 2,
        "holds a secret": 1,
        "mostly code": 1,
    }
    assert "AKIA" not in files.train.read_text() + files.validation.read_text()
    assert report.replies - sum(report.dropped.values()) == 30


def test_overlapping_exports(tmp_path: Path) -> None:
    """A message that two exports hold counts once."""
    first, second = slack(tmp_path, talks(30), "a.zip"), slack(tmp_path, talks(40), "b.zip")
    report, _ = build(tmp_path, [first, second])
    assert (report.messages, report.repeated) == (80, 60)


def test_limit(tmp_path: Path) -> None:
    """At most as many replies as asked for are taken, and the others are counted."""
    report, _ = build(tmp_path, [slack(tmp_path, talks(60))], limit=20)
    assert report.examples["chat"] == 20
    assert report.dropped["over the limit"] == 40


def test_one_conversation_cannot_be_split(tmp_path: Path) -> None:
    """Replies of a single conversation are refused, and nothing is written."""
    messages = [slack_message(f"U{1 + n % 2}", helpful(n), n * 400) for n in range(30)]
    with pytest.raises(DatasetRefused, match="of one conversation"):
        build(tmp_path, [slack(tmp_path, messages)])
    assert not (tmp_path / "out").exists()


def test_nothing_to_train_on(tmp_path: Path) -> None:
    """A speaker without a usable reply is refused."""
    messages = [slack_message("U1", "ok", n * 9000) for n in range(9)]
    with pytest.raises(DatasetRefused, match="No reply is left"):
        build(tmp_path, [slack(tmp_path, messages)])


@pytest.mark.parametrize(("count", "words"), [(4, "no file with fewer than 10"), (15, "fewer than 50")])
def test_few_examples_are_warned_of(tmp_path: Path, count: int, words: str) -> None:
    """A small data set is made with a warning."""
    report, _ = build(tmp_path, [slack(tmp_path, talks(count))])
    assert words in report.warnings[0]


def test_a_failed_run_leaves_the_earlier_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that break the format never take the place of earlier ones."""
    export = slack(tmp_path, talks(30))
    _, files = build(tmp_path, [export])
    before = {file: file.read_bytes() for file in files.folder.iterdir()}
    monkeypatch.setattr(chat_format, "LARGEST_FILE", 10)
    with pytest.raises(DatasetRefused, match="breaks the format"):
        build(tmp_path, [export])
    assert {file: file.read_bytes() for file in files.folder.iterdir()} == before


async def test_ledger_gives_liked_answers(tmp_path: Path) -> None:
    """Answers that a model wrote and more people liked than not are examples of the bot's own voice."""
    engine = await open_database("", tmp_path)
    ledger = await Ledger.open(engine)
    for number, (mode, opinions) in enumerate(
        [
            ("model", (True,)),
            ("model", (True, False)),
            ("extractive", (True,)),
            ("model", ()),
            ("persona", (True,)),
        ]
    ):
        question = Question(text=f"question {number}?", asker=Asker(id="slack:T1:U2"))
        said = {"text": f"answer {number} [1].", "mode": mode, "id": f"a{number}"}
        answer = Answer(question=question.text, answered=True, confidence=1.0, **said)
        await ledger.record(question, answer, timings={}, hashes={})
        for person, good in enumerate(opinions):
            await ledger.rate(answer.id, f"p{person}", good=good)
    found = [one async for one in liked_answers(engine)]
    await engine.dispose()
    assert [one.text for one in found if isinstance(one, Said)] == [
        "question 0?", "answer 0 [1].", "question 4?", "answer 4 [1].",
    ]  # fmt: skip


def example(said: str, *ties: str) -> Example:
    return Example(
        kind="chat",
        messages=(Message("user", "x"), Message("assistant", said)),
        said=said,
        ties=frozenset(ties),
    )


def test_split_keeps_together_what_is_tied() -> None:
    """No tie is on both sides, whatever chain of conversations it goes through."""
    examples = [
        example(f"reply {n} {'abcdefghij'[n % 10]}", f"t{n // 3}", f"t{n // 3 + n % 2}") for n in range(60)
    ]
    examples += [example(f"other words {n}", f"u{n}") for n in range(60)]
    parts = split(examples, 0.2)
    assert not frozenset().union(*(one.ties for one in parts.train)) & frozenset().union(
        *(one.ties for one in parts.validation)
    )
    assert len(parts.train) + len(parts.validation) == 120
    assert 12 <= len(parts.validation) <= 48


def test_leaking_split_is_refused() -> None:
    """A shared message and a reply that is nearly the same are both found, and refused."""
    train = [example("the gateway restarts after ten seconds and then reads its index again", "a")]
    same = [example("The gateway restarts after ten seconds, and then reads its index again!", "b")]
    assert leaks(train, [example("something else", "a")]) == ["a"]
    assert len(leaks(train, same)) == 1
    assert leaks(train, [example("quite other words about a queue", "c")]) == []
    parts = split([*train, example("quite other words about a queue", "c")], 0.5)
    refuse_leaks(parts)


def test_near_duplicates() -> None:
    """Case, marks and one word of many make no other text; short texts must be equal to repeat."""
    repeats = Repeats()
    long = " ".join(f"word{n}" for n in range(40))
    assert repeats.add(long)
    assert repeats.add("use port 8080")
    assert not repeats.add("Use port 8080!")
    assert repeats.add("use port 9090")
    assert repeats.seen(long.replace("word39", "other").upper())
    assert not repeats.seen(" ".join(f"text{n}" for n in range(40)))


ASKED, SAID = {"role": "user", "content": "x"}, {"role": "assistant", "content": "x"}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"prompt": "x"}, 'no list "messages"'),
        ({"messages": []}, 'no list "messages"'),
        ({"messages": [SAID]}, "take turns"),
        ({"messages": [ASKED]}, "learn from"),
        ({"messages": [ASKED, ASKED, SAID]}, "take turns"),
        ({"messages": [ASKED, {"role": "system", "content": "x"}, SAID]}, "not the first"),
        ({"messages": [{**ASKED, "content": ""}, SAID]}, "no content"),
        ({"messages": [{**ASKED, "role": "bot"}, SAID]}, "role 'bot'"),
        ({"messages": [{**ASKED, "weight": 1}, SAID]}, "weight"),
        ({"messages": [ASKED, {**SAID, "weight": 0}]}, "learn from"),
        ({"messages": [ASKED, SAID], "id": 1}, "other keys"),
        ({"messages": [ASKED, {**SAID, "name": "x"}]}, "other keys"),
    ],
)
def test_faults_of_a_line(value: object, fault: str) -> None:
    """What breaks the documented chat format is named."""
    assert any(fault in one for one in faults(json.dumps(value)))


def test_good_line() -> None:
    """A line as it is written has no fault, and its tokens are estimated by its length."""
    messages = (Message("system", "a" * 40), Message("user", "b" * 40), Message("assistant", "東京"))
    assert not list(faults(example_line(messages)))
    assert estimate_tokens(messages) == 3 + 3 * 4 + 10 + 10 + 2
