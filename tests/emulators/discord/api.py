"""The HTTP API v10: its routes, and what happens to every request before and after its handler."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.emulators.discord import channel_routes as channels
from tests.emulators.discord import commands, guild_routes, interactions
from tests.emulators.discord.calls import Call, Reply, read
from tests.emulators.discord.errors import ApiError, Plain
from tests.emulators.discord.faults import Fault, Faults
from tests.emulators.discord.limits import Limits, Refusal
from tests.emulators.discord.openapi import Specification
from tests.emulators.discord.world import World, signature

Handler = Callable[[Call], Awaitable[Reply]]

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = _MESSAGES + "/{message_id}"
_MEMBERS = "/channels/{channel_id}/thread-members"
_COMMANDS = "/applications/{application_id}/commands"
_GUILD_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"
_WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
_CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
_ARCHIVED = "/channels/{channel_id}/threads/archived"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/gateway", guild_routes.gateway),
    ("GET", "/gateway/bot", guild_routes.gateway_bot),
    ("GET", "/users/@me", guild_routes.show_me),
    ("GET", "/users/@me/guilds", guild_routes.my_guilds),
    ("DELETE", "/users/@me/guilds/{guild_id}", guild_routes.leave_guild),
    ("GET", "/users/@me/guilds/{guild_id}/member", guild_routes.my_membership),
    ("POST", "/users/@me/channels", channels.open_direct),
    ("GET", "/users/{user_id}", guild_routes.show_user),
    ("GET", "/applications/@me", guild_routes.show_application),
    ("GET", "/oauth2/applications/@me", guild_routes.show_application),
    ("GET", "/guilds/{guild_id}", guild_routes.show_guild),
    ("GET", "/guilds/{guild_id}/channels", guild_routes.guild_channels),
    ("GET", "/guilds/{guild_id}/roles", guild_routes.guild_roles),
    ("GET", "/guilds/{guild_id}/threads/active", guild_routes.active_threads),
    ("GET", "/guilds/{guild_id}/members", guild_routes.guild_members),
    ("GET", "/guilds/{guild_id}/members/search", guild_routes.search_members),
    ("GET", "/guilds/{guild_id}/members/{user_id}", guild_routes.guild_member),
    ("GET", "/channels/{channel_id}", channels.show_channel),
    ("PATCH", "/channels/{channel_id}", channels.edit_channel),
    ("DELETE", "/channels/{channel_id}", channels.delete_channel),
    ("POST", "/channels/{channel_id}/typing", channels.typing),
    ("GET", _MESSAGES, channels.list_messages),
    ("POST", _MESSAGES, channels.create_message),
    ("GET", _MESSAGE, channels.show_message),
    ("PATCH", _MESSAGE, channels.edit_message),
    ("DELETE", _MESSAGE, channels.delete_message),
    ("PUT", _MESSAGE + "/reactions/{emoji_name}/@me", channels.react),
    ("DELETE", _MESSAGE + "/reactions/{emoji_name}/@me", channels.unreact),
    ("POST", _MESSAGE + "/threads", channels.thread_on_message),
    ("POST", "/channels/{channel_id}/threads", channels.create_thread),
    ("GET", _ARCHIVED + "/public", channels.archived_threads),
    ("GET", _ARCHIVED + "/private", channels.archived_threads),
    ("GET", _MEMBERS, channels.thread_members),
    ("PUT", _MEMBERS + "/@me", channels.join_thread),
    ("DELETE", _MEMBERS + "/@me", channels.leave_thread),
    ("GET", _MEMBERS + "/{user_id}", channels.thread_member),
    ("PUT", _MEMBERS + "/{user_id}", channels.join_thread),
    ("DELETE", _MEMBERS + "/{user_id}", channels.leave_thread),
    ("GET", _COMMANDS, commands.list_commands),
    ("PUT", _COMMANDS, commands.overwrite_commands),
    ("POST", _COMMANDS, commands.create_command),
    ("GET", _COMMANDS + "/{command_id}", commands.show_command),
    ("DELETE", _COMMANDS + "/{command_id}", commands.delete_command),
    ("GET", _GUILD_COMMANDS, commands.list_commands),
    ("PUT", _GUILD_COMMANDS, commands.overwrite_commands),
    ("POST", _GUILD_COMMANDS, commands.create_command),
    ("GET", _GUILD_COMMANDS + "/{command_id}", commands.show_command),
    ("DELETE", _GUILD_COMMANDS + "/{command_id}", commands.delete_command),
    ("POST", _CALLBACK, interactions.callback),
    ("POST", _WEBHOOK, interactions.follow_up),
    ("GET", _WEBHOOK + "/messages/{message_id}", interactions.show_response),
    ("PATCH", _WEBHOOK + "/messages/{message_id}", interactions.edit_response),
    ("DELETE", _WEBHOOK + "/messages/{message_id}", interactions.delete_response),
)
_OPEN = frozenset({"/gateway", _CALLBACK, _WEBHOOK, _WEBHOOK + "/messages/{message_id}"})


class Api:
    """Serves the routes. `calls` holds every request, `violations` what the specification says against it."""

    def __init__(
        self, world: World, faults: Faults, limits: Limits, specification: Specification | None
    ) -> None:
        self.world = world
        self.faults = faults
        self.limits = limits
        self.specification = specification
        self.calls: list[Call] = []
        self.downloads: list[dict[str, str]] = []
        self.violations: list[str] = []

    def mount(self, app: web.Application) -> None:
        """Add the routes to an application."""
        for method, template, handler in ROUTES:
            app.router.add_route(method, f"/api/v10{template}", self._served(template, handler))
        app.router.add_route("*", "/api/{rest:.*}", self._served("/{rest}", channels.not_served))
        app.router.add_get("/attachments/{channel}/{key}/{name}", self._download)

    def _served(
        self, template: str, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, template, handler)

        return serve

    async def _serve(self, request: web.Request, template: str, handler: Handler) -> web.StreamResponse:
        began = time.monotonic()
        try:
            call = await read(self.world, request, template)
        except ApiError as exc:
            return _json(exc.status, exc.payload(), {})
        self.calls.append(call)
        self.world.pulse.beat()
        fault = self.faults.take(call.method, call.path)
        if self.faults.is_offline:
            response: web.Response = _cut(request)
        elif fault is not None and not fault.after:
            failed = await self._fail(request, call, fault)
            response = failed or await self._answer(call, handler)
        else:
            response = await self._answer(call, handler)
            failed = await self._fail(request, call, fault) if fault is not None else None
            response = failed or response
        call.took = time.monotonic() - began
        self.limits.answered(response.status, response.headers.get("X-RateLimit-Scope", ""))
        self.world.pulse.beat()
        return response

    async def _answer(self, call: Call, handler: Handler) -> web.Response:
        """Check the token and the limits, let the handler answer, and check both by the specification."""
        headers, refusal = self.limits.count(call.route, call.major)
        if refusal is not None:
            call.status = 429
            return _refused(refusal)
        try:
            self._authorise(call)
            self._against("request", call, call.body)
            call.status, call.reply = await handler(call)
        except ApiError as exc:
            call.status, call.reply = exc.status, exc.payload()
        else:
            self._against("response", call, call.reply)
        return _json(call.status, call.reply, headers)

    def _authorise(self, call: Call) -> None:
        if call.template not in _OPEN and call.authorization != f"Bot {self.world.token}":
            raise Plain(401, "Unauthorized")

    def _against(self, part: str, call: Call, body: Any) -> None:  # noqa: ANN401 - JSON
        if self.specification is None:
            return
        if part == "request":
            problem = self.specification.request(call.method, call.template, body)
        else:
            problem = self.specification.response(call.method, call.template, call.status, body)
        if problem:
            self.violations.append(f"{part} {call.method} {call.path}: {problem}")

    async def _fail(self, request: web.Request, call: Call, fault: Fault) -> web.Response | None:
        """Do what a fault says; None goes on as if nothing had happened, after a delay."""
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.hang:
            await self.faults.released.wait()
        if fault.cut:
            return _cut(request)
        if fault.status == 429:
            call.status = 429
            refusal = self.limits.refuse(call.route, call.major, fault.retry_after, scope=fault.scope)
            return _refused(
                Refusal(
                    retry_after=refusal.retry_after,
                    scope="global" if fault.is_global else fault.scope,
                    is_global=fault.is_global,
                    via=fault.via,
                )
            )
        if fault.status:
            call.status = fault.status
            if fault.html:
                return web.Response(
                    status=fault.status, text="<html>upstream error</html>", content_type="text/html"
                )
            return _json(fault.status, {"message": fault.message, "code": fault.code}, {})
        return None

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Hand out an attachment, while its address is signed and not too old."""
        self.downloads.append(dict(request.headers) | {"path": request.path})
        key = request.match_info["key"]
        upload = self.world.uploads.get(key)
        fault = self.faults.take("GET", request.path)
        if fault is not None and fault.cut:
            return _cut(request)
        if fault is not None and fault.status:
            return web.Response(status=fault.status, text=fault.message)
        if upload is None or not self._signed(key, request.query.get("ex", ""), request.query.get("hm", "")):
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=upload.data, content_type=upload.media_type.partition(";")[0])

    def _signed(self, key: str, ends: str, given: str) -> bool:
        try:
            end = int(ends, 16)
        except ValueError:
            return False
        return end > self.world.clock.now() and given == signature(key, end)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def _refused(refusal: Refusal) -> web.Response:
    if not refusal.via:
        text = "<html><title>Access denied | discord.com used Cloudflare to restrict access</title></html>"
        headers = {"Retry-After": refusal.all_headers()["Retry-After"]}
        return web.Response(status=429, text=text, content_type="text/html", headers=headers)
    return _json(429, refusal.body(), refusal.all_headers())


def _json(status: int, body: object, headers: dict[str, str]) -> web.Response:
    if status == 204:
        return web.Response(status=204, headers=headers)
    # Discord names no charset, and its clients compare the whole header.
    headers = {"Content-Type": "application/json"} | headers
    return web.Response(status=status, body=json.dumps(body).encode(), headers=headers)
