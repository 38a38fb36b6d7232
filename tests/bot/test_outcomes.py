"""What a turn comes to in a chat."""

from __future__ import annotations

import pytest

from adapters.slack.settings import SlackSettings
from bot.assistant import NO_DOCUMENTS, NOT_FOUND
from bot.channels import ChannelRules
from bot.chat import Place
from bot.messages import Answer
from bot.outcomes import outcome
from bot.texts import LANGUAGES, Texts
from tests.bot.surface import message


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_an_empty_base_says_how_it_is_filled_from_the_chat(words: Texts) -> None:
    """Whoever asks before there are documents is told the chat's own command, as the settings name it."""
    settings = SlackSettings(command="/wissen", language=words.language)
    rule = ChannelRules((), {"slack": settings}).of(Place(platform="slack", workspace="T1", channel="C1"))

    def told(said: str) -> str:
        answer = Answer(question="How?", answered=False, text=said, confidence=0.0)
        shown = outcome(message(1, "How?"), rule, answer, "public").answer
        return shown.text if shown else ""

    assert told(NO_DOCUMENTS) == words.no_documents_here.format(command="/wissen")
    assert told(NOT_FOUND) == words.not_found
