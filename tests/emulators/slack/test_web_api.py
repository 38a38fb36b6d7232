"""The Web API of the emulator, called by Slack's own client."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.conftest import Office


async def refused(call: object) -> str:
    with pytest.raises(SlackApiError) as raised:
        await call  # type: ignore[misc]
    return str(raised.value.response["error"])


async def test_the_client_learns_who_it_is(office: Office) -> None:
    """auth.test names the bot, and its scopes stand in the header."""
    told = await office.client.auth_test()
    assert (told["user_id"], told["bot_id"]) == (office.slack.bot_user, office.slack.home.bot_id)
    assert "chat:write" in told.headers["x-oauth-scopes"].split(",")


async def test_tokens_are_checked(office: Office) -> None:
    """No token, an unknown, a revoked one and one of another kind each have their own error."""
    slack = office.slack
    other = AsyncWebClient(base_url=slack.api_url)
    assert await refused(other.auth_test()) == "not_authed"
    assert await refused(other.auth_test(token="xoxb-other")) == "invalid_auth"
    assert await refused(other.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    await office.client.auth_revoke()
    assert await refused(office.client.auth_test()) == "token_revoked"


async def test_a_missing_scope_is_named(office: Office) -> None:
    """Without the scope a call is refused with what it needs."""
    office.slack.home.scopes.discard("chat:write")
    with pytest.raises(SlackApiError) as raised:
        await office.client.chat_postMessage(channel=office.channel, text="Hello")
    assert raised.value.response["error"] == "missing_scope"
    assert raised.value.response["needed"] == "chat:write"


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"text": "Hello"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "C1", "text": "Hello", "colour": "red"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "C404", "text": "Hello"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C1"}, "no_text"),
        ("chat.postMessage", {"channel": "C1", "blocks": "{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": "C1", "text": "a", "metadata": "no"}, "invalid_metadata_format"),
        ("chat.postMessage", {"channel": "C1", "text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ("chat.postMessage", {"channel": "C1", "markdown_text": "b" * 12_001}, "msg_blocks_too_long"),
        ("chat.postMessage", {"channel": "C1", "text": "a", "thread_ts": "1.0"}, "cannot_reply_to_message"),
        ("chat.update", {"channel": "C1", "ts": "1.0", "text": "a"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": "C1", "user": "U9", "text": "a"}, "user_not_in_channel"),
        ("conversations.replies", {"channel": "C1", "ts": "1.0"}, "thread_not_found"),
        ("conversations.history", {"channel": "C1", "cursor": "!"}, "invalid_cursor"),
        ("users.info", {"user": "U9"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S9"}, "no_such_subteam"),
        ("files.info", {"file": "F9"}, "file_not_found"),
        ("no.such", {}, "unknown_method"),
    ],
)
async def test_what_is_wrong_is_refused(
    office: Office, method: str, arguments: dict[str, str], error: str
) -> None:
    """A wrong call gets the error that Slack documents."""
    office.slack.add_channel("other", key="C1")
    assert await refused(office.client.api_call(method, data=arguments)) == error
    assert office.slack.calls[-1].error == error


async def test_channels_keep_strangers_out(office: Office) -> None:
    """The bot writes only where it is a member, and does not see private channels of others."""
    slack, client = office.slack, office.client
    closed = slack.add_channel("closed", private=True, bot=False)
    public = slack.add_channel("public", bot=False)
    slack.channel(slack.add_channel("old", key="C0OLD")).archived = True
    assert await refused(client.chat_postMessage(channel=closed, text="a")) == "channel_not_found"
    assert await refused(client.chat_postMessage(channel=public, text="a")) == "not_in_channel"
    assert await refused(client.conversations_history(channel=public)) == "not_in_channel"
    assert await refused(client.chat_postMessage(channel="C0OLD", text="a")) == "is_archived"
    listed = await client.conversations_list(types="public_channel,private_channel")
    assert closed not in [one["id"] for one in listed["channels"]]
    await client.conversations_join(channel=public)
    await client.chat_postMessage(channel=public, text="a")


async def test_people_and_groups_are_told(office: Office) -> None:
    """Users, members, conversations and groups come back, page by page."""
    slack, client, ann = office.slack, office.client, office.ann
    group = slack.add_group("admins", [ann])
    private = slack.add_channel("private", members=[ann], private=True)
    slack.add_channel("hidden", members=[ann], private=True, bot=False)
    assert (await client.users_info(user=ann))["user"]["profile"]["email"] == "ann@acme.example"
    told = await client.users_conversations(user=ann, types="public_channel,private_channel")
    assert [one["id"] for one in told["channels"]] == [office.channel, private]
    assert (await client.usergroups_users_list(usergroup=group))["users"] == [ann]
    assert (await client.usergroups_list(include_users=True))["usergroups"][0]["users"] == [ann]
    assert (await client.team_info())["team"]["id"] == slack.home.id
    pages = await client.conversations_members(channel=private, limit=1)
    members = [one async for page in pages for one in page["members"]]
    assert members == [ann, slack.bot_user]
    opened = await client.conversations_open(users=ann)
    assert (await client.conversations_info(channel=opened["channel"]["id"]))["channel"]["is_im"]


async def test_a_call_can_fail_before_and_after_its_work(office: Office) -> None:
    """A fault refuses a call, or lets it do its work and spoils the answer alone."""
    slack, client = office.slack, office.client
    slack.faults.fail("chat.postMessage", "fatal_error")
    slack.faults.status("chat.postMessage", 500, accepted=True)
    slack.faults.cut("chat.postMessage", accepted=True)
    assert await refused(client.chat_postMessage(channel=office.channel, text="one")) == "fatal_error"
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel=office.channel, text="two")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=office.channel, text="three")
    assert [one.text for one in slack.messages(office.channel)] == ["two", "three"]


async def test_a_call_can_hang(office: Office) -> None:
    """A call that hangs is given up by the client, not by the server."""
    office.slack.faults.hang("auth.test")
    client = AsyncWebClient(token=office.slack.bot_token, base_url=office.slack.api_url, timeout=1)
    with pytest.raises(asyncio.TimeoutError):
        await client.auth_test()


async def test_the_client_waits_as_told(office: Office) -> None:
    """After a 429 the client comes back no earlier than Retry-After says; an early call is recorded."""
    slack = office.slack
    patient = AsyncWebClient(
        token=slack.bot_token,
        base_url=slack.api_url,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)],
    )
    slack.faults.rate_limit("users.info", 1)
    await patient.users_info(user=office.ann)
    first, second = slack.calls_of("users.info")
    assert second.at - first.at >= 1
    assert slack.limits.early == []
    slack.faults.rate_limit("users.info", 30)
    assert await refused(office.client.users_info(user=office.ann)) == "ratelimited"
    await office.client.users_info(user=office.ann)
    assert slack.limits.early == ["users.info"]


async def test_tiers_apply_when_switched_on(office: Office) -> None:
    """Twenty calls a minute of a tier-2 method pass, the next is refused until the minute is over."""
    slack, client = office.slack, office.client
    slack.limits.on = True
    for _ in range(20):
        await client.usergroups_list()
    assert await refused(client.usergroups_list()) == "ratelimited"
    slack.clock.advance(61)
    await client.usergroups_list()


async def test_histories_outside_the_marketplace(office: Office) -> None:
    """A commercial app outside the Marketplace reads 15 messages of a history, once a minute."""
    slack, client = office.slack, office.client
    slack.limits.outside_marketplace = True
    for number in range(20):
        await slack.say(office.channel, office.ann, f"Words {number}")
    told = await client.conversations_history(channel=office.channel)
    assert (len(told["messages"]), told["has_more"]) == (15, True)
    assert await refused(client.conversations_history(channel=office.channel)) == "ratelimited"
    await client.users_info(user=office.ann)


async def test_posts_are_limited_by_channel(office: Office) -> None:
    """A short burst of posts passes, then one a second and channel."""
    slack, client = office.slack, office.client
    slack.limits.on = True
    for _ in range(4):
        await client.chat_postMessage(channel=office.channel, text="a")
    assert await refused(client.chat_postMessage(channel=office.channel, text="a")) == "ratelimited"
    await client.chat_postMessage(channel=slack.add_channel("other"), text="a")
    slack.clock.advance(1)
    await client.chat_postMessage(channel=office.channel, text="a")


async def test_a_body_of_another_kind_is_refused(office: Office) -> None:
    """Bodies are forms or JSON objects, nothing else."""
    slack = office.slack
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for content, body, error in (
            ("application/xml", "<a/>", "invalid_post_type"),
            ("application/json", "{", "invalid_json"),
            ("application/json", "[]", "json_not_object"),
        ):
            async with session.post(
                f"{slack.api_url}auth.test", data=body, headers={"Content-Type": content}
            ) as response:
                assert (await response.json())["error"] == error
