"""The installation of the app by OAuth: the page where a person allows it, and `oauth.v2.access`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.methods import Call, method
from tests.emulators.slack.workspace import Payload

if TYPE_CHECKING:
    from tests.emulators.slack.site import Site


class Consent:
    """Answers `/oauth/v2/authorize` as a person of `team` who allows it, or not, with `denied`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.team = ""
        self.person = ""
        self.denied = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send the person back to the app with a code."""
        asked = request.query
        if asked.get("client_id") != self._site.client_id or not asked.get("scope"):
            raise web.HTTPBadRequest(text="invalid client_id or no scope")
        back = asked.get("redirect_uri") or self._site.redirect_url
        if not back:
            raise web.HTTPBadRequest(text="bad_redirect_uri")
        answer = {"state": asked.get("state", "")}
        if self.denied:
            answer["error"] = "access_denied"
        else:
            code = secrets.token_urlsafe(16)
            self._site.codes[code] = {
                "team": asked.get("team") or self.team or self._site.home.id,
                "person": self.person,
                "scope": asked["scope"],
                "redirect_uri": asked.get("redirect_uri", ""),
            }
            answer["code"] = code
        raise web.HTTPFound(f"{back}?{urlencode(answer)}")


@method(
    "oauth.v2.access",
    "client_id client_secret code code_verifier grant_type redirect_uri refresh_token",
    tier="special",
    by="none",
)
def access(call: Call) -> Payload:
    site = call.site
    if call.text("client_id") != site.client_id:
        raise SlackError("invalid_client_id")
    if call.text("client_secret") != site.client_secret:
        raise SlackError("bad_client_secret")
    if call.text("grant_type") not in {"", "authorization_code"}:
        raise SlackError("invalid_grant_type")
    grant = site.codes.pop(call.text("code"), None)
    if grant is None:
        raise SlackError("invalid_code")
    if grant["redirect_uri"] and call.text("redirect_uri") != grant["redirect_uri"]:
        raise SlackError("bad_redirect_uri")
    team = site.workspaces[grant["team"]]
    if team.bot_token in site.revoked:
        team.bot_token = f"xoxb-{secrets.token_hex(12)}"
    team.installed, team.scopes = True, {one for one in grant["scope"].split(",") if one}
    person = grant["person"] or next((one.id for one in team.users.values() if not one.is_bot), "U0NOBODY")
    return {
        "access_token": team.bot_token,
        "token_type": "bot",
        "scope": grant["scope"],
        "bot_user_id": team.bot_user,
        "app_id": site.app_id,
        "team": {"id": team.id, "name": team.name},
        "enterprise": None,
        "authed_user": {"id": person},
        "is_enterprise_install": False,
    }
