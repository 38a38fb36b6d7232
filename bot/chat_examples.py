"""Chat examples as tokens: laid out by the model's own chat template, with only the replies to be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from jinja2 import TemplateError

from bot.persona_data.chat_format import Message
from bot.training import TrainingRefused

IGNORED = -100  # torch's label for what is not learnt
# For a base model without a template of its own. It names no token that a vocabulary could lack.
PLAIN_TEMPLATE = (
    "{{ bos_token or '' }}{% for message in messages %}"
    "{{ '### ' + message['role'] + '\n' + message['content'] }}"
    "{{ (eos_token or '') if message['role'] == 'assistant' else '' }}{{ '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '### assistant\n' }}{% endif %}"
)

Turn = dict[str, str]


@dataclass(frozen=True, slots=True)
class Tokens:
    """One example: the ids of its tokens, and for each what is to be learnt (IGNORED: nothing)."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]


class Encoder:
    """Lays out examples with a tokenizer of transformers. `longest` is in tokens."""

    def __init__(self, tokenizer: Any, *, longest: int) -> None:  # noqa: ANN401 - transformers is an extra
        self._tokenizer = tokenizer
        self._longest = longest
        self._folded = False
        if not tokenizer.chat_template:
            tokenizer.chat_template = PLAIN_TEMPLATE

    def encode(self, example: Sequence[Message]) -> Tokens | None:
        """Return an example as tokens, None when it has no room.

        The oldest messages are left out until it has. Raise TrainingRefused when the template takes no chat.
        """
        for kept in _shortened(example):
            tokens = self._laid_out(kept)
            if len(tokens.ids) <= self._longest:
                return tokens if any(label != IGNORED for label in tokens.labels) else None
        return None

    def _laid_out(self, example: Sequence[Message]) -> Tokens:
        turns = _turns(example)
        whole = self._ids(turns)
        labels = [IGNORED] * len(whole)
        for position, message in enumerate(example):
            if message.role == "assistant" and not message.earlier:
                start = _common(self._ids(turns[:position], reply_next=True), whole)
                end = _common(self._ids(turns[: position + 1]), whole)
                labels[start:end] = whole[start:end]
        return Tokens(whole, tuple(labels))

    def _ids(self, turns: Sequence[Turn], *, reply_next: bool = False) -> tuple[int, ...]:
        try:
            return self._templated(_folded(turns) if self._folded else turns, reply_next=reply_next)
        except TemplateError as exc:
            if self._folded:
                raise TrainingRefused(
                    f"The chat template of the base model takes no such chat ({exc}). Choose an instruction-"
                    "tuned base model."
                ) from exc
        self._folded = True  # some templates know no system message
        return self._ids(turns, reply_next=reply_next)

    def _templated(self, turns: Sequence[Turn], *, reply_next: bool) -> tuple[int, ...]:
        text: str = self._tokenizer.apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=reply_next
        )
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _turns(example: Sequence[Message]) -> list[Turn]:
    return [{"role": message.role, "content": message.content} for message in example]


def _folded(turns: Sequence[Turn]) -> list[Turn]:
    """Put the system's words in front of what is said next."""
    if len(turns) < 2 or turns[0]["role"] != "system":
        return list(turns)
    said = f"{turns[0]['content']}\n\n{turns[1]['content']}"
    return [{"role": turns[1]["role"], "content": said}, *turns[2:]]


def _shortened(example: Sequence[Message]) -> list[Sequence[Message]]:
    """Return the example, and then what is left of it with one exchange less each time, the oldest first."""
    rules = [message for message in example[:1] if message.role == "system"]
    said = example[len(rules) :]
    return [[*rules, *said[start:]] for start in range(0, len(said) - 1, 2)]


def _common(start: Sequence[int], whole: Sequence[int]) -> int:
    """Count the tokens that both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(start, whole, strict=False)))
