"""The Web API's front: who calls, what goes wrong, which limits apply; then the method's handler."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.faults import Fault
from tests.emulators.slack.methods import METHODS, Call, Method, read_arguments
from tests.emulators.slack.site import Called

if TYPE_CHECKING:
    from tests.emulators.slack.site import Site
    from tests.emulators.slack.workspace import Payload, Workspace

_CONTENT = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}


class WebApi:
    """Answers `/api/{method}`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        method = request.match_info["method"]
        try:
            arguments = await _arguments(request)
        except SlackError as error:
            return web.json_response(error.payload())
        token = _token(request, arguments)
        called = Called(method=method, arguments=arguments, at=self._site.clock.now(), token=token)
        self._site.calls.append(called)
        fault = self._site.faults.take(method, arguments)
        response = await self._faulty(request, called, fault)
        called.status = response.status
        self._site.bell.ring()
        return response

    async def _faulty(self, request: web.Request, called: Called, fault: Fault | None) -> web.StreamResponse:
        """Answer with what goes wrong, before the work or after it."""
        team = self._team(called.token)
        self._site.limits.watch(called.method, _scope(called, team))
        if fault is None:
            return self._work(called, team)
        if fault.delay:
            await self._site.clock.sleep(fault.delay)
        worked = None if fault.spoils and not fault.accepted else self._work(called, team)
        if worked is not None and not fault.spoils:
            return worked
        called.error = fault.error or ("ratelimited" if fault.retry_after else "")
        if fault.hang:
            await self._site.closing.wait()
        if (fault.hang or fault.cut) and request.transport is not None:
            request.transport.abort()
        if fault.retry_after:
            return self._limited(called, team, fault.retry_after)
        if fault.error:
            return web.json_response({"ok": False, "error": fault.error}, status=fault.status)
        return web.Response(status=fault.status, text=fault.body, headers=fault.headers)

    def _work(self, called: Called, team: Workspace | None) -> web.StreamResponse:
        """Do what the method does and answer."""
        headers: dict[str, str] = {}
        known = METHODS.get(called.method)
        if known is None:
            called.error = "unknown_method"
            return web.json_response({"ok": False, "error": "unknown_method", "req_method": called.method})
        try:
            workspace = self._allowed(called, known, team)
            headers["x-oauth-scopes"] = ",".join(sorted(workspace.scopes))
            called.team = workspace.id
            scope = _scope(called, workspace)
            if wait := self._site.limits.retry_after(workspace.id, known.name, known.tier, scope):
                called.error = "ratelimited"
                return self._limited(called, workspace, wait)
            given = read_arguments(known, called.arguments)
            call = Call(site=self._site, workspace=workspace, method=known.name, arguments=given)
            answer: Payload = {"ok": True, **known.handler(call), **call.notes}
        except SlackError as error:
            called.error = error.error
            answer = error.payload()
        return web.json_response(answer, headers=headers)

    def _limited(self, called: Called, team: Workspace | None, seconds: int) -> web.Response:
        self._site.limits.refuse(called.method, _scope(called, team), seconds)
        answer = {"ok": False, "error": "ratelimited"}
        return web.json_response(answer, status=429, headers={"Retry-After": str(seconds)})

    def _team(self, token: str) -> Workspace | None:
        return next((one for one in self._site.workspaces.values() if one.bot_token == token), None)

    def _allowed(self, called: Called, known: Method, team: Workspace | None) -> Workspace:
        """Return the workspace in whose name the call is made; refuse tokens and scopes."""
        site = self._site
        if known.by == "none":
            return site.home
        if not called.token:
            raise SlackError("not_authed")
        if called.token in site.revoked:
            raise SlackError(site.revoked[called.token])
        if called.token == site.app_token:
            if known.by == "bot":
                raise SlackError("not_allowed_token_type")
            return site.home
        if team is None or not team.installed:
            raise SlackError("invalid_auth")
        if known.by == "app":
            raise SlackError("not_allowed_token_type")
        if known.scopes and not team.scopes & set(known.scopes):
            provided = ",".join(sorted(team.scopes))
            raise SlackError("missing_scope", needed=known.scopes[0], provided=provided)
        return team


def _scope(called: Called, team: Workspace | None) -> str:
    """Return within what a limit holds: a channel for posts, a workspace for all else."""
    known = METHODS.get(called.method)
    if known is not None and known.tier == "post":
        return str(called.arguments.get("channel", ""))
    return team.id if team else ""


def _token(request: web.Request, arguments: dict[str, Any]) -> str:
    """Return the token, and put a client's id and secret from the header among the arguments."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    in_body = str(arguments.pop("token", "") or "")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(value).decode().partition(":")
        arguments |= {"client_id": name, "client_secret": secret}
        return in_body
    return value if scheme.lower() == "bearer" else in_body


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Return a call's arguments, from the address and from the body whatever its kind."""
    arguments: dict[str, Any] = dict(request.query)
    if request.method == "GET" or not request.can_read_body:
        return arguments
    if request.content_type not in _CONTENT:
        raise SlackError("invalid_post_type")
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except json.JSONDecodeError as error:
            raise SlackError("invalid_json") from error
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return arguments | body
    return arguments | dict((await request.post()).items())
