"""Installation by several workspaces."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from adapters.slack.oauth import Seal
from tests.adapters.slack.harness import Rig, answer_at_once, running


def address(rig: Rig, path: str) -> str:
    return rig.slack.request_url.replace("/slack/events", path)


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def install(rig: Rig, *, cookie: bool = True) -> tuple[int, str]:
    """Install the app as a person does with a browser; return the last page's status and text."""
    rig.slack.redirect_url = address(rig, "/slack/oauth_redirect")
    async with aiohttp.ClientSession() as session:
        async with session.get(address(rig, "/slack/install")) as page:
            text = await page.text()
            state = page.cookies["slack-app-oauth-state"].value
        link = re.search(r'href="([^"]+authorize[^"]+)"', text)
        assert link is not None
        async with session.get(link[1].replace("&amp;", "&"), allow_redirects=False) as consent:
            back = consent.headers["Location"]
        headers = {"Cookie": f"slack-app-oauth-state={state}"} if cookie else {}
        async with session.get(back, headers=headers) as done:
            return done.status, await done.text()


async def test_an_installed_workspace_is_answered(tmp_path: Path) -> None:
    """After its installation a workspace's questions are answered with its own token."""
    async with running(tmp_path, mode="http", client_id="1111.2222", work=answer_at_once) as rig:
        status, _ = await install(rig)
        assert status == 200
        ts = await rig.slack.say(rig.channel, rig.ann, f"{rig.slack.mention} how many days?")
        await rig.slack.wait_for(lambda: rig.slack.messages(rig.channel, ts))


async def test_tokens_are_encrypted_in_the_database(tmp_path: Path) -> None:
    """No file of the data folder holds a token."""
    async with running(tmp_path, mode="http", client_id="1111.2222") as rig:
        await install(rig)
        token = rig.slack.bot_token.encode()
        kept = await asyncio.to_thread(contents, tmp_path)
        assert kept
        assert not [data for data in kept if token in data]


async def test_an_installation_begun_elsewhere_is_refused(tmp_path: Path) -> None:
    """A redirect in a browser that did not begin the installation installs nothing."""
    async with running(tmp_path, mode="http", client_id="1111.2222") as rig:
        status, _ = await install(rig, cookie=False)
        assert status == 400
        assert not rig.method("oauth.v2.access")


async def test_a_revoked_workspace_is_forgotten(tmp_path: Path) -> None:
    """When a workspace removes the app, its token goes and the app serves the others on."""
    async with running(tmp_path, mode="http", client_id="1111.2222") as rig:
        await install(rig)
        assert rig.app._oauth is not None
        store = rig.app._oauth.store
        assert await store.token(rig.slack.home.id) == rig.slack.bot_token
        team = rig.slack.home.id
        rig.slack.uninstall()
        await rig.slack.wait_for(lambda: any(one.latency for one in rig.slack.acks))
        async with aiohttp.ClientSession() as session, session.get(address(rig, "/slack/install")) as page:
            assert page.status == 200
        for _ in range(200):
            if await store.token(team) is None:
                break
        assert await store.token(team) is None
        assert not rig.task.done()


def test_a_seal_opens_with_its_own_secret_alone() -> None:
    """What was sealed with one client secret is read with it and with no other."""
    sealed = Seal(SecretStr("one")).close("xoxb-token")
    assert "xoxb" not in sealed
    assert Seal(SecretStr("one")).open(sealed) == "xoxb-token"
    assert Seal(SecretStr("two")).open(sealed) is None
