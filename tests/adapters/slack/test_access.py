"""Who may see what in Slack, asked of Slack and never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.slack import access as access_module
from adapters.slack.access import FRESH_SECONDS, Access
from bot.channels import ChannelRules
from bot.chat import Place
from bot.chat_settings import ChannelSettings
from bot.errors import SurfaceBusy
from bot.forms import Confirm, Told
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


@dataclass(frozen=True, slots=True)
class Somewhere:
    """A place where somebody does something, and what it must be taken for."""

    made: dict[str, Any]
    kind: str
    shared: bool = False
    hidden: bool = False  # Slack does not tell about it


PLACES = {
    "public": Somewhere({"name": "open"}, "channel"),
    "shared": Somewhere({"name": "partners", "shared": True}, "channel", shared=True),
    "private": Somewhere({"name": "closed", "private": True}, "private"),
    "private without the bot": Somewhere(
        {"name": "hr", "private": True, "bot": False}, "private", shared=True
    ),
    "several people": Somewhere({"name": "mpdm-ann--bob-1", "kind": "mpim"}, "private"),
    "two people": Somewhere(
        {"name": "", "kind": "im", "key": "D0PAIR", "bot": False}, "private", shared=True
    ),
    "untold": Somewhere({"name": "later"}, "private", shared=True, hidden=True),
}


async def done_in(rig: Rig, channel: str, how: str) -> Place:
    """Do something in a channel in a way that does not tell its kind; return the place that it had."""
    if how == "/ask":
        await rig.slack.command("/ask", "how many days?", rig.ann, channel)
        return (await rig.slack.wait_for(lambda: rig.desk.received))[-1].place
    if how == "/kb":
        await rig.slack.command("/kb", "list", rig.ann, channel)
        return (await rig.slack.wait_for(lambda: rig.commands.ran))[-1][2]
    rig.slack.faults.fail("views.open", "expired_trigger_id")
    confirm = Confirm(title="Remove", text="Remove it?", label="Remove", command="remove x --yes")
    rig.commands.told = (Told(text="Remove it?", confirm=confirm),)
    await rig.slack.command("/kb", "remove x", rig.ann, channel)
    (asked,) = await rig.slack.wait_for(lambda: rig.slack.messages(channel))
    await rig.slack.click(asked, "lk_confirm", user=rig.ann)
    return (await rig.slack.wait_for(lambda: rig.commands.ran[1:]))[-1][2]


@pytest.mark.parametrize("how", ["/ask", "/kb", "button"])
@pytest.mark.parametrize("name", PLACES)
async def test_no_closed_place_counts_as_public(tmp_path: Path, name: str, how: str) -> None:
    """Where something was done is asked of Slack; a place that Slack does not tell about counts as closed."""
    where = PLACES[name]
    async with running(tmp_path) as rig:
        bob = rig.slack.add_user("Bob")
        channel = rig.slack.add_channel(**{"members": [rig.ann, bob]} | where.made)
        if where.hidden:
            rig.slack.faults.fail("conversations.info", "internal_error", times=9)
        found = await done_in(rig, channel, how)
        assert (found.kind, found.shared) == (where.kind, where.shared)


async def test_the_direct_messages_of_the_bot_are_direct(tmp_path: Path) -> None:
    """What somebody asks by command where they and the bot talk is asked directly."""
    async with running(tmp_path) as rig:
        assert (await done_in(rig, rig.slack.direct(rig.ann), "/ask")).kind == "direct"


async def test_a_slow_slack_does_not_hold_a_command_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Slack does not tell the place in time, the question is kept all the same, for a closed place."""
    monkeypatch.setattr(access_module, "_SETTLE_SECONDS", 0.01)
    async with running(tmp_path) as rig:
        rig.slack.faults.hang("conversations.info")
        found = await done_in(rig, rig.channel, "/ask")
        assert (found.kind, found.shared) == ("private", True)
