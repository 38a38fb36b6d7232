"""The addresses at which an app may answer an interaction: five times within half an hour."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from tests.emulators.slack.blocks import check_blocks
from tests.emulators.slack.clock import RESPONSE_URL_SECONDS
from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.workspace import Channel, Json, Message, Payload

if TYPE_CHECKING:
    from tests.emulators.slack.site import ResponseUrl, Site

_KEYS = {
    "attachments", "blocks", "delete_original", "link_names", "markdown_text", "metadata", "mrkdwn", "parse",
    "replace_original", "response_type", "text", "thread_ts", "unfurl_links", "unfurl_media",
}  # fmt: skip


class Responding:
    """Answers `/actions/{team}/{key}`; `asked` has every body that came."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.asked: list[Payload] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take one answer of the app."""
        address = self._site.response_urls.get(request.match_info["key"])
        if address is None:
            return web.Response(status=404, text="no_service")
        if self._site.clock.now() - address.at > RESPONSE_URL_SECONDS:
            return web.Response(status=404, text="expired_url")
        if address.left <= 0:
            return web.Response(status=404, text="used_url")
        try:
            body = await request.json()
        except json.JSONDecodeError:
            return web.Response(status=400, text="invalid_payload")
        self.asked.append(body)
        limits, scope = self._site.limits, request.match_info["key"]
        limits.watch("response_url", scope)
        fault = self._site.faults.take("response_url", body)
        if fault is not None and fault.retry_after:
            limits.refuse("response_url", scope, fault.retry_after)
            return web.Response(status=429, headers={"Retry-After": str(fault.retry_after)})
        if fault is not None and fault.spoils:
            return web.Response(status=fault.status if fault.status != 200 else 500, text=fault.error)
        try:
            respond(self._site, address, body)
        except SlackError as error:
            return web.json_response(error.payload(), status=400)
        address.left -= 1
        return web.Response(text="ok")


def respond(site: Site, address: ResponseUrl, body: Json) -> Message | None:
    """Show what an app answers to an interaction, as a new message or in place of the old one."""
    if not isinstance(body, dict) or set(body) - _KEYS:
        raise SlackError("invalid_payload")
    channel = site.channel(address.channel)
    original = channel.messages.get(address.message)
    if body.get("delete_original"):
        if original is not None:
            _delete(site, channel, original)
        return None
    if not (body.get("text") or body.get("blocks") or body.get("attachments") or body.get("markdown_text")):
        raise SlackError("no_text")
    content = _content(site, body)
    if body.get("replace_original") and original is not None:
        return _replace(site, channel, original, content)
    team = site.workspaces[address.team]
    message = Message(
        channel=channel.id,
        ts=site.ids.ts(),
        thread_ts=str(body.get("thread_ts") or address.thread),
        ephemeral="" if body.get("response_type") == "in_channel" else address.user,
        user=team.bot_user,
        team=team.id,
        bot_id=team.bot_id,
        app_id=site.app_id,
        metadata=body.get("metadata"),
        unfurl_links=body.get("unfurl_links"),
        unfurl_media=body.get("unfurl_media"),
        **content,
    )
    site.post(channel, message)
    return message


def _content(site: Site, body: Payload) -> Payload:
    markdown = str(body.get("markdown_text") or "")
    written = [{"type": "markdown", "text": markdown}] if markdown else []
    return {
        "text": str(body.get("text") or markdown),
        "blocks": check_blocks(body.get("blocks") or written, "message", ids=site.ids),
        "attachments": body.get("attachments") or [],
    }


def _replace(site: Site, channel: Channel, message: Message, content: Payload) -> Message:
    before = channel.shown(message)
    for name, value in content.items():
        setattr(message, name, value)
    if message.ephemeral:
        message.revisions += 1
        site.bell.ring()
    else:
        site.change(channel, before, message, own=True)
    return message


def _delete(site: Site, channel: Channel, message: Message) -> None:
    if message.ephemeral:
        del channel.messages[message.ts]
        site.bell.ring()
    else:
        site.remove(channel, message, own=True)
