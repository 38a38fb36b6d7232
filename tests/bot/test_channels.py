"""How a place is answered: settings resolved, and each decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.channels import ChannelRule, ChannelRules, Decision, is_reviewer, may_change
from bot.chat import Incoming, Person, Place
from bot.chat_settings import ChannelMode, ChannelSettings, PlatformSettings

PLACE = Place(platform="slack", workspace="T1", channel="C1", parent="P1")
SLACK = PlatformSettings(answers="mention", person="S1", language="de", auto_threshold=0.8)


def block(name: str, **settings: Any) -> ChannelSettings:  # noqa: ANN401 - of any type
    return ChannelSettings(platform="slack", id=name, **settings)


def rules(*channels: ChannelSettings, **platform: Any) -> ChannelRules:  # noqa: ANN401 - of any type
    return ChannelRules(channels, {"slack": SLACK.model_copy(update=platform)})


def said(**fields: Any) -> Incoming:  # noqa: ANN401 - of any type
    given = {"key": "k", "subject": "k", "kind": "message", "place": PLACE, "message": "1", "person": "U1"}
    return Incoming(**(given | {"text": "How do I request leave?"} | fields))


def decide(rule: ChannelRule, *, owned: bool = False, question: bool = True, **fields: Any) -> Decision:  # noqa: ANN401 - of any type
    return rules().decide(said(**fields), rule, owned=owned, question=question)


def test_a_place_without_settings_follows_its_platform() -> None:
    """Where no channel is named, the platform's section says everything."""
    rule = rules().of(PLACE)
    assert rule == ChannelRule(language="de", person="S1", auto_threshold=0.8)


def test_the_nearest_setting_counts() -> None:
    """Each setting is looked up in the channel, its parent, the workspace and the platform, in this order."""
    rule = rules(
        block("T1", mode="off", persona="pirate", sources=("all",), audience=("staff",)),
        block("P1", mode="draft", reviewers=("U9",)),
        block("C1", mode="auto", follow_ups=False),
    ).of(PLACE)
    assert (rule.mode, rule.follow_ups, rule.reviewers) == ("auto", False, ("U9",))
    assert (rule.persona, rule.sources, rule.audience) == ("pirate", ("all",), frozenset({"staff"}))


def test_an_empty_list_that_is_written_down_counts() -> None:
    """`sources = []` in a channel lifts the limit of its workspace."""
    assert rules(block("T1", sources=("a",)), block("C1", sources=())).of(PLACE).sources == ()
    assert rules(block("T1", sources=("a",)), block("C1", mode="auto")).of(PLACE).sources == ("a",)


def test_tags_of_a_workspace_do_not_reach_a_shared_channel() -> None:
    """In a channel shared with others, only its own block says what its members may see."""
    shared = replace(PLACE, shared=True)
    assert rules(block("T1", audience=("staff",))).of(shared).audience == frozenset()
    assert rules(block("C1", audience=("both",))).of(shared).audience == {"both"}


def test_platforms_are_apart() -> None:
    """A Discord channel of the same id is not meant by a block for Slack."""
    there = rules(block("C1", mode="off")).of(replace(PLACE, platform="discord"))
    assert there.mode == "mention"


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("mention", "public"), ("auto", "public"), ("private-first", "private"), ("draft", "draft")],
)
def test_a_mention_is_answered(mode: ChannelMode, shown: str) -> None:
    """Whoever calls the bot gets an answer, shown as the channel's mode says."""
    decision = decide(ChannelRule(mode=mode), addressed=True, question=False)
    assert (decision.answer, decision.shown, decision.asked) == (True, shown, True)


def test_a_channel_that_is_off_is_silent() -> None:
    """Mode off answers no message; a command is answered to its sender alone."""
    assert not decide(ChannelRule(mode="off"), addressed=True).answer
    assert decide(ChannelRule(mode="off"), kind="command", addressed=True).shown == "private"


def test_a_direct_message_is_answered_whatever_the_mode() -> None:
    """What the mode limits is channels."""
    direct = replace(PLACE, kind="direct")
    assert decide(ChannelRule(mode="off"), place=direct, addressed=True) == Decision(
        answer=True, reason="asked directly"
    )


def test_a_private_question_has_a_private_answer() -> None:
    """A command that asks for privacy gets it in every mode, drafts included."""
    for mode in ("mention", "auto", "draft", "off", "private-first"):
        assert decide(ChannelRule(mode=mode), kind="command", private=True).shown == "private"


@pytest.mark.parametrize("mode", ["auto", "private-first", "draft"])
def test_a_question_nobody_addressed_needs_the_higher_bar(mode: ChannelMode) -> None:
    """Questions that begin a conversation are answered by themselves, as answers nobody asked for."""
    decision = decide(ChannelRule(mode=mode))
    assert (decision.answer, decision.asked) == (True, False)
    assert not decide(ChannelRule(mode=mode), question=False).answer
    assert not decide(ChannelRule(mode=mode), root=False).answer
    assert not decide(ChannelRule(mode="mention")).answer


def test_follow_ups_need_a_thread_of_the_bots_own() -> None:
    """A question in a thread it has answered in is a follow-up, unless the channel says no."""
    assert decide(ChannelRule(), owned=True, root=False) == Decision(answer=True, reason="follow-up")
    assert not decide(ChannelRule(), owned=False, root=False).answer
    assert not decide(ChannelRule(), owned=True, root=False, question=False).answer
    assert not decide(ChannelRule(follow_ups=False), owned=True, root=False).answer


@pytest.mark.parametrize(
    "text", ["@Bob where is it?", "hey @bob.s, did that work?", " Hallo @Anna geht das?"]
)
def test_what_is_said_to_someone_else_is_left_alone(text: str) -> None:
    """Neither a follow-up nor a question in the channel is one when it speaks to a person by name."""
    assert not decide(ChannelRule(mode="auto"), text=text).answer
    assert not decide(ChannelRule(), owned=True, root=False, text=text).answer
    assert decide(ChannelRule(mode="auto"), text="@here how do I do this?").answer


def test_a_deletion_is_not_answered() -> None:
    """Nothing is said about a message that is gone."""
    assert not decide(ChannelRule(), kind="delete", addressed=True).answer


def test_who_may_change() -> None:
    """The platform's admins may, and those whom the settings name by id or group."""
    settings = PlatformSettings(admins=("U1",), admin_groups=("G1",))
    person = Person(platform="slack", workspace="T1", id="U2")
    assert not may_change(person, settings)
    assert may_change(replace(person, id="U1"), settings)
    assert may_change(replace(person, groups=frozenset({"G1"})), settings)
    assert may_change(replace(person, admin=True), settings)


def test_who_reviews() -> None:
    """The named users and groups review; where none are named, who may change sources."""
    person = Person(platform="slack", workspace="T1", id="U2", groups=frozenset({"G2"}))
    named, settings = ChannelRule(reviewers=("G2",)), PlatformSettings(admins=("U1",))
    assert is_reviewer(person, named, settings)
    admin = Person(platform="slack", workspace="T1", id="U3", admin=True)
    assert not is_reviewer(admin, named, settings)
    assert not is_reviewer(person, ChannelRule(), settings)
    assert is_reviewer(admin, ChannelRule(), settings)
    assert is_reviewer(replace(person, id="U1"), ChannelRule(), settings)
