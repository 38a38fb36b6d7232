"""`files.*`, and where a file's bytes are had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.methods import Call, method
from tests.emulators.slack.workspace import File, Payload

if TYPE_CHECKING:
    from tests.emulators.slack.site import Site

_LOGIN = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in</body></html>"


@method("files.info", "file! count:number cursor limit:number page:number", scopes="files:read", tier=4)
def info(call: Call) -> Payload:
    file = call.workspace.files.get(call.text("file"))
    if file is None:
        raise SlackError("file_not_found")
    if file.deleted:
        raise SlackError("file_deleted")
    shown = file.payload() | {"channels": list(file.channels)}
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


class Downloads:
    """Gives a file's bytes to a token that may read it, and everybody else a page to sign in."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.asked: list[tuple[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request for a file."""
        team, _, number = request.match_info["file"].partition("-")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append((number, token))
        workspace = self._site.workspaces.get(team)
        if workspace is None or token != workspace.bot_token or token in self._site.revoked:
            return web.Response(text=_LOGIN, content_type="text/html")
        file = workspace.files.get(number)
        if "files:read" not in workspace.scopes or file is None or file.deleted:
            return web.Response(status=404, text="not found")
        return _bytes(file)


def _bytes(file: File) -> web.Response:
    return web.Response(body=file.data, content_type=file.mimetype)
