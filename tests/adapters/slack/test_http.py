"""HTTP mode: what Slack signed is taken, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import random
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.errors import AdapterError
from adapters.slack.http import LARGEST_BODY
from tests.adapters.slack.harness import Rig, answer_at_once, running


def body_of(rig: Rig, number: int) -> bytes:
    event = {
        "type": "message",
        "channel": rig.channel,
        "channel_type": "channel",
        "user": rig.ann,
        "text": "how many days?",
        "ts": f"1700000000.{number:06d}",
        "event_ts": f"1700000000.{number:06d}",
    }
    return json.dumps(
        {"type": "event_callback", "team_id": rig.slack.home.id, "event_id": f"Ev{number}", "event": event}
    ).encode()


def headers_of(secret: str, body: bytes, stamp: int | str) -> dict[str, str]:
    base = b"v0:" + str(stamp).encode() + b":" + body
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": str(stamp),
        "X-Slack-Signature": signature,
        "Content-Type": "application/json",
    }


async def post(rig: Rig, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str]) -> int:
    async with session.post(rig.slack.request_url, data=body, headers=headers) as reply:
        return reply.status


async def test_signed_events_are_taken(tmp_path: Path) -> None:
    """A question that comes by HTTP is answered like any other."""
    async with running(tmp_path, mode="http", work=answer_at_once) as rig:
        ts = await rig.slack.say(rig.channel, rig.ann, f"{rig.slack.mention} how many days?")
        await rig.slack.wait_for(lambda: rig.slack.messages(rig.channel, ts))


async def test_commands_and_buttons_come_by_http(tmp_path: Path) -> None:
    """Slash commands are form-encoded, and are taken all the same."""
    async with running(tmp_path, mode="http") as rig:
        await rig.slack.command("/ask", "how many days?", rig.ann, rig.channel)
        assert rig.desk.received[0].private
        await rig.slack.command("/kb", "list", rig.ann, rig.channel)
        await rig.slack.wait_for(lambda: rig.commands.ran)


def forged(rig: Rig, number: int, rng: random.Random) -> tuple[bytes, dict[str, str]]:
    """Return a request that Slack did not send just now, of one of many kinds."""
    body, now = body_of(rig, number), int(time.time())
    good = headers_of(rig.slack.signing_secret, body, now)
    signature = good["X-Slack-Signature"]
    place = rng.randrange(len(body))
    changed = body[:place] + bytes([body[place] ^ (1 << rng.randrange(7))]) + body[place + 1 :]
    far = rng.choice((-1, 1)) * rng.randrange(301, 10_000_000)
    kinds: list[tuple[bytes, dict[str, str]]] = [
        (body, {}),
        (body, headers_of("another secret", body, now)),
        (body, headers_of("", body, now)),
        (changed, good),
        (body + b" ", good),
        (body, headers_of(rig.slack.signing_secret, body, now + far)),
        (body, good | {"X-Slack-Request-Timestamp": str(now - 1)}),
        (body, good | {"X-Slack-Request-Timestamp": rng.choice(["", "now", "1e9", "-1", "٣", "9" * 400])}),
        (
            body,
            good | {"X-Slack-Signature": rng.choice(["", "v0=", signature[3:], signature.upper(), "v1=x"])},
        ),
        (body, good | {"X-Slack-Signature": signature[: rng.randrange(len(signature))]}),
        (b"\xff" + body, good),
        (b"ssl_check=1&token=x", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b'{"type":"url_verification","challenge":"x"}', {"Content-Type": "application/json"}),
    ]
    return kinds[number % len(kinds)]


async def test_forged_requests_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of 1,000 forged, old, mutated and repeated requests none is accepted, and no body is logged."""
    caplog.set_level(logging.DEBUG)
    rng = random.Random(19)
    async with running(tmp_path, mode="http") as rig, aiohttp.ClientSession() as session:
        genuine = body_of(rig, 5_000)
        headers = headers_of(rig.slack.signing_secret, genuine, int(time.time()))
        assert await post(rig, session, genuine, headers) == 200
        statuses = [await post(rig, session, *forged(rig, number, rng)) for number in range(900)]
        statuses += [await post(rig, session, genuine, headers) for _ in range(100)]
        assert set(statuses) <= {400, 401}
        assert len(rig.desk.received) == 1
        assert rig.desk.repeated == 0
    assert "how many days" not in caplog.text


async def test_a_large_body_is_refused(tmp_path: Path) -> None:
    """A body above a megabyte is refused, whoever signed it."""
    async with running(tmp_path, mode="http") as rig, aiohttp.ClientSession() as session:
        body = b" " * (LARGEST_BODY + 1)
        headers = headers_of(rig.slack.signing_secret, body, int(time.time()))
        assert await post(rig, session, body, headers) == 413


async def test_what_could_not_be_kept_may_come_again(tmp_path: Path) -> None:
    """The same request is taken once more when the first time failed on our side."""
    async with running(tmp_path, mode="http") as rig, aiohttp.ClientSession() as session:
        body = body_of(rig, 1)
        headers = headers_of(rig.slack.signing_secret, body, int(time.time()))
        rig.desk.full = True
        assert await post(rig, session, body, headers) == 503
        rig.desk.full = False
        assert await post(rig, session, body, headers) == 200
        assert len(rig.desk.received) == 1


async def test_slack_verifies_the_address(tmp_path: Path) -> None:
    """The challenge that Slack sends when the address is set is answered."""
    async with running(tmp_path, mode="http") as rig, aiohttp.ClientSession() as session:
        body = b'{"type":"url_verification","token":"t","challenge":"abc123"}'
        headers = headers_of(rig.slack.signing_secret, body, int(time.time()))
        async with session.post(rig.slack.request_url, data=body, headers=headers) as reply:
            assert reply.status == 200
            assert "abc123" in await reply.text()


async def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A port that is in use ends the app with a line that names it."""
    async with running(tmp_path / "one", mode="http") as rig:
        assert rig.app.address is not None
        settings: dict[str, Any] = {"mode": "http"}
        rig.app._settings = rig.app._settings.model_copy(update={"port": rig.app.address[1]} | settings)
        from adapters.slack.http import HttpServer, Signatures

        server = HttpServer(
            rig.slack.delivery.ask,  # type: ignore[arg-type]
            Signatures(rig.app._secrets.signing_secret),  # type: ignore[arg-type]
            host="127.0.0.1",
            port=rig.app.address[1],
        )
        with pytest.raises(AdapterError, match=str(rig.app.address[1])):
            await server.run(rig.stop)
