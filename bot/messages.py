"""The language between the layers: what is asked, what is answered, and on what it stands.

Level 0 of this layer: it knows no platform and no library.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kb.documents import EVERYONE, Audience

Mode = Literal["extractive", "model", "persona"]
VoiceMode = Literal["rewrite", "direct", "prompt"]
VoiceVerdict = Literal["kept", "rejected", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and what they may see."""

    id: str = "local"
    name: str = ""
    audience: Audience = EVERYONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One earlier exchange of a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Earlier turns, oldest first. `id` names the thread they belong to."""

    id: str = ""
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as a person put it, with all that decides its answer.

    Nobody asked for the answer to a question with a `bar`: it needs that confidence, and is kept only when
    it has it. `persona` is the voice that the asker wants for this answer, `place_persona` the one that the
    settings give the place, and `place` names it: platform, workspace and channel joined with ":". In a
    `private` answer there the asker is its only reader. `id` becomes the answer's, so that asking once more
    replaces what was kept of the first try; empty: a new one. `language` is what the reader reads, such as
    "de"; empty: unknown.
    """

    text: str
    asker: Asker = field(default_factory=Asker)
    conversation: Conversation = field(default_factory=Conversation)
    sources: tuple[str, ...] = ()  # only these sources; empty: all
    persona: str | None = None
    place_persona: str | None = None
    place: str = ""
    private: bool = False
    language: str = ""
    bar: float | None = None
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A passage that an answer stands on.

    `document` is the path inside the source or the URL; `heading` the heading path joined with " > ";
    `updated` is ISO 8601 or empty; `quote` is literal text of the passage.
    """

    number: int
    document: str
    title: str
    heading: str
    url: str
    quote: str
    updated: str
    source: str
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an answer cost: tokens of the model and money in the settings' currency."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The persona that was to speak, and what became of it.

    When the verdict is "kept" the answer's text is in this voice; else the answer is the plain one, and
    `reason` says why: the fact lock "rejected" what was said, of which `lost` and `invented` tell the last
    try, or the model "failed". `milliseconds` and `usage` are of this step alone; `description` says whose
    voice it is.
    """

    name: str
    description: str = ""
    mode: VoiceMode = "rewrite"
    model: str = ""
    verdict: VoiceVerdict = "kept"
    reason: str = ""
    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()
    tries: int = 1
    milliseconds: float = 0.0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as every adapter shows it.

    `text` is Markdown with [1] markers that name `citations` by number. When `answered` is false,
    `text` says so and `nearest` holds the passages that came closest. `notice` is one line for the
    reader, such as why the model was not used.
    """

    question: str
    answered: bool
    text: str
    confidence: float
    citations: tuple[Citation, ...] = ()
    nearest: tuple[Citation, ...] = ()
    mode: Mode = "extractive"
    model: str = ""
    milliseconds: float = 0.0
    usage: Usage = field(default_factory=Usage)
    notice: str = ""
    id: str = ""
    voice: Voice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDelta:
    """More text of an answer that is being written: whole, checked sentences.

    With `replace`, `text` takes the place of all text so far.
    """

    text: str
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDone:
    """The finished answer; it is final whatever was streamed before."""

    answer: Answer


AnswerEvent = AnswerDelta | AnswerDone
