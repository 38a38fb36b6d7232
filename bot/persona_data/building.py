"""Makes a data set: reads exports, chooses replies, makes examples, splits them, writes the files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.persona_data.chat_format import FEWEST_EXAMPLES, estimate_tokens, file_faults
from bot.persona_data.choosing import Candidates, Chosen, Dropped, choose, share_out
from bot.persona_data.cleaning import Clean, Cleaner
from bot.persona_data.consent import Consent
from bot.persona_data.contrast import Contrast, Other, reply_lines
from bot.persona_data.errors import DatasetRefused
from bot.persona_data.examples import ChatExamples, Example, Refused, Wording, rewrite_example
from bot.persona_data.exports import Export
from bot.persona_data.files import DatasetFiles
from bot.persona_data.pairing import Turn, pair_up
from bot.persona_data.people import Cast, People
from bot.persona_data.plain_words import plain_draft
from bot.persona_data.private import Private
from bot.persona_data.reporting import ExportRead, Report, samples, warnings
from bot.persona_data.said import Found, Said
from bot.persona_data.scratch import Scratch
from bot.persona_data.splitting import Split, refuse_leaks, split

_TOLD_EVERY = 2000
UNAGREED = "replies to someone who has not agreed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What data set is wanted. `limit` is the most replies, 0: all; `share` that of validation."""

    persona: str
    speakers: tuple[str, ...]
    consent: Consent
    unnamed: bool = False
    model_drafts: bool = False
    limit: int = 5000
    share: float = 0.1
    region: str = "US"
    price: float = 5.0
    epochs: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is; `total` is None while it is not known."""

    step: str
    done: int
    total: int | None = None


Told = Callable[[Progress], None]


@dataclass(slots=True, kw_only=True)
class Gathered:
    """Chosen replies, cleaned, with all that is needed to make examples of them."""

    chosen: list[Chosen]
    others: tuple[Other, ...]
    people: People
    cast: Cast
    cleaner: Cleaner
    read: tuple[ExportRead, ...]
    counts: tuple[int, int, int, int]  # messages, given twice, the speaker's, replies
    dropped: Counter[str]
    replaced: Counter[str] = field(default_factory=Counter)

    def drafts(self) -> list[str]:
        """Return a plain draft of each reply, made by rules."""
        return [plain_draft(one.reply.text) for one in self.chosen]


def gather(wish: Wish, exports: Sequence[Export], more: Iterable[Found], told: Told) -> Gathered:
    """Read the exports, and `more` from the ledger, and choose the replies. Blocks; run it in a thread.

    Raises ExportUnreadable, and DatasetRefused when the speaker is unknown or has not agreed.
    """
    private = Private(wish.region)
    people, scratch = People(), Scratch()
    try:
        read = _read_all(exports, more, people, scratch, told)
        cast = people.cast(wish.speakers, wish.consent)
        dropped = Dropped()
        candidates = Candidates(wish.limit, dropped)
        usable = cast.agreed if not wish.unnamed else frozenset(people.names)
        contrast = Contrast((usable - cast.speakers).__contains__)
        rows = contrast.passing(scratch.conversations_of(cast.speakers))
        for pair in pair_up(rows, cast.speakers, scratch.find):
            candidates.add(pair)
            if candidates.seen % _TOLD_EVERY == 0:
                told(Progress(step="pairing", done=candidates.seen))
        messages, repeated = scratch.counts()
        counts = (messages, repeated, scratch.said_by(cast.speakers), candidates.seen)
    finally:
        scratch.close()
    cleaner = Cleaner(people, cast, private)
    gathered = Gathered(
        chosen=[],
        others=contrast.cleaned(cleaner),
        people=people,
        cast=cast,
        cleaner=cleaner,
        read=read,
        counts=counts,
        dropped=dropped.reasons,
    )
    _choose(gathered, candidates, wish, dropped, told)
    return gathered


def finish(
    wish: Wish, gathered: Gathered, drafts: Sequence[str], wording: Wording, files: DatasetFiles, told: Told
) -> Report:
    """Make the examples, split them and write the files, all or none. Blocks; run it in a thread.

    Raises DatasetRefused when a side is empty, or holds what is on the other.
    """
    told(Progress(step="making examples", done=0, total=len(gathered.chosen)))
    examples, not_made = _examples(wish, gathered, drafts, wording, told)
    parts = split(examples, wish.share)
    refuse_leaks(parts)
    report = _report(wish, gathered, parts, not_made, files)
    _write(files, parts, gathered, report)
    return report


def _choose(gathered: Gathered, candidates: Candidates, wish: Wish, dropped: Dropped, told: Told) -> None:
    def clean(turn: Turn) -> Clean:
        return gathered.cleaner.clean(turn.raw, turn.kind)

    def heard(tried: int) -> None:
        if tried % _TOLD_EVERY == 0:
            told(Progress(step="cleaning", done=tried, total=candidates.waiting()))

    gathered.chosen = choose(candidates, lambda pair: clean(pair.reply), wish.limit, dropped, told=heard)
    for one in gathered.chosen:
        gathered.replaced.update(one.reply.replaced)


def _read_all(
    exports: Sequence[Export], more: Iterable[Found], people: People, scratch: Scratch, told: Told
) -> tuple[ExportRead, ...]:
    read: list[ExportRead] = []
    done = 0
    sources = [(str(one.file), one.kind, one.found()) for one in exports]
    for file, kind, found in [*sources, ("ledger", "liked answers", more)]:
        count = 0
        for one in found:
            if not isinstance(one, Said):
                people.add(one)
                continue
            people.seen(one.speaker)
            scratch.add(one)
            count, done = count + 1, done + 1
            if done % _TOLD_EVERY == 0:
                told(Progress(step="reading", done=done))
        if count or file != "ledger":
            read.append(ExportRead(file=file, kind=kind, messages=count))
    return tuple(read)


def _examples(
    wish: Wish, gathered: Gathered, drafts: Sequence[str], wording: Wording, told: Told
) -> tuple[list[Example], Counter[str]]:
    def clean(turn: Turn) -> Clean:
        cleaned = gathered.cleaner.clean(turn.raw, turn.kind)
        gathered.replaced.update(cleaned.replaced)
        return cleaned

    chats = ChatExamples(
        wording, clean, speakers=gathered.cast.speakers, agreed=gathered.cast.agreed, unnamed=wish.unnamed
    )
    made: list[Example] = []
    not_made: Counter[str] = Counter()
    for number, (chosen, draft) in enumerate(zip(gathered.chosen, drafts, strict=True), start=1):
        makers: tuple[tuple[str, Callable[[], Example]], ...] = (
            ("chat", partial(chats.make, chosen)),
            ("rewrite", partial(rewrite_example, chosen, draft, wording)),
        )
        for kind, make in makers:
            try:
                made.append(make())
            except Refused as refused:
                not_made[f"{kind}: {refused}"] += 1
        if number % _TOLD_EVERY == 0:
            told(Progress(step="making examples", done=number, total=len(gathered.chosen)))
    return made, not_made


def _report(
    wish: Wish, gathered: Gathered, parts: Split, not_made: Mapping[str, int], files: DatasetFiles
) -> Report:
    cast, people = gathered.cast, gathered.people
    both = (*parts.train, *parts.validation)
    messages, repeated, own, replies = gathered.counts
    unagreed = not_made.get(f"chat: {UNAGREED}", 0)
    return Report(
        persona=wish.persona,
        speakers=tuple(f"{people.name(one)} ({one})" for one in sorted(cast.speakers)),
        consent=wish.consent,
        consented=len(cast.agreed),
        unmatched=cast.unmatched,
        ambiguous=cast.ambiguous,
        others="unnamed" if wish.unnamed else "left out",
        drafts="model" if wish.model_drafts else "plain",
        exports=gathered.read,
        messages=messages,
        repeated=repeated,
        own=own,
        replies=replies,
        examples={kind: sum(one.kind == kind for one in both) for kind in ("chat", "rewrite")},
        sides={"train": len(parts.train), "validation": len(parts.validation)},
        groups={"train": parts.train_groups, "validation": parts.validation_groups},
        lengths=share_out(dict.fromkeys(one.said for one in both)),
        tokens=sum(estimate_tokens(one.messages) for one in parts.train),
        epochs=wish.epochs,
        price=wish.price,
        dropped=dict(gathered.dropped),
        not_made=dict(not_made),
        replaced=dict(gathered.replaced),
        warnings=tuple(warnings(len(parts.train), FEWEST_EXAMPLES, unagreed, cast.ambiguous)),
        samples=samples(parts.train),
        files={one.stem: str(one) for one in (files.train, files.validation, files.replies)},
    )


def _write(files: DatasetFiles, parts: Split, gathered: Gathered, report: Report) -> None:
    """Write beside the old files, check, then take their places."""
    files.folder.mkdir(parents=True, exist_ok=True)
    texts: dict[Path, Iterable[str]] = {
        files.train: (one.line() for one in parts.train),
        files.validation: (one.line() for one in parts.validation),
        files.replies: reply_lines(gathered.chosen, gathered.others),
        files.report: [json.dumps(report.as_json(), ensure_ascii=False, indent=2)],
        files.report_text: [report.as_text().rstrip("\n")],
    }
    fresh = {file: file.with_name(f".{file.name}.new") for file in texts}
    try:
        for file, lines in texts.items():
            _write_lines(fresh[file], lines)
        _refuse_faults((fresh[files.train], fresh[files.validation]))
        for file, new in fresh.items():
            new.replace(file)
    finally:
        for new in fresh.values():
            new.unlink(missing_ok=True)


def _write_lines(file: Path, lines: Iterable[str]) -> None:
    with file.open("w", encoding="utf-8", newline="\n", errors="replace") as stream:
        stream.writelines(f"{line}\n" for line in lines)
    file.chmod(0o600)  # people's words, though they agreed


def _refuse_faults(files: Iterable[Path]) -> None:
    for file in files:
        if fault := next(file_faults(file), None):
            raise DatasetRefused(f"The data set breaks the format that models are trained on: {fault}.")
