"""How well the style measure tells a speaker: characters of Shakespeare, people of a real chat.

Run: .venv/bin/python -m tests.benchmarks.style [held-out] [exports] [shuffled] [few]

- held-out: trained on train.jsonl of ../shared/data/eval/persona-shakespeare, judged on groups of five
  replies drawn from dev.jsonl; and cross-validated, as the product reports it of itself, also by scene.
- exports: exports are written (IRC logs of chat-irc as a Discord export, made-up people as a Slack export),
  a data set is made of them as `persona dataset` does, and the measure cross-validated by conversation.
- shuffled: the labels of one speaker's replies are shuffled twenty times; it must tell nothing.
- few: the same speakers with fewer replies, drawn four times each.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.persona_data.building import Wish, finish, gather
from bot.persona_data.consent import read_consent
from bot.persona_data.exports import recognise
from bot.persona_data.files import DatasetFiles
from bot.persona_data.wording import VoiceWording
from bot.persona_settings import VoiceSettings
from bot.resampling import Interval
from bot.style import GROUP, Accuracy, StyleMeasure, auroc
from bot.style_samples import Samples, read_samples
from tests.bot import hands
from tests.bot.persona_data.exports import (
    START,
    consent,
    discord_author,
    discord_json,
    discord_message,
    slack_message,
    slack_zip,
)

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval" / "persona-shakespeare"
SPEAKERS = ("Petruchio", "Menenius", "Lucio")
TABLES = ("held-out", "exports", "shuffled", "few")
CHATTERS = ("ubottu", "ActionParsnip", "ikonia")
DRAWN = 500
SCENE = 100  # turns of a play that are taken as one conversation
SHUFFLES, DRAWS = 20, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts of a speaker and of others, to learn from and held out; `talks`: the scenes of all, own first."""

    own: list[str]
    others: list[str]
    new_own: list[str]
    new_others: list[str]
    talks: list[str]


def load(folder: Path, speaker: str) -> Texts:
    """Read a speaker's replies and other characters' lines."""
    rows = [
        _read(folder / whose / part) for whose in (speaker, "others") for part in ("train.jsonl", "dev.jsonl")
    ]
    own, new_own, others, new_others = ([row.get("reply") or row["text"] for row in part] for part in rows)
    ids = [row["id"] for part in rows for row in part]
    return Texts(own=own, others=others, new_own=new_own, new_others=new_others, talks=_scenes(ids))


def _read(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _scenes(ids: Sequence[str]) -> list[str]:
    """Name the stretch of a play that each line stands in."""
    return [f"scene {int(one.rpartition('-')[2]) // SCENE}" for one in ids]


def held_out(texts: Texts) -> float:
    """Return the AUROC on groups of held-out texts."""
    measure = StyleMeasure.train(texts.own, texts.others)
    return auroc(measure.scores(_groups(texts.new_own)), measure.scores(_groups(texts.new_others)))


def cross_validated(texts: Texts, *, by_scene: bool = False) -> Accuracy:
    """Return what the measure says of itself."""
    talks = texts.talks if by_scene else ()
    own, others = texts.own + texts.new_own, texts.others + texts.new_others
    return StyleMeasure.train(own, others, talks=talks).accuracy


def _groups(texts: Sequence[str]) -> list[list[str]]:
    drawn = random.Random(5)
    return [drawn.sample(list(texts), min(GROUP, len(texts))) for _ in range(DRAWN)]


def chat_export(folder: Path, file: Path) -> Path:
    """Write the linked messages of the IRC logs as a Discord export, one log a day."""
    said: dict[tuple[str, int], tuple[str, str, int]] = {}
    for row in _read(file):
        day, _, lines = row["id"].rpartition(":")
        asked, replied = map(int, lines.split(">"))
        said.setdefault((day, asked), (row["asker"], row["question"], 0))
        said[day, replied] = (row["replier"], row["reply"], asked)
    people = {name: number for number, name in enumerate(sorted({one[0] for one in said.values()}))}
    days = {day: number for number, day in enumerate(sorted({day for day, _ in said}))}
    keys = {key: number for number, key in enumerate(sorted(said))}
    messages = []
    for number, ((day, line), (name, text, parent)) in enumerate(sorted(said.items())):
        author = discord_author(people[name], name, name)
        at = datetime.fromtimestamp(START + days[day] * 86_400 + line * 10, tz=UTC).isoformat()
        more: dict[str, Any] = {"timestamp": at}
        if (day, parent) in keys:
            more |= {"type": "Reply", "reference": {"messageId": str(10**17 + keys[day, parent])}}
        messages.append(discord_message(number, author, text, 0, **more))
    return discord_json(folder / "chat.json", messages)


def made_up_export(folder: Path) -> Path:
    """Write a Slack export in which one person cannot help their manner."""
    voiced, plain = hands.pirate(150), hands.plain(150)
    messages = []
    for number, (reply, asked) in enumerate(zip(voiced, plain, strict=True)):
        at = number * 20_000.0
        messages += [slack_message("U2", asked, at), slack_message("U1", reply, at + 30)]
    return slack_zip(folder / "slack.zip", {"2023-11-14": messages}, {"U1": "Jo Roe", "U2": "Bo Li"})


def samples_of(folder: Path, export: Path, speaker: str) -> Samples:
    """Make a data set of an export, all of whose people agreed, and return what the measure learns from."""
    people = [
        name for one in recognise(export) for found in one.found() for name in getattr(found, "names", ())
    ]
    agreed = read_consent(consent(folder, *dict.fromkeys(people)))
    wish = Wish(persona="p", speakers=(speaker,), consent=agreed)
    files = DatasetFiles(folder / speaker)
    gathered = gather(wish, recognise(export), (), lambda _: None)
    wording = VoiceWording(VoiceSettings.model_validate({}), speaker)
    finish(wish, gathered, gathered.drafts(), wording, files, lambda _: None)
    return read_samples((files.train, files.validation), files.replies)


def shuffled(texts: Texts) -> list[float]:
    """Return the AUROC on groups for labels that mean nothing, twenty times."""
    drawn = random.Random(3)
    own = texts.own + texts.new_own
    everything = own + drawn.sample(texts.others, 3 * len(own))
    found = []
    for seed in range(SHUFFLES):
        random.Random(seed).shuffle(everything)
        half = everything[: len(own)], everything[len(own) :]
        found.append(StyleMeasure.train(*half, seed=seed).accuracy.grouped.value)
    return found


def few(texts: Texts, number: int) -> list[float]:
    """Return the cross-validated AUROC with so many replies of the speaker, drawn anew each time."""
    own, others = texts.own + texts.new_own, texts.others + texts.new_others
    found = []
    for seed in range(DRAWS):
        drawn = random.Random(seed)
        parts = drawn.sample(own, number), drawn.sample(others, 400)
        found.append(StyleMeasure.train(*parts, seed=seed).accuracy.grouped.value)
    return found


def main(folder: Path, wanted: Sequence[str], speakers: Sequence[str]) -> None:
    """Print the tables of docs/benchmarks.md."""
    if "held-out" in wanted:
        print("| speaker | replies | held out | cross-validated | by scene | one reply | shuffled |")
        for speaker in speakers:
            texts = load(folder, speaker)
            new, told = held_out(texts), cross_validated(texts)
            scenes = cross_validated(texts, by_scene=True)
            figures = " | ".join(map(_cell, (told.grouped, scenes.grouped, told.single, told.shuffled)))
            print(f"| {speaker} | {told.own} | {new:.3f} | {figures} |", flush=True)
    if "exports" in wanted:
        print("| speaker | replies | others | cross-validated | one reply | shuffled |")
        _exports(folder.parent / "chat-irc" / "pairs.dev.jsonl")
    if "shuffled" in wanted:
        for speaker in speakers:
            found = shuffled(load(folder, speaker))
            error = 1.96 * statistics.stdev(found) / len(found) ** 0.5
            print(
                f"{speaker}: {len(found)} shuffles, mean {statistics.mean(found):.3f} ± {error:.3f}",
                flush=True,
            )
    if "few" in wanted:
        for number in (20, 30, 40, 50, 60, 80, 100):
            values = [value for speaker in speakers[:2] for value in few(load(folder, speaker), number)]
            spread = f"{min(values):.3f} to {max(values):.3f}"
            print(f"{number} replies: mean {statistics.mean(values):.3f}, {spread}", flush=True)


def _exports(file: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chat, made_up = chat_export(folder, file), made_up_export(folder)
        for speaker, export in (*((one, chat) for one in CHATTERS), ("Jo Roe", made_up)):
            samples = samples_of(folder, export, speaker)
            told = StyleMeasure.train(samples.own, samples.others, talks=samples.talks).accuracy
            figures = " | ".join(map(_cell, (told.grouped, told.single, told.shuffled)))
            print(f"| {speaker} | {told.own} | {told.others} | {figures} |", flush=True)


def _cell(found: Interval) -> str:
    return f"{found.value:.3f} ({found.low:.2f} to {found.high:.2f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all by default")
    parser.add_argument("--speakers", type=int, default=len(SPEAKERS), help="only the first of them")
    chosen = parser.parse_args()
    main(DATA, chosen.tables or TABLES, SPEAKERS[: chosen.speakers])
