"""Thread memory: a follow-up becomes a question that stands on its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.errors import ModelError
from bot.grounding import content_words
from bot.messages import Conversation
from bot.output_gate import strip_unseen
from bot.prompts import condense_prompt
from bot.spending import Spent
from kb.words import stem

if TYPE_CHECKING:
    from bot.llms import Model

TURNS_TOLD = 4
WORDS_CARRIED = 12
LONGEST_QUESTION = 500

_OPENERS = re.compile(
    r"^\W*(?:and|but|or|also|then|so|what about|how about|what if|why|why not|since when|until when|"
    r"where exactly|which one|for how long|how so|same for|und|et|y|e)\b",
    re.IGNORECASE,
)
_POINTERS = re.compile(
    r"\b(?:it|its|it's|they|them|their|theirs|he|she|him|her|his|hers|that|this|these|those|there|one|ones|"
    r"such|same|former|latter|above|before|instead|else|otherwise)\b",
    re.IGNORECASE,
)
_EMPTY_POINTERS = re.compile(
    r"\b(?:is it (?:possible|ok|okay|allowed|safe|true|necessary)|does it take|it is (?:possible|allowed)|"
    r"(?:is|are) there|there (?:is|are)|someone else|anyone else|that (?:is|are|have|has|can|was|were)|"
    r"before \w+ing|how (?:long|much) (?:does|do) it (?:take|cost) to)\b",
    re.IGNORECASE,
)
_FEW_WORDS = 1


def leans_on_before(question: str) -> bool:
    """Tell whether a question cannot be understood without the one before it."""
    own = len(content_words(question))
    if _OPENERS.search(question) and own <= 4:
        return True
    pointing = _POINTERS.search(_EMPTY_POINTERS.sub(" ", question))
    return own <= _FEW_WORDS or (pointing is not None and own <= 6)


def carry_over(question: str, conversation: Conversation) -> str:
    """Add the topic words of the earlier questions that a follow-up leans on, without a model."""
    if not conversation.turns or not leans_on_before(question):
        return question
    carried: list[str] = []
    for turn in reversed(conversation.turns):
        carried = [*content_words(turn.question), *carried]
        if not leans_on_before(turn.question):
            break
    own = {stem(word) for word in content_words(question)}
    topic = [word for word in dict.fromkeys(carried) if stem(word) not in own][:WORDS_CARRIED]
    return f"{question} ({' '.join(topic)})" if topic else question


async def condense(question: str, conversation: Conversation, model: Model | None, spent: Spent) -> str:
    """Return a follow-up as a full question: by the model, or by rule where it fails or is none.

    The caller sets the deadline.
    """
    if not conversation.turns or not leans_on_before(question):
        return question
    if model is None:
        return carry_over(question, conversation)
    try:
        written = await model.complete(condense_prompt(question, conversation.turns[-TURNS_TOLD:]), spent)
    except ModelError:
        return carry_over(question, conversation)
    full = " ".join(strip_unseen(written).split()).strip("\"' ")
    return full if 0 < len(full) <= LONGEST_QUESTION else carry_over(question, conversation)
