"""Installation by OAuth, and files."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.conftest import Office
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.test_web_api import refused

BACK = "http://127.0.0.1:1/slack/oauth_redirect"


async def allowed(slack: SlackEmulator, **more: str) -> dict[str, list[str]]:
    """Press "Allow" and return what the app's address would get."""
    asked = {"client_id": slack.client_id, "scope": "chat:write,commands"}
    asked |= {"state": "s1", "redirect_uri": BACK}
    async with (
        aiohttp.ClientSession() as session,
        session.get(slack.authorize_url, params=asked | more, allow_redirects=False) as response,
    ):
        assert response.status == 302
        return parse_qs(urlsplit(response.headers["Location"]).query)


# slack-sdk 3.47 still uses what aiohttp 3.14 calls old.
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
async def test_a_second_workspace_installs_the_app(office: Office) -> None:
    """A code is exchanged once, with the right secret, for a token of the workspace that allowed it."""
    slack = office.slack
    other = slack.add_workspace("Other", installed=False)
    slack.add_user("Cleo", workspace=other)
    client = AsyncWebClient(base_url=slack.api_url)
    assert await refused(client.auth_test(token=other.bot_token)) == "invalid_auth"
    answer = await allowed(slack, team=other.id)
    assert answer["state"] == ["s1"]
    exchange = {"client_id": slack.client_id, "code": answer["code"][0], "redirect_uri": BACK}
    wrong = client.oauth_v2_access(client_secret="wrong", **exchange)
    assert await refused(wrong) == "bad_client_secret"
    installed = await client.oauth_v2_access(client_secret=slack.client_secret, **exchange)
    assert installed["team"]["id"] == other.id
    again = client.oauth_v2_access(client_secret=slack.client_secret, **exchange)
    assert await refused(again) == "invalid_code"
    told = await client.auth_test(token=installed["access_token"])
    assert told["team_id"] == other.id
    channel = slack.add_channel("far", workspace=other)
    await client.chat_postMessage(token=installed["access_token"], channel=channel, text="Hello")
    assert await refused(office.client.chat_postMessage(channel=channel, text="a")) == "channel_not_found"


async def test_a_person_can_refuse(office: Office) -> None:
    """Who cancels sends the app an error and no code."""
    office.slack.consent.denied = True
    answer = await allowed(office.slack)
    assert answer == {"state": ["s1"], "error": ["access_denied"]}


async def test_an_uninstalled_app_is_told_and_locked_out(office: Office) -> None:
    """After it was removed the app's token is worth nothing, and the event says so."""
    with office.slack.delivery.held() as held:
        office.slack.uninstall()
        assert [one["event"]["type"] for one in held] == ["app_uninstalled"]
        held.clear()
    assert await refused(office.client.auth_test()) == "account_inactive"


async def test_files_are_for_the_token(office: Office) -> None:
    """With the bot's token a file's bytes come, without it a page to sign in."""
    slack = office.slack
    number = slack.add_file("notes.txt", b"Hello", office.ann)
    file = (await office.client.files_info(file=number))["file"]
    assert (file["name"], file["size"], file["mimetype"]) == ("notes.txt", 5, "text/plain")
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {slack.bot_token}"}
        async with session.get(file["url_private_download"], headers=headers) as response:
            assert await response.read() == b"Hello"
        async with session.get(file["url_private_download"]) as response:
            assert response.content_type == "text/html"
    assert slack.downloads.asked == [(number, slack.bot_token), (number, "")]
    slack.home.files[number].deleted = True
    assert await refused(office.client.files_info(file=number)) == "file_deleted"
