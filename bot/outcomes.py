"""What a turn comes to, as plain functions: which buttons, which notes, which conversation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

from bot.channels import ChannelRule
from bot.chat import Attachment, Control, Incoming, Outcome, Shown
from bot.citations import keep_markers
from bot.messages import Answer
from bot.output_gate import defang_line
from bot.texts import ENGLISH, texts, translated

NOTES = 5  # about files; whoever drops twenty needs no twenty lines
_ADD_THIS = re.compile(
    r"\W*(?:please\s+|bitte\s+|por favor\s+)?(?:"
    r"(?:add|index|save|learn|keep)\s+(?:this|these|it|them|that)(?:\s+(?:file|document|doc)s?)?(?:[\s,]+please)?"
    r"|(?:füge|fuege)\s+(?:das|dies|sie|es)\s+hinzu|(?:ajoute|ajoutez)\s+(?:ceci|cela|ça|ca)|"
    r"(?:añade|agrega|guarda)\s+(?:esto|esta|este)"
    r")\W*",
    re.IGNORECASE,
)
_HELP = frozenset({"help", "hilfe", "aide", "ayuda"})


def asks_for_help(incoming: Incoming) -> bool:
    """Tell whether someone says no more to the bot than "help", in a language that it speaks."""
    return incoming.addressed and incoming.text.strip(" ?!.¿¡").casefold() in _HELP


def adds_files(incoming: Incoming) -> bool:
    """Tell whether someone dropped files on the bot for it to keep: a wish in so many words, and no more."""
    return bool(incoming.addressed and files(incoming) and _ADD_THIS.fullmatch(incoming.text.strip()))


def files(incoming: Incoming) -> list[Attachment]:
    """Return what came along and can be read."""
    return [attachment for attachment in incoming.attachments if not attachment.image]


def answer_id(key: str) -> str:
    """Return the id of the answer to an Incoming: the same however often it is tried."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def conversation_id(incoming: Incoming, shown: Shown, thread: str = "") -> str:
    """Return the conversation that a turn belongs to, which is the asker's own where it is private.

    A question outside a thread begins one, except in a direct message and where it is private: there the
    place itself is the conversation. `thread` is where the reply stands, once that is known.
    """
    place = incoming.place
    private = shown == "private" and place.kind != "direct"
    if private:
        return f"{place.conversation}:private:{incoming.person}"
    begun = "" if place.kind == "direct" else incoming.message
    return replace(place, thread=thread or place.thread or begun).conversation


def controls(incoming: Incoming, rule: ChannelRule, answer: Answer, shown: Shown) -> tuple[Control, ...]:
    """Return the buttons under an answer, in their order."""
    if shown == "draft":
        return ("sources", "approve", "discard") if answer.citations else ("approve", "discard")
    direct = incoming.place.kind == "direct"
    found: list[Control] = []
    if answer.answered:
        found.append("feedback")
    if answer.citations or answer.nearest:
        found.append("sources")
    if answer.answered and shown == "private" and not direct:
        found.append("share")
    if rule.person and not direct:
        found.append("person")
    if shown == "public" and not direct:
        found.append("resolved")
    return tuple(found)


def outcome(incoming: Incoming, rule: ChannelRule, answer: Answer, shown: Shown) -> Outcome:
    """Return what is shown of an answer, the bot's own lines in the place's language."""
    own = "" if answer.answered else _own(answer.text, rule)
    return Outcome(
        answer=replace(answer, text=own) if own else answer,
        controls=controls(incoming, rule, answer, shown),
        notes=notes(incoming.attachments, rule.language),
        shown=shown,
        language=rule.language,
    )


def _own(said: str, rule: ChannelRule) -> str:
    """Return a line of the assistant's as it helps whoever reads it in a chat."""
    if said == ENGLISH.no_documents:
        return texts(rule.language).no_documents_here.format(command=rule.command)
    return translated(said, rule.language)


def line(text: str, rule: ChannelRule, shown: Shown) -> Outcome:
    """Return one line in place of an answer."""
    return Outcome(alone=text, shown=shown, language=rule.language)


def stopped(question: str, said: str, rule: ChannelRule, shown: Shown) -> Outcome:
    """Return what is left of a turn that someone stopped: what was shown, without marks that lead nowhere."""
    words = texts(rule.language)
    text = keep_markers(said, ()).strip()
    if not text:
        return line(words.stopped, rule, shown)
    answer = Answer(question=question, answered=True, text=text, confidence=0.0)
    return Outcome(answer=answer, notes=(words.stopped,), shown=shown, language=rule.language)


def notes(attachments: Iterable[Attachment], language: str) -> tuple[str, ...]:
    """Return a line about each file that came with a question and was not read."""
    words = texts(language)
    found = [
        (words.image_unread if attachment.image else words.file_unread).format(
            name=defang_line(attachment.name)
        )
        for attachment in attachments
    ]
    return tuple(found[:NOTES])
