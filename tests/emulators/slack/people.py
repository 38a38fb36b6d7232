"""`auth.*`, `users.*`, `usergroups.*`, `team.*`, `bots.*` and `apps.*`."""

from __future__ import annotations

from tests.emulators.slack.conversations import paged, types_of
from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.methods import Call, method
from tests.emulators.slack.workspace import Payload


@method("auth.test", tier="special", by="any")
def auth_test(call: Call) -> Payload:
    team = call.workspace
    return {
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "user": "lorekeeper",
        "team_id": team.id,
        "user_id": team.bot_user,
        "bot_id": team.bot_id,
        "app_id": call.site.app_id,
        "is_enterprise_install": False,
    }


@method("auth.revoke", "test:bool")
def auth_revoke(call: Call) -> Payload:
    if call.get("test"):
        return {"revoked": False}
    call.site.revoke(call.workspace)
    return {"revoked": True}


@method("apps.connections.open", by="app")
def connections_open(call: Call) -> Payload:
    return {"url": call.site.sockets.ticket()}


@method("users.info", "user! include_locale:bool", scopes="users:read", tier=4)
def users_info(call: Call) -> Payload:
    user = call.user()
    shown = user.payload(locale=bool(call.get("include_locale")))
    if "users:read.email" not in call.workspace.scopes:
        shown["profile"].pop("email", None)
    return {"user": shown}


@method("users.list", "cursor include_locale:bool limit:number team_id", scopes="users:read", tier=2)
def users_list(call: Call) -> Payload:
    users, more = paged(call, list(call.workspace.users.values()))
    return {"members": [user.payload() for user in users], "response_metadata": more}


@method(
    "users.conversations",
    "user types exclude_archived:bool cursor limit:number team_id",
    scopes="channels:read groups:read im:read mpim:read",
)
def users_conversations(call: Call) -> Payload:
    team, kinds = call.workspace, types_of(call)
    user = call.text("user") or team.bot_user
    found = [
        channel
        for channel in team.channels.values()
        if channel.kind in kinds
        and user in channel.members
        and (not channel.private or call.member(channel))
        and not (channel.archived and call.get("exclude_archived"))
    ]
    channels, more = paged(call, found)
    shown = [channel.payload(bot=team.bot_user) for channel in channels]
    return {"channels": shown, "response_metadata": more}


@method(
    "usergroups.list",
    "include_count:bool include_disabled:bool include_users:bool team_id",
    scopes="usergroups:read",
    tier=2,
)
def usergroups_list(call: Call) -> Payload:
    wanted = {"users": bool(call.get("include_users")), "count": bool(call.get("include_count"))}
    groups = call.workspace.groups.values()
    shown = [one.payload(**wanted) for one in groups if call.get("include_disabled") or not one.disabled]
    return {"usergroups": shown}


@method("usergroups.users.list", "usergroup! include_disabled:bool team_id", scopes="usergroups:read", tier=2)
def usergroups_users_list(call: Call) -> Payload:
    group = call.workspace.groups.get(call.text("usergroup"))
    if group is None or (group.disabled and not call.get("include_disabled")):
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


@method("team.info", "team domain", scopes="team:read")
def team_info(call: Call) -> Payload:
    team = call.workspace
    if call.text("team") not in {"", team.id}:
        raise SlackError("team_not_found")
    shown = {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {}}
    return {"team": shown}


@method("bots.info", "bot team_id", scopes="users:read")
def bots_info(call: Call) -> Payload:
    team = call.workspace
    if call.text("bot") not in {"", team.bot_id}:
        raise SlackError("bot_not_found")
    shown = {
        "id": team.bot_id,
        "deleted": False,
        "name": "Lorekeeper",
        "updated": 1_700_000_000,
        "app_id": call.site.app_id,
        "user_id": team.bot_user,
        "icons": {},
    }
    return {"bot": shown}
