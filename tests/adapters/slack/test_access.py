"""Who may see what in Slack, asked of Slack and never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.slack.access import FRESH_SECONDS, Access
from bot.channels import ChannelRules
from bot.chat import Place
from bot.chat_settings import ChannelSettings
from bot.errors import SurfaceBusy
from tests.adapters.slack.harness import Rig, running


def place(rig: Rig, channel: str = "", **more: str) -> Place:
    return Place(platform="slack", workspace=rig.slack.home.id, channel=channel or rig.channel, **more)  # type: ignore[arg-type]


def access(rig: Rig, *channels: ChannelSettings, clock: list[float] | None = None) -> Access:
    now = clock if clock is not None else [0.0]
    rules = ChannelRules(channels, {"slack": rig.app._settings})
    return Access(rig.app._workspaces, rules, clock=lambda: now[0])


async def test_a_public_answer_uses_what_the_channel_may_see(tmp_path: Path) -> None:
    """The tags of a public answer are the channel's own and those its settings name, whoever asks."""
    async with running(tmp_path) as rig:
        rule = ChannelSettings(platform="slack", id=rig.channel, audience=("staff",))
        tags = (await access(rig, rule).audience(place(rig), rig.ann, private=False)).tags
        assert tags == {f"slack:{rig.channel}", "staff"}


async def test_a_private_answer_uses_what_the_person_may_see(tmp_path: Path) -> None:
    """The tags of a private answer are the person's, their groups' and those of the channels they are in."""
    async with running(tmp_path) as rig:
        bob = rig.slack.add_user("Bob")
        secret = rig.slack.add_channel("secret", members=[rig.ann], private=True)
        closed = rig.slack.add_channel("closed", members=[bob], private=True)
        group = rig.slack.add_group("experts", [rig.ann])
        rig.slack.add_group("others", [bob])
        rules = [
            ChannelSettings(platform="slack", id=secret, audience=("hr",)),
            ChannelSettings(platform="slack", id=closed, audience=("board",)),
        ]
        tags = (await access(rig, *rules).audience(place(rig), rig.ann, private=True)).tags
        assert tags == {
            f"slack:user:{rig.ann}",
            f"slack:group:{group}",
            f"slack:{rig.channel}",
            f"slack:{secret}",
            "hr",
        }


async def test_a_direct_message_counts_as_private(tmp_path: Path) -> None:
    """In a direct message the person's own rights hold, although the answer is called public."""
    async with running(tmp_path) as rig:
        where = place(rig, rig.slack.direct(rig.ann), kind="direct")
        tags = (await access(rig).audience(where, rig.ann, private=False)).tags
        assert f"slack:user:{rig.ann}" in tags


@pytest.mark.parametrize("method", ["users.conversations", "usergroups.list"])
async def test_what_slack_does_not_tell_is_not_guessed(tmp_path: Path, method: str) -> None:
    """When Slack cannot say who is where, there is no audience at all, and the next try asks again."""
    async with running(tmp_path) as rig:
        rig.slack.faults.fail(method, "internal_error", times=3)
        asked = access(rig)
        with pytest.raises(SurfaceBusy):
            await asked.audience(place(rig), rig.ann, private=True)
        assert (await asked.audience(place(rig), rig.ann, private=True)).tags


async def test_a_workspace_without_groups_has_none(tmp_path: Path) -> None:
    """A plan without user groups takes no right away but theirs."""
    async with running(tmp_path) as rig:
        rig.slack.faults.fail("usergroups.list", "plan_upgrade_required")
        tags = (await access(rig).audience(place(rig), rig.ann, private=True)).tags
        assert tags == {f"slack:user:{rig.ann}", f"slack:{rig.channel}"}


async def test_a_member_who_left_sees_less_within_a_minute(tmp_path: Path) -> None:
    """What Slack told is remembered for a minute and then asked again."""
    async with running(tmp_path) as rig:
        now = [0.0]
        asked = access(rig, clock=now)
        await asked.audience(place(rig), rig.ann, private=True)
        rig.slack.leave(rig.channel, rig.ann)
        await asked.audience(place(rig), rig.ann, private=True)
        assert len(rig.method("users.conversations")) == 1
        now[0] = FRESH_SECONDS
        tags = (await asked.audience(place(rig), rig.ann, private=True)).tags
        assert f"slack:{rig.channel}" not in tags


async def test_rights_come_from_slack(tmp_path: Path) -> None:
    """A person's groups and admin rights are what Slack says of them."""
    async with running(tmp_path) as rig:
        boss = rig.slack.add_user("Boss", is_admin=True)
        group = rig.slack.add_group("experts", [boss])
        person = await access(rig).person(rig.slack.home.id, boss)
        assert person.admin
        assert person.groups == {group}
        assert not (await access(rig).person(rig.slack.home.id, rig.ann)).admin


async def test_a_shared_channel_inherits_nothing(tmp_path: Path) -> None:
    """What the workspace's rule gives its members is given to nobody through a channel shared with others."""
    async with running(tmp_path) as rig:
        guest = rig.slack.add_user("Gus", is_stranger=True)
        shared = rig.slack.add_channel("partners", members=[rig.ann, guest], shared=True)
        rule = ChannelSettings(platform="slack", id=rig.slack.home.id, audience=("staff",))
        asked = access(rig, rule)
        # A command's or a button's payload does not tell that its channel is shared.
        there = place(rig, shared)
        assert (await asked.audience(there, guest, private=False)).tags == {f"slack:{shared}"}
        assert (await asked.audience(there, guest, private=True)).tags == {
            f"slack:user:{guest}",
            f"slack:{shared}",
        }
        assert "staff" in (await asked.audience(there, rig.ann, private=True)).tags
        assert "staff" in (await asked.audience(place(rig), guest, private=False)).tags


async def test_sharing_that_slack_does_not_tell_is_not_guessed(tmp_path: Path) -> None:
    """Where a channel would inherit tags and Slack cannot say whether it is shared, there is no audience."""
    async with running(tmp_path) as rig:
        rule = ChannelSettings(platform="slack", id=rig.slack.home.id, audience=("staff",))
        rig.slack.faults.fail("conversations.info", "internal_error", times=3)
        asked = access(rig, rule)
        with pytest.raises(SurfaceBusy):
            await asked.audience(place(rig), rig.ann, private=False)
        assert "staff" in (await asked.audience(place(rig), rig.ann, private=False)).tags


async def test_a_place_is_as_slack_knows_it(tmp_path: Path) -> None:
    """A shortcut's place, taken for private as nothing is known of it, gets its kind and its sharing."""
    async with running(tmp_path) as rig:
        shared = rig.slack.add_channel("partners", members=[rig.ann], shared=True)
        closed = rig.slack.add_channel("closed", members=[rig.ann], private=True)
        asked = access(rig)
        found = [await asked.settled(place(rig, one, kind="private")) for one in ("", shared, closed)]
        assert [(one.kind, one.shared) for one in found] == [
            ("channel", False),
            ("channel", True),
            ("private", False),
        ]
