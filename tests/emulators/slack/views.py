"""`views.*`: modals and the Home tab."""

from __future__ import annotations

import json
import secrets

from tests.emulators.slack.blocks import Problems, anything, check_blocks, flag, keys, plain, string
from tests.emulators.slack.clock import TRIGGER_SECONDS
from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.methods import Call, method
from tests.emulators.slack.site import Site, Trigger
from tests.emulators.slack.workspace import Payload, View, Workspace

LARGEST_VIEW, DEEPEST = 250_000, 3
_COMMON = {"blocks!": anything, "private_metadata": string(3000, 0), "callback_id": string(255, 0)}
_MODAL = keys(
    {
        **_COMMON,
        "title!": plain(24),
        "submit": plain(24),
        "close": plain(24),
        "external_id": string(255, 0),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    }
)
_HOME = keys({**_COMMON, "external_id": string(255, 0)})


@method("views.open", "view:json! trigger_id interactivity_pointer", tier=4)
def open_(call: Call) -> Payload:
    content = checked(call, "modal")
    trigger = _trigger(call)
    view = made(call.site, call.workspace, trigger.user, content)
    return {"view": _shown(call, view)}


@method("views.push", "view:json! trigger_id interactivity_pointer", tier=4)
def push(call: Call) -> Payload:
    content = checked(call, "modal")
    trigger = _trigger(call)
    below = call.site.views.get(trigger.view)
    if below is None or below.closed:
        raise SlackError("not_found")
    if len(call.site.stack(trigger.user)) >= DEEPEST:
        raise SlackError("push_limit_reached")
    view = made(call.site, call.workspace, trigger.user, content, below=below)
    return {"view": _shown(call, view)}


@method("views.update", "view:json! view_id external_id hash", tier=4)
def update(call: Call) -> Payload:
    found = [
        one
        for one in call.site.views.values()
        if one.id == call.text("view_id") or (one.external_id and one.external_id == call.text("external_id"))
    ]
    if not found or found[0].closed:
        raise SlackError("not_found")
    view = found[0]
    if call.text("hash") not in {"", view.hash}:
        raise SlackError("hash_conflict")
    renewed(call.site, view, checked(call, "modal", but=view.id))
    return {"view": _shown(call, view)}


@method("views.publish", "view:json! user_id! hash", tier=4)
def publish(call: Call) -> Payload:
    site, team, user = call.site, call.workspace, call.text("user_id")
    if user not in team.users:
        raise SlackError("invalid_arguments", "[ERROR] user_id")
    content = checked(call, "home")
    view = site.homes.get((team.id, user))
    if view is None:
        view = made(site, team, user, content)
        site.homes[team.id, user] = view
    elif call.text("hash") not in {"", view.hash}:
        raise SlackError("hash_conflict")
    else:
        renewed(site, view, content)
    return {"view": _shown(call, view)}


def checked(call: Call, kind: str, *, but: str = "") -> Payload:
    """Return a view with ids in its blocks, or refuse it with all that is wrong."""
    content = call.get("view")
    content = check_view(call.site, content, kind)
    external = content.get("external_id")
    others = (one for one in call.site.views.values() if one.id != but and not one.closed)
    if external and any(one.external_id == external for one in others):
        raise SlackError("duplicate_external_id")
    return content


def check_view(site: Site, content: object, kind: str) -> Payload:
    """Check a view, wherever the app sent it."""
    problems: Problems = []
    if not isinstance(content, dict) or content.get("type") != kind:
        raise SlackError("invalid_arguments", f"[ERROR] must be a view of type {kind} [json-pointer:/view]")
    if len(json.dumps(content)) > LARGEST_VIEW:
        raise SlackError("view_too_large")
    (_MODAL if kind == "modal" else _HOME)(content, "/view", problems)
    blocks: list[Payload] = []
    try:
        blocks = check_blocks(content.get("blocks"), kind, ids=site.ids)
    except SlackError as error:
        problems += error.messages
    inputs = any(block.get("type") == "input" for block in blocks)
    if kind == "modal" and inputs and not content.get("submit"):
        problems.append("[ERROR] missing required field: submit, as there are inputs [json-pointer:/view]")
    if problems:
        raise SlackError("invalid_arguments", *problems)
    return content | {"blocks": blocks}


def made(site: Site, team: Workspace, user: str, content: Payload, *, below: View | None = None) -> View:
    """Open a view, on top of another or on an empty stack."""
    number = site.ids.new("V")
    view = View(
        id=number,
        team=team.id,
        user=user,
        content=content,
        hash=_hash(site),
        root=below.root if below else number,
        previous=below.id if below else "",
        external_id=str(content.get("external_id", "")),
    )
    site.views[number] = view
    site.bell.ring()
    return view


def renewed(site: Site, view: View, content: Payload) -> None:
    """Put another content into a view."""
    view.content, view.hash = content, _hash(site)
    view.external_id = str(content.get("external_id", ""))
    site.bell.ring()


def _hash(site: Site) -> str:
    return f"{int(site.clock.now())}.{secrets.token_hex(4)}"


def _shown(call: Call, view: View) -> Payload:
    return view.payload(app=call.site.app_id, bot=call.workspace.bot_id)


def _trigger(call: Call) -> Trigger:
    """Use a trigger up, which is possible once and within three seconds."""
    given = call.text("trigger_id") or call.text("interactivity_pointer")
    if not given:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: trigger_id")
    trigger = call.site.triggers.get(given)
    if trigger is None or trigger.team != call.workspace.id:
        raise SlackError("invalid_trigger_id")
    if call.site.clock.now() - trigger.at > TRIGGER_SECONDS:
        raise SlackError("expired_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    trigger.used = True
    return trigger
