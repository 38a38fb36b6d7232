"""The HTTP API of the bot's own account, its application, the gateway's address, and guilds."""

from __future__ import annotations

from tests.emulators.discord import permissions
from tests.emulators.discord.calls import Call, Reply
from tests.emulators.discord.errors import ApiError, Payload, invalid


async def show_me(call: Call) -> Reply:
    me = call.world.me.payload() | {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}
    return 200, me


async def show_user(call: Call) -> Reply:
    user = call.world.users.get(call.args["user_id"])
    if user is None:
        raise ApiError(10013)
    return 200, user.payload()


async def my_guilds(call: Call) -> Reply:
    world = call.world
    mine = [one for one in world.guilds.values() if world.me.id in one.members]
    return 200, [
        {
            "id": guild.id,
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": str(permissions.of(guild, guild.members[world.me.id])),
            "features": [],
        }
        for guild in mine
    ]


async def leave_guild(call: Call) -> Reply:
    call.world.leave(call.world.guild(call.args["guild_id"]))
    return 204, None


async def my_membership(call: Call) -> Reply:
    guild = call.world.guild(call.args["guild_id"])
    return 200, guild.members[call.world.me.id].payload()


def _application(call: Call) -> Payload:
    world = call.world
    return {
        "id": world.application,
        "name": world.me.name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": world.me.payload(),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": world.application_flags,
        "flags_new": str(world.application_flags),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": world.owner.payload(),
        "approximate_guild_count": len(world.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": ["bot", "applications.commands"],
    }


async def show_application(call: Call) -> Reply:
    return 200, _application(call)


async def gateway(call: Call) -> Reply:
    return 200, {"url": call.world.gateway_url}


async def gateway_bot(call: Call) -> Reply:
    return 200, {
        "url": call.world.gateway_url,
        "shards": call.world.shards,
        "session_start_limit": {
            "total": 1000,
            "remaining": 999,
            "reset_after": 14_400_000,
            "max_concurrency": 1,
        },
    }


async def show_guild(call: Call) -> Reply:
    guild = call.world.guild(call.args["guild_id"])
    shown = guild.payload()
    if call.query.get("with_counts", "").lower() in {"1", "true"}:
        shown |= {"approximate_member_count": len(guild.members), "approximate_presence_count": 1}
    return 200, shown


async def guild_channels(call: Call) -> Reply:
    guild = call.world.guild(call.args["guild_id"])
    return 200, [one.payload() for one in guild.channels.values() if not one.is_thread]


async def guild_roles(call: Call) -> Reply:
    guild = call.world.guild(call.args["guild_id"])
    return 200, [one.payload() for one in guild.roles.values()]


async def active_threads(call: Call) -> Reply:
    world = call.world
    guild = world.guild(call.args["guild_id"])
    threads = [one for one in guild.channels.values() if one.is_thread and not one.archived]
    seen = [one for one in threads if world.may(one, permissions.VIEW_CHANNEL)]
    return 200, {
        "threads": [one.payload() for one in seen],
        "members": [one.member(world.me.id) for one in seen if world.me.id in one.members],
        "has_more": False,
    }


async def guild_member(call: Call) -> Reply:
    guild = call.world.guild(call.args["guild_id"])
    return 200, call.world.member(guild, call.args["user_id"]).payload()


async def guild_members(call: Call) -> Reply:
    """List members: only for an application with the members intent."""
    guild = call.world.guild(call.args["guild_id"])
    if not call.world.see_members:
        raise ApiError(50001)
    limit, after = call.query.get("limit", "1"), call.query.get("after", "0")
    if not limit.isdecimal() or not 1 <= int(limit) <= 1000:
        raise invalid("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 1000.")
    found = sorted(
        (one for one in guild.members.values() if int(one.id) > int(after)), key=lambda one: int(one.id)
    )
    return 200, [one.payload() for one in found[: int(limit)]]


async def search_members(call: Call) -> Reply:
    guild = call.world.guild(call.args["guild_id"])
    begins = call.query.get("query", "").lower()
    found = [one for one in guild.members.values() if one.user.name.lower().startswith(begins)]
    return 200, [one.payload() for one in found[: int(call.query.get("limit", "1"))]]
