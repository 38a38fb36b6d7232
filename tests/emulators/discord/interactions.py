"""Interactions: commands, buttons and modals from the person's press to the bot's answers.

An interaction must be answered within 3 s of its creation and can be answered further for 15 minutes. Here
are its state, the callback, and the webhook calls that go on with it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from tests.emulators.discord import components, drafts, permissions
from tests.emulators.discord.calls import Call, Reply
from tests.emulators.discord.errors import ApiError, Payload, checked_length, invalid
from tests.emulators.discord.messages import (
    CHAT_COMMAND,
    DEFAULT,
    EPHEMERAL,
    LOADING,
    MENU_COMMAND,
    REPLY,
    SUPPRESS_EMBEDS,
    Message,
)
from tests.emulators.discord.places import Channel, User
from tests.emulators.discord.world import Draft, World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ACKNOWLEDGE_SECONDS, TOKEN_SECONDS = 3.0, 900.0
_TAKES = {
    COMMAND: {MESSAGE, DEFERRED, MODAL},
    COMPONENT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE},
}


@dataclass(slots=True, kw_only=True, eq=False)
class Interaction:
    """One interaction, as the emulator knows it.

    `callback` is the type of the bot's first answer, 0 while there is none; `latency` is how long that took.
    `original` is the message that answers it, `followups` those sent later; `modal` is the form that the bot
    opened, `choices` what it offered for autocompletion.
    """

    id: str
    token: str
    type: int
    world: World = field(repr=False)
    user: User
    channel: Channel
    data: Payload
    at: float
    source: Message | None = None
    from_modal_on_message: bool = False
    callback: int = 0
    acknowledged_at: float = 0.0
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Payload | None = None
    choices: list[Payload] | None = None

    @property
    def acknowledged(self) -> bool:
        return bool(self.callback)

    @property
    def latency(self) -> float:
        return self.acknowledged_at - self.at

    @property
    def failed(self) -> bool:
        """Whether the person reads "The application did not respond"."""
        return not self.callback and self.world.clock.now() - self.at > ACKNOWLEDGE_SECONDS

    @property
    def expired(self) -> bool:
        return self.world.clock.now() - self.at > TOKEN_SECONDS

    @property
    def answered(self) -> bool:
        """Whether the person has all that the callback promised: nothing is thinking any more."""
        if self.callback in {MESSAGE, DEFERRED}:
            return self.original is not None and not self.original.loading
        return self.callback in {UPDATE, CHOICES, MODAL, DEFERRED_UPDATE}

    @property
    def messages(self) -> list[Message]:
        """What was sent in answer and still stands, in order; the message of the button is not among them."""
        own = [self.original] if self.original and self.original is not self.source else []
        return [one for one in [*own, *self.followups] if not one.deleted]

    @property
    def text(self) -> str:
        return "\n".join(one.text for one in self.messages)

    def facts(self) -> Payload:
        return {
            "id": self.id,
            "token": self.token,
            "type": self.type,
            "callback": self.callback,
            "latency": self.latency if self.callback else None,
            "failed": self.failed,
            "answered": self.answered,
            "modal": self.modal,
            "choices": self.choices,
            "messages": [one.facts() for one in self.messages],
        }


def begin(
    world: World, kind: int, user: User, channel: Channel, data: Payload, *, source: Message | None = None
) -> Interaction:
    """Create an interaction and send it over the gateway."""
    interaction = Interaction(
        id=world.clock.snowflake(),
        token=secrets.token_urlsafe(120),
        type=kind,
        world=world,
        user=user,
        channel=channel,
        data=data,
        at=world.clock.now(),
        source=source,
    )
    world.interactions[interaction.token] = interaction
    world.emit("INTERACTION_CREATE", _payload(interaction), guild_id=channel.guild_id)
    return interaction


def _payload(interaction: Interaction) -> Payload:
    world, channel, user = interaction.world, interaction.channel, interaction.user
    shown: Payload = {
        "id": interaction.id,
        "application_id": world.application,
        "type": interaction.type,
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": channel.id,
        "channel": channel.payload() | {"permissions": str(world.allowed(channel, user.id))},
        "app_permissions": str(world.allowed(channel)),
        "locale": user.locale,
        "entitlements": [],
        "attachment_size_limit": 10 * 1024 * 1024,
    }
    if interaction.source is not None:
        shown["message"] = interaction.source.payload()
    if not channel.guild_id:
        owners = {"authorizing_integration_owners": {"0": "0"}, "context": 1}
        return shown | owners | {"user": user.payload()}
    guild = world.guilds[channel.guild_id]
    member = guild.members[user.id]
    return shown | {
        "context": 0,
        "authorizing_integration_owners": {"0": guild.id},
        "guild_id": guild.id,
        "guild": {"id": guild.id, "locale": guild.locale, "features": []},
        "guild_locale": guild.locale,
        "member": member.payload() | {"permissions": str(permissions.of(guild, member, channel))},
    }


# The callback


async def callback(call: Call) -> Reply:
    """Take the first answer to an interaction."""
    world = call.world
    interaction = world.interactions.get(call.args["interaction_token"])
    if interaction is None or interaction.id != call.args["interaction_id"]:
        raise ApiError(10062)
    if interaction.acknowledged:
        raise ApiError(40060)
    if interaction.failed:
        raise ApiError(10062)
    kind = call.fields.get("type")
    if kind not in _TAKES[interaction.type]:
        raise invalid(
            "type", "INTERACTION_CALLBACK_TYPE_INVALID", f"Type {kind!r} cannot answer this interaction"
        )
    if kind in {UPDATE, DEFERRED_UPDATE} and interaction.source is None:
        raise invalid("type", "INTERACTION_CALLBACK_TYPE_INVALID", "There is no message to update")
    _answer(call, interaction, kind, call.fields.get("data") or {})
    interaction.callback, interaction.acknowledged_at = kind, world.clock.now()
    world.pulse.beat()
    if call.query.get("with_response", "").lower() not in {"1", "true"}:
        return 204, None
    return 200, _receipt(interaction)


def _answer(call: Call, interaction: Interaction, kind: int, data: Payload) -> None:
    world = call.world
    sent = drafts.Sent(body=data, files=call.files)
    if kind == MESSAGE:
        interaction.original = _say(interaction, sent)
    elif kind == DEFERRED:
        flags = LOADING | int(data.get("flags") or 0) & (EPHEMERAL | SUPPRESS_EMBEDS)
        interaction.original = _post(interaction, Draft(flags=flags), _kind(interaction))
    elif kind == DEFERRED_UPDATE:
        interaction.original = interaction.source
    elif kind == UPDATE and interaction.source is not None:
        interaction.original = interaction.source
        world.revise(interaction.source, drafts.edited(world, interaction.source, sent))
    elif kind == CHOICES:
        interaction.choices = _choices(data)
    elif kind == MODAL:
        interaction.modal = components.of_modal(data)


def _say(interaction: Interaction, sent: drafts.Sent) -> Message:
    ephemeral = bool(int(sent.body.get("flags") or 0) & EPHEMERAL)
    draft = drafts.new(interaction.world, interaction.channel, sent, ephemeral=ephemeral)
    return _post(interaction, draft, _kind(interaction))


def _kind(interaction: Interaction) -> int:
    if interaction.type == COMMAND:
        return CHAT_COMMAND if interaction.data.get("type") == 1 else MENU_COMMAND
    return REPLY if interaction.type == COMPONENT else DEFAULT


def _post(interaction: Interaction, draft: Draft, kind: int) -> Message:
    if kind == REPLY and interaction.source is not None:
        draft.referenced = interaction.source
    return interaction.world.post(
        interaction.channel,
        interaction.world.me,
        draft,
        type=kind,
        webhook_id=interaction.world.application,
        interaction=_metadata(interaction),
        ephemeral_to=interaction.user.id if draft.flags & EPHEMERAL else "",
    )


def _metadata(interaction: Interaction) -> Payload:
    shown: Payload = {
        "id": interaction.id,
        "type": interaction.type,
        "user": interaction.user.payload(),
        "authorizing_integration_owners": {"0": interaction.channel.guild_id or "0"},
    }
    if interaction.type == COMMAND:
        return shown | {"name": interaction.data["name"], "command_type": interaction.data["type"]}
    if interaction.type == COMPONENT and interaction.source is not None:
        return shown | {"interacted_message_id": interaction.source.id}
    return shown | {
        "triggering_interaction_metadata": {
            "id": interaction.id,
            "type": COMMAND,
            "authorizing_integration_owners": {"0": interaction.channel.guild_id or "0"},
            "user": interaction.user.payload(),
        }
    }


def _choices(data: Payload) -> list[Payload]:
    given = data.get("choices")
    if not isinstance(given, list) or len(given) > 25:
        raise invalid("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, one in enumerate(given):
        checked_length(f"data.choices.{index}.name", one.get("name"), most=100, least=1)
        if isinstance(one.get("value"), str):
            checked_length(f"data.choices.{index}.value", one["value"], most=100, least=1)
    return given


def _receipt(interaction: Interaction) -> Payload:
    shown: Payload = {"id": interaction.id, "type": interaction.type}
    message = interaction.original
    if message is None:
        return {"interaction": shown}
    shown |= {
        "response_message_id": message.id,
        "response_message_loading": message.loading,
        "response_message_ephemeral": message.ephemeral,
    }
    resource: Payload = {"type": interaction.callback}
    if interaction.callback in {MESSAGE, UPDATE}:
        resource["message"] = message.payload()
    elif interaction.callback == DEFERRED:
        # The OpenAPI document knows a message here with the types 4 and 7 alone.
        resource = {"type": MESSAGE, "message": message.payload()}
    else:
        return {"interaction": shown}
    return {"interaction": shown, "resource": resource}


# Going on with it: /webhooks/{application}/{token}


def _going(call: Call) -> Interaction:
    """Return the interaction of a webhook call; raise `ApiError` when its token is unknown or too old."""
    interaction = call.world.interactions.get(call.args["webhook_token"])
    if call.args["webhook_id"] != call.world.application or interaction is None:
        raise ApiError(10015)
    if interaction.expired:
        raise ApiError(50027)
    if not interaction.acknowledged:
        raise ApiError(10015)
    return interaction


def _message(call: Call, interaction: Interaction) -> Message:
    wanted = call.args.get("message_id", "@original")
    if wanted == "@original":
        found = interaction.original
    else:
        own = [*interaction.followups, *([interaction.original] if interaction.original else [])]
        found = next((one for one in own if one.id == wanted), None)
    if found is None or found.deleted:
        raise ApiError(10008)
    return found


async def follow_up(call: Call) -> Reply:
    """Send a further message; the first one after a deferral takes the place of what is thinking."""
    interaction = _going(call)
    world, sent = call.world, call.sent
    waiting = interaction.original
    if waiting is not None and waiting.loading and not waiting.deleted:
        return 200, _settle(world, waiting, sent).payload()
    ephemeral = bool(int(sent.body.get("flags") or 0) & EPHEMERAL)
    draft = drafts.new(world, interaction.channel, sent, ephemeral=ephemeral)
    draft.nonce, draft.enforce_nonce = None, False
    draft.referenced = (
        interaction.original if interaction.original and not interaction.original.deleted else None
    )
    message = _post(interaction, draft, REPLY if draft.referenced else DEFAULT)
    interaction.followups.append(message)
    return 200, message.payload()


def _settle(world: World, message: Message, sent: drafts.Sent) -> Message:
    """Give a message that is thinking its body."""
    flags = message.flags
    message.flags &= ~LOADING
    try:
        draft = drafts.edited(world, message, sent)
    except ApiError:
        message.flags = flags
        raise
    world.revise(message, draft)
    return message


async def show_response(call: Call) -> Reply:
    return 200, _message(call, _going(call)).payload()


async def edit_response(call: Call) -> Reply:
    message = _message(call, _going(call))
    if message.loading:
        return 200, _settle(call.world, message, call.sent).payload()
    call.world.revise(message, drafts.edited(call.world, message, call.sent))
    return 200, message.payload()


async def delete_response(call: Call) -> Reply:
    call.world.remove(_message(call, _going(call)))
    return 204, None
