"""What reads like a question and what does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.recognising import is_question, question_score
from tests.benchmarks import recognising

QUESTIONS = [
    "How do I request parental leave?",
    "how do i reset my vpn password",
    "Where can I find the travel policy",
    "@here does anyone know who owns billing?",
    "Hi team, which laptop models can I order?",
    "Is there a policy for remote work",
    "VPN: how do I connect from home?",
    "Our CI keeps failing with ECONNREFUSED, any ideas?",
    "I can't find the onboarding checklist",
    "Please help me with the SSO login",
    "How long is the probation period in Germany",
    "What about part-timers?",
    "and for contractors?",
    "Kann mir jemand sagen, wie ich Urlaub beantrage?",
    "Wo finde ich das Handbuch",
    "Wie viele Urlaubstage habe ich?",
    "Comment puis-je demander un congé ?",
    "Où se trouve le guide d’accueil ?",
    "¿Cómo pido vacaciones?",
    "¿Dónde está la guía?",
    "有薪假怎么申请？",
]
OTHERS = [
    "",
    "thanks!",
    "lgtm",
    "ok?",
    "why?",
    "???",
    "Morning all",
    "anyone here?",
    "how are you?",
    "Lunch anyone?",
    "did you see the game?",
    "that's great, right?",
    "what a mess that was",
    "when I tried it, it failed",
    "deploy went out at 3",
    "The build is broken again",
    "This is what we shipped.",
    "I like how it looks",
    "Bob: can you look at it?",
    "@bob where is the report?",
    "see https://example.org/?q=how+do+i",
    "`how do I do this?`",
    "> how do I do this?",
    "/kb list how",
    "!help me?",
    "Danke, passt",
]


@pytest.mark.parametrize("text", QUESTIONS)
def test_questions_are_recognised(text: str) -> None:
    """Questions are known in four languages, with or without a question mark."""
    assert is_question(text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_messages_are_not(text: str) -> None:
    """Banter, statements, code, links and what speaks to a certain person are no questions."""
    assert not is_question(text)


@given(st.text())
def test_every_text_has_a_score(text: str) -> None:
    """The score is a share, whatever the text."""
    assert 0 <= question_score(text) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "?" * 50_000,
        "@" * 50_000,
        ". " * 25_000,
        "¿" * 50_000,
        "what " * 10_000,
        "mind if i " * 5_000,
        "\n>" * 9_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Texts made to be slow take no longer than others."""
    began = time.perf_counter()
    question_score(text)
    assert time.perf_counter() - began < 5  # hundreds of times as long as it takes


@pytest.mark.trust
def test_questions_of_a_busy_chat() -> None:
    """Of the questions that begin a conversation in Ubuntu's channel, nearly all are recognised."""
    if not recognising.DATA.is_file():
        pytest.skip("shared/data/eval/chat-irc is not beside this checkout")
    reported = [one for one in recognising.load(recognising.DATA) if not one.tuned]
    assert recognising.new_questions(reported).recall >= 0.93
    assert recognising.questions(reported).precision >= 0.87
