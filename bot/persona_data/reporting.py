"""What a data set is made of, what was left out and why, and what training on it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.persona_data.consent import Consent
from bot.persona_data.examples import Example

FEW = 50
_SAMPLES = 3
_SAMPLE_LENGTH = 400
_KINDS = {"chat": "a message and the reply", "rewrite": "a plain draft and the reply"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRead:
    """One file that was read."""

    file: str
    kind: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it. Counts are by what is counted; `tokens` are those of the training side, estimated."""

    persona: str
    speakers: tuple[str, ...]
    consent: Consent
    consented: int
    unmatched: tuple[str, ...]
    ambiguous: tuple[str, ...]
    others: str
    drafts: str
    exports: tuple[ExportRead, ...]
    messages: int
    repeated: int
    own: int
    replies: int
    examples: Mapping[str, int]
    sides: Mapping[str, int]
    groups: Mapping[str, int]
    lengths: Mapping[str, int]
    tokens: int
    epochs: int
    price: float
    dropped: Mapping[str, int]
    not_made: Mapping[str, int]
    replaced: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    samples: tuple[Mapping[str, Any], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """About what the training costs."""
        return round(self.tokens * self.epochs * self.price / 1e6, 4)

    def as_json(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "persona": self.persona,
            "speakers": list(self.speakers),
            "consent": {
                "file": self.consent.file,
                "sha256": self.consent.digest,
                "people": self.consented,
                "in_no_export": list(self.unmatched),
                "fit_several": list(self.ambiguous),
            },
            "others": self.others,
            "drafts": self.drafts,
            "exports": [
                {"file": one.file, "kind": one.kind, "messages": one.messages} for one in self.exports
            ],
            "messages": {"read": self.messages, "repeated": self.repeated, "of_speaker": self.own},
            "replies": self.replies,
            "examples": {**self.examples, **self.sides},
            "conversations": dict(self.groups),
            "lengths": dict(self.lengths),
            "tokens": {"train": self.tokens, "epochs": self.epochs, "estimated": True},
            "cost": {"estimate": self.cost, "price_a_million": self.price},
            "dropped": dict(self.dropped),
            "examples_not_made": dict(self.not_made),
            "replaced": dict(self.replaced),
            "warnings": list(self.warnings),
            "samples": list(self.samples),
            "files": dict(self.files),
        }

    def as_text(self) -> str:
        """Return it for people."""
        return "\n".join(_lines(self)) + "\n"


def warnings(examples: int, fewest: int, unagreed: int, ambiguous: Sequence[str]) -> Iterator[str]:
    """Yield what is worth saying of a data set that is good enough to be written."""
    if examples < fewest:
        yield f"{examples} examples to train on: OpenAI takes no file with fewer than {fewest}. Add exports."
    elif examples < FEW:
        yield f"{examples} examples to train on: the voice will hardly be learnt from fewer than {FEW}."
    if unagreed:
        yield (
            f"{unagreed} replies are to people who have not agreed, and are used without what they reply to. "
            "--others unnamed keeps the words of others without their names."
        )
    for entry in ambiguous:
        yield f"The consent file's {entry!r} fits several people and counts for none. Write the id."


def samples(examples: Sequence[Example]) -> tuple[Mapping[str, Any], ...]:
    """Return some examples of each kind, cut where they are long."""
    shown: list[Mapping[str, Any]] = []
    for kind in ("chat", "rewrite"):
        some = [one for one in examples if one.kind == kind][:_SAMPLES]
        shown += [
            {"kind": kind, "asked": _cut(one.messages[-2].content), "reply": _cut(one.reply)} for one in some
        ]
    return tuple(shown)


def _cut(text: str) -> str:
    return text if len(text) <= _SAMPLE_LENGTH else f"{text[:_SAMPLE_LENGTH]}…"


def _lines(report: Report) -> Iterator[str]:
    yield f"Data set of the persona {report.persona}"
    yield f"Speaker: {', '.join(report.speakers)}"
    agreed = _count(report.consented, "person", "people")
    yield f"Consent: {report.consent.file} (SHA-256 {report.consent.digest[:16]}…), {agreed}"
    yield f"Words of others: {'kept without names' if report.others == 'unnamed' else 'left out'}"
    yield f"Plain drafts: by {'rules' if report.drafts == 'plain' else 'the model of [llm]'}"
    yield ""
    for one in report.exports:
        yield f"{one.messages:>9,}  {one.kind}: {one.file}"
    yield f"{report.messages:>9,}  messages in all, {report.repeated:,} of them given twice"
    yield f"{report.own:>9,}  by the speaker, which make {report.replies:,} replies"
    yield ""
    for side, use in (("train", "train on"), ("validation", "validate with")):
        groups = _count(report.groups[side], "conversation", "conversations")
        yield f"{report.sides[side]:>9,}  examples to {use}, from {groups} that the other side has nothing of"
    kinds = {_KINDS[kind]: number for kind, number in report.examples.items()}
    yield from _table("Kinds of examples", kinds)
    yield from _table("Lengths of replies", report.lengths)
    yield from _table("Replies left out", report.dropped)
    yield from _table("Examples not made of a reply", report.not_made)
    yield from _table("Taken out of texts", report.replaced)
    yield ""
    yield (
        f"Training: about {report.tokens:,} tokens × {report.epochs} passes = "
        f"{report.tokens * report.epochs:,}; at {report.price:g} a million (--price) about {report.cost:,.2f}"
    )
    yield from (f"Warning: {line}" for line in report.warnings)
    for sample in report.samples:
        yield ""
        yield f"Sample ({_KINDS[sample['kind']]}):"
        yield f"  given:  {sample['asked']}"
        yield f"  learnt: {sample['reply']}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _table(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield ""
        yield f"{title}:"
        for name, number in sorted(counts.items(), key=lambda one: -one[1]):
            yield f"{number:>9,}  {name}"
