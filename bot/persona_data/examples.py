"""What is trained on: a reply to what was said before it, and a reply made of its own plain draft."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.fact_lock import judge
from bot.persona_data.chat_format import LONGEST_EXAMPLE, Message, estimate_tokens, example_line
from bot.persona_data.choosing import Chosen, stand_ins
from bot.persona_data.cleaning import Clean
from bot.persona_data.pairing import Turn
from bot.persona_data.repeats import plain_words

_LONGEST_CONTEXT = 6000  # characters; the oldest turns go first
_LONGEST_TURN = 2000
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_SENTENCE_END = re.compile(r"[.!?…]*$")


class Wording(Protocol):
    """How the style model is spoken to; training and answering must use the same words."""

    def chat(self) -> str:
        """Return the system's message of a plain conversation."""
        ...

    def rewrite(self, draft: str) -> tuple[str, str]:
        """Return the system's and the user's message that ask for a draft in the voice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One example. `said` is the reply as it was said, without markers that were put into it.

    `ties` name the messages and the conversation that it holds: none may be on two sides.
    """

    kind: Literal["chat", "rewrite"]
    messages: tuple[Message, ...]
    said: str
    ties: frozenset[str]

    @property
    def reply(self) -> str:
        """What is learnt."""
        return self.messages[-1].content

    def line(self) -> str:
        """Return it as it is written."""
        return example_line(self.messages)


class Refused(Exception):
    """No example can be made of a reply; the text says why."""


class ChatExamples:
    """Makes examples of replies with what was said before them."""

    def __init__(
        self,
        wording: Wording,
        clean: Callable[[Turn], Clean],
        *,
        speakers: Collection[str],
        agreed: Collection[str],
        unnamed: bool,
    ) -> None:
        """With `unnamed`, words of people who did not agree are kept as context."""
        self._wording = wording
        self._clean = clean
        self._speakers = speakers
        self._agreed = agreed
        self._unnamed = unnamed

    def make(self, chosen: Chosen) -> Example:
        """Return an example; raise Refused when what the reply answers is not there or it tells more."""
        turns = list(chosen.pair.context)
        if not turns or turns[-1].speaker in self._speakers:
            raise Refused("replies to nobody")
        if not self._may_use(turns[-1]):
            raise Refused("replies to someone who has not agreed")
        said = self._messages([turn for turn in turns if self._may_use(turn)])
        known = sum((stand_ins(message.content) for message in said), start=stand_ins(""))
        if stand_ins(chosen.reply.text) - known:
            raise Refused("tells a link, name or number that was taken out")
        messages = (Message("system", self._wording.chat()), *said, Message("assistant", chosen.reply.text))
        return _fitting(Example(kind="chat", messages=messages, said=chosen.reply.text, ties=_ties(chosen)))

    def _may_use(self, turn: Turn) -> bool:
        return self._unnamed or turn.speaker in self._agreed

    def _messages(self, turns: Sequence[Turn]) -> list[Message]:
        """Return the turns as messages that take turns, the user's first; several people are numbered."""
        others = list(dict.fromkeys(turn.speaker for turn in turns if turn.speaker not in self._speakers))
        messages: list[Message] = []
        for turn in turns:
            text = self._clean(turn).text[:_LONGEST_TURN].rstrip()
            if not text:
                continue
            own = turn.speaker in self._speakers
            if not own and len(others) > 1:
                text = f"Person {others.index(turn.speaker) + 1}: {text}"
            _join(messages, Message("assistant" if own else "user", text, earlier=own))
        while messages and (messages[0].role == "assistant" or _length(messages) > _LONGEST_CONTEXT):
            messages.pop(0)
        if not messages or messages[-1].role != "user":
            raise Refused("nothing is left of what it replies to")
        return messages


def rewrite_example(chosen: Chosen, draft: str, wording: Wording) -> Example:
    """Return an example that turns a draft into the reply.

    Raises Refused when the draft is the reply, or does not have the same facts.
    """
    reply = chosen.reply.text
    if draft.strip() == reply.strip():
        raise Refused("no voice in it: the plain draft is the same")
    if not plain_words(draft) or not judge(draft, reply).kept:
        raise Refused("its plain draft has other facts")
    if _picked(reply):
        draft, reply = _with_markers(draft, reply)
    system, user = wording.rewrite(draft)
    messages = (Message("system", system), Message("user", user), Message("assistant", reply))
    return _fitting(Example(kind="rewrite", messages=messages, said=chosen.reply.text, ties=_ties(chosen)))


def _with_markers(draft: str, reply: str) -> tuple[str, str]:
    """Put the same citation markers into both, to be kept, where each sentence has its like."""
    drafted, replied = _SENTENCE.split(draft), _SENTENCE.split(reply)
    if len(drafted) != len(replied) or "```" in reply or "\n" in reply + draft:
        return draft, reply
    return _marked(drafted), _marked(replied)


def _marked(sentences: Sequence[str]) -> str:
    return " ".join(
        _SENTENCE_END.sub(lambda found: f" [{number}]{found[0]}", sentence, count=1)  # noqa: B023 - used at once
        for number, sentence in enumerate(sentences, start=1)
    )


def _picked(text: str) -> bool:
    """Pick every second text, the same ones in every run."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=1).digest()[0] % 2 == 0


def _ties(chosen: Chosen) -> frozenset[str]:
    """Name what must not be on both sides: the conversation, each of its messages, and what was replied."""
    keys = {f"message {key}" for key in chosen.pair.keys}
    return frozenset({f"talk {chosen.pair.talk}", " ".join(plain_words(chosen.reply.text))} | keys)


def _fitting(example: Example) -> Example:
    if estimate_tokens(example.messages) > LONGEST_EXAMPLE:
        raise Refused("longer than a model takes")
    return example


def _join(messages: list[Message], message: Message) -> None:
    if messages and messages[-1].role == message.role:
        before = messages.pop()
        message = Message(message.role, f"{before.content}\n{message.content}", earlier=message.earlier)
    messages.append(message)


def _length(messages: Sequence[Message]) -> int:
    return sum(len(message.content) for message in messages)
