"""Requests to the app's own address, signed with the app's secret as Slack signs them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp

from tests.emulators.slack.clock import ACK_SECONDS
from tests.emulators.slack.errors import NotDelivered

if TYPE_CHECKING:
    from tests.emulators.slack.delivery import Delivered
    from tests.emulators.slack.site import Site
    from tests.emulators.slack.workspace import Json, Payload

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return the `v0` signature of a request."""
    base = b"v0:" + stamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def signed(site: Site, body: bytes, content: str, *, stamp: int | None = None) -> dict[str, str]:
    """Return the headers of a request that Slack sends now, or sent at `stamp`."""
    at = str(int(time.time()) if stamp is None else stamp)
    return {
        "Content-Type": content,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": signature(site.signing_secret, at, body),
    }


def encoded(kind: str, payload: Payload) -> tuple[bytes, str]:
    """Return the body and content type in which a delivery of that kind comes."""
    if kind == "slash_commands":
        return urlencode(payload).encode(), FORM
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}).encode(), FORM
    return json.dumps(payload).encode(), JSON


async def deliver(site: Site, delivered: Delivered, payload: Payload) -> Json:
    """Post it and return what the app answered; raise `NotDelivered`."""
    body, content = encoded(delivered.kind, payload)
    headers = signed(site, body, content)
    if delivered.attempt:
        headers |= {
            "X-Slack-Retry-Num": str(delivered.attempt),
            "X-Slack-Retry-Reason": delivered.reason,
        }
    request = asyncio.ensure_future(_post(site, body, headers))
    try:
        return await site.clock.before(delivered.sent + ACK_SECONDS, request)
    except TimeoutError:
        raise NotDelivered("http_timeout") from None
    finally:
        request.cancel()


async def _post(site: Site, body: bytes, headers: dict[str, str]) -> Json:
    try:
        async with site.session().post(
            site.request_url, data=body, headers=headers, allow_redirects=False
        ) as response:
            text = await response.text()
            if response.status // 100 != 2:
                final = response.headers.get("X-Slack-No-Retry") == "1"
                raise NotDelivered("http_error", final=final)
            return _answer(text, response.content_type)
    except aiohttp.ClientError as error:
        raise NotDelivered("connection_failed") from error


def _answer(text: str, content: str) -> Json:
    if not text:
        return None
    return json.loads(text) if content == JSON else {"text": text}
