"""Application commands: what may be registered, and the payload that using one sends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tests.emulators.discord.calls import Call, Reply
from tests.emulators.discord.errors import ApiError, Payload, checked_length, invalid
from tests.emulators.discord.messages import Upload
from tests.emulators.discord.places import Channel, Guild, Member, Role, User
from tests.emulators.discord.world import World

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(
    1, 12
)
_NAME = re.compile(r"[-_'\w]{1,32}")
_MOST = {CHAT_INPUT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
_DAILY_CREATES = 200


class NotRegistered(LookupError):
    """A person used a command that is not registered, or in a way that Discord's client forbids."""


# Registering


def _checked(path: str, given: Payload) -> None:
    kind = given.get("type") or CHAT_INPUT
    checked_length(f"{path}.name", given.get("name"), most=32, least=1)
    name = given["name"]
    if kind == CHAT_INPUT and (not _NAME.fullmatch(name) or name != name.lower()):
        raise invalid(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    least, most = (1, 100) if kind == CHAT_INPUT else (0, 0)
    checked_length(f"{path}.description", given.get("description") or "", most=most, least=least)
    _options(path, given.get("options") or [])
    if _letters(given) > 8000:
        raise invalid(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def _options(path: str, given: Sequence[Payload]) -> None:
    if len(given) > 25:
        raise invalid(f"{path}.options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    names: set[str] = set()
    optional = False
    for index, one in enumerate(given):
        here = f"{path}.options.{index}"
        checked_length(f"{here}.name", one.get("name"), most=32, least=1)
        checked_length(f"{here}.description", one.get("description"), most=100, least=1)
        if one["name"] in names:
            raise invalid(
                here, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists"
            )
        if not _NAME.fullmatch(one["name"]) or one["name"] != one["name"].lower():
            raise invalid(f"{here}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        names.add(one["name"])
        if one.get("required") and optional:
            raise invalid(
                here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must come first"
            )
        optional = optional or not one.get("required")
        _choices(here, one)
        _options(here, one.get("options") or [])


def _choices(path: str, option: Payload) -> None:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        raise invalid(
            path, "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", "Not choices and autocomplete both"
        )
    if len(choices) > 25:
        raise invalid(f"{path}.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, choice in enumerate(choices):
        checked_length(f"{path}.choices.{index}.name", choice.get("name"), most=100, least=1)


def _letters(given: Payload) -> int:
    own = sum(len(str(given.get(key) or "")) for key in ("name", "description"))
    own += sum(len(str(choice["name"])) + len(str(choice["value"])) for choice in given.get("choices") or ())
    return own + sum(_letters(one) for one in given.get("options") or ())


def _kept(world: World, given: Payload, guild: str, before: Payload | None) -> Payload:
    permissions = given.get("default_member_permissions")
    shown: Payload = {
        "id": before["id"] if before else world.clock.snowflake(),
        "application_id": world.application,
        "version": world.clock.snowflake(),
        "type": given.get("type") or CHAT_INPUT,
        "name": given["name"],
        "description": given.get("description") or "",
        "default_member_permissions": None if permissions is None else str(permissions),
        "nsfw": bool(given.get("nsfw")),
        "name_localizations": given.get("name_localizations"),
        "description_localizations": given.get("description_localizations"),
        "integration_types": given.get("integration_types") or [0],
    }
    if given.get("options"):
        shown["options"] = given["options"]
    if guild:
        return shown | {"guild_id": guild}
    return shown | {
        "contexts": given.get("contexts"),
        "dm_permission": given.get("dm_permission") is not False,
    }


def _scope(call: Call) -> str:
    """Return the guild whose commands a request is about, "" for all guilds."""
    if call.args["application_id"] != call.world.application:
        raise ApiError(20012)
    guild = call.args.get("guild_id", "")
    if guild:
        call.world.guild(guild)
    return guild


async def list_commands(call: Call) -> Reply:
    return 200, call.world.commands.get(_scope(call), [])


async def overwrite_commands(call: Call) -> Reply:
    """Replace all commands of a scope; a command of the same name and type keeps its id."""
    world, guild = call.world, _scope(call)
    given = call.body or []
    if not isinstance(given, list):
        raise ApiError(50109)
    keys = [(one.get("type") or CHAT_INPUT, one.get("name")) for one in given]
    for index, one in enumerate(given):
        _checked(str(index), one)
        if keys.index(keys[index]) != index:
            raise invalid(
                str(index), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
    for kind, most in _MOST.items():
        if sum(key[0] == kind for key in keys) > most:
            raise invalid("0", "APPLICATION_COMMANDS_MAX", f"Maximum number of commands reached ({most})")
    before = {(one["type"], one["name"]): one for one in world.commands.get(guild, [])}
    _created(world, guild, sum(key not in before for key in keys))
    held = [_kept(world, one, guild, before.get(key)) for key, one in zip(keys, given, strict=True)]
    world.commands[guild] = held
    world.pulse.beat()
    return 200, held


def _created(world: World, guild: str, count: int) -> None:
    """Count the creates of a day; they are limited to 200 for each guild, and for the global scope."""
    day_ago = world.clock.now() - 86_400
    made = world.creates.setdefault(guild, [])
    made[:] = [at for at in made if at > day_ago]
    if len(made) + count > _DAILY_CREATES:
        raise ApiError(30034)
    made += [world.clock.now()] * count


async def create_command(call: Call) -> Reply:
    """Create one command, or replace the one of the same name and type."""
    world, guild = call.world, _scope(call)
    _checked("0", call.fields)
    held = world.commands.setdefault(guild, [])
    key = (call.fields.get("type") or CHAT_INPUT, call.fields["name"])
    before = next((one for one in held if (one["type"], one["name"]) == key), None)
    if before is None:
        _created(world, guild, 1)
    kept = _kept(world, call.fields, guild, before)
    held[:] = [one for one in held if one is not before] + [kept]
    return (201 if before is None else 200), kept


async def show_command(call: Call) -> Reply:
    return 200, _command(call)


async def delete_command(call: Call) -> Reply:
    call.world.commands[_scope(call)].remove(_command(call))
    return 204, None


def _command(call: Call) -> Payload:
    wanted = call.args["command_id"]
    found = [one for one in call.world.commands.get(_scope(call), []) if one["id"] == wanted]
    if not found:
        raise ApiError(10063)
    return found[0]


# Using


def find(world: World, guild: str, kind: int, name: str) -> Payload:
    """Return the command that someone in a guild sees under a name, or in a direct message if it is ""."""
    scopes = [guild, ""] if guild else [""]
    for scope in scopes:
        for one in world.commands.get(scope, ()):
            if one["type"] == kind and one["name"] == name:
                if not guild and (one.get("contexts") is not None and 1 not in one["contexts"]):
                    continue
                return one
    known = sorted({one["name"] for scope in scopes for one in world.commands.get(scope, ())})
    raise NotRegistered(f"no command {name!r} here; registered: {', '.join(known) or 'none'}")


class Filled:
    """The options of a command as a person filled them in, in the payload's form."""

    def __init__(self, world: World, channel: Channel) -> None:
        self.world = world
        self.channel = channel
        self.resolved: Payload = {}

    def command(
        self, command: Payload, path: Sequence[str], values: Mapping[str, object], *, focused: str = ""
    ) -> Payload:
        """Return a slash command's data; `path` names the group and the subcommand, if there are any."""
        data: Payload = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if command.get("guild_id"):
            data["guild_id"] = command["guild_id"]
        declared: Sequence[Payload] = command.get("options") or ()
        holder = data
        for name in path:
            inner = next((one for one in declared if one["name"] == name and one["type"] in {1, 2}), None)
            if inner is None:
                raise NotRegistered(f"/{command['name']} has no subcommand {name!r}")
            holder["options"] = [{"type": inner["type"], "name": name, "options": []}]
            holder, declared = holder["options"][0], inner.get("options") or ()
        if any(one["type"] in {SUBCOMMAND, GROUP} for one in declared):
            raise NotRegistered(f"/{command['name']} needs one of its subcommands")
        holder["options"] = self._options(declared, values, focused)
        if self.resolved:
            data["resolved"] = self.resolved
        return data

    def _options(
        self, declared: Sequence[Payload], values: Mapping[str, object], focused: str
    ) -> list[Payload]:
        known = {one["name"]: one for one in declared}
        for name in values:
            if name not in known:
                raise NotRegistered(f"no option {name!r}; there are {sorted(known)}")
        missing = [name for name, one in known.items() if one.get("required") and name not in values]
        if missing and not focused:
            raise NotRegistered(f"the options {missing} are required")
        filled = [self._option(known[name], value, focused=name == focused) for name, value in values.items()]
        if focused and not any(one.get("focused") for one in filled):
            raise NotRegistered(f"no value was typed for {focused!r}")
        return filled

    def _option(self, declared: Payload, value: object, *, focused: bool) -> Payload:
        kind = declared["type"]
        shown: Payload = {"type": kind, "name": declared["name"]}
        if focused:
            if not declared.get("autocomplete"):
                raise NotRegistered(f"the option {declared['name']!r} has no autocomplete")
            return shown | {"value": value, "focused": True}
        shown["value"] = self._resolve(kind, value) if kind in _RESOLVED else value
        if not isinstance(value, _TYPES.get(kind, object)):
            raise NotRegistered(f"the option {declared['name']!r} does not take {value!r}")
        choices = [one["value"] for one in declared.get("choices") or ()]
        if choices and value not in choices:
            raise NotRegistered(f"the option {declared['name']!r} takes one of {choices}")
        if kind == STRING and len(str(value)) > (declared.get("max_length") or 6000):
            raise NotRegistered(
                f"the option {declared['name']!r} takes at most {declared['max_length']} characters"
            )
        return shown

    def _resolve(self, kind: int, value: object) -> str:
        if isinstance(value, Upload):
            attachment = self.world.upload(self.channel, value)
            attachment["ephemeral"] = True
            return self._note("attachments", attachment["id"], attachment)
        if isinstance(value, Role):
            return self._note("roles", value.id, value.payload())
        if isinstance(value, Channel):
            return self._note("channels", value.id, value.payload() | {"permissions": "0"})
        if isinstance(value, User | Member):
            user = value.user if isinstance(value, Member) else value
            guild = self.world.guilds.get(self.channel.guild_id)
            self.person(guild, user)
            return user.id
        raise NotRegistered(f"an option of type {kind} does not take {value!r}")

    def person(self, guild: Guild | None, user: User) -> None:
        self._note("users", user.id, user.payload())
        if guild is not None and user.id in guild.members:
            member = guild.members[user.id].payload(user=False)
            self._note("members", user.id, member | {"permissions": "0"})

    def _note(self, kind: str, key: str, shown: Payload) -> str:
        self.resolved.setdefault(kind, {})[key] = shown
        return key


_TYPES: dict[int, type | tuple[type, ...]] = {
    STRING: str,
    INTEGER: int,
    BOOLEAN: bool,
    NUMBER: (int, float),
}
_RESOLVED = frozenset({USER, CHANNEL, ROLE, MENTIONABLE, ATTACHMENT})
