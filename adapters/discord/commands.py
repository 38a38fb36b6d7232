"""The commands as Discord shows them, registered only when they differ from what is registered already."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.discord.api import DiscordApi, Payload
from bot.texts import LANGUAGES, Texts, texts

log = logging.getLogger(__name__)

ASK, KNOWLEDGE, PERSONA = "ask", "kb", "persona"
ASK_ABOUT, SAVE = "ask_about", "save_message"

CHAT_INPUT, MESSAGE_MENU = 1, 3
SUBCOMMAND, STRING, BOOLEAN, ATTACHMENT = 1, 3, 5, 11
LONGEST_QUESTION = 4_000
_LONGEST_NAME = 64
_LONGEST_TYPED = 600  # a voice and the question that is voted on
_DESCRIPTION = 100
_MENU_NAME = 32
# Discord's names of our languages.
_LOCALES = {"de": ("de",), "fr": ("fr",), "es": ("es-ES", "es-419")}
_EVERYWHERE = {"contexts": [0, 1], "integration_types": [0]}

Say = Callable[[Texts], str]


def definitions(*, personas: bool = False) -> list[dict[str, Any]]:
    """Return all commands, with their words in every language; with `personas`, theirs too."""
    voices = [_persona()] if personas else []
    return [_ask(), _knowledge(), *voices, _menu(_ask_about), _menu(_save)]


def menu(name: str) -> str:
    """Return which message menu has this name: `ASK_ABOUT`, `SAVE` or nothing."""
    english = texts("en")
    return {_ask_about(english): ASK_ABOUT, _save(english): SAVE}.get(name, "")


def _ask() -> dict[str, Any]:
    return {
        "type": CHAT_INPUT,
        "name": ASK,
        **_described(lambda words: words.command_ask),
        "options": [
            _option("question", lambda words: words.option_question, longest=LONGEST_QUESTION, required=True),
            _option("persona", lambda words: words.option_persona, longest=_LONGEST_NAME),
            _option("private", lambda words: words.option_private, kind=BOOLEAN),
        ],
        **_EVERYWHERE,
    }


def _knowledge() -> dict[str, Any]:
    def sub(name: str, *options: dict[str, Any]) -> dict[str, Any]:
        described = _described(lambda words: words.subcommands[name])
        return {"type": SUBCOMMAND, "name": name, **described, "options": list(options)}

    def source(*, required: bool) -> dict[str, Any]:
        option = _option("source", lambda words: words.option_source, required=required)
        return option | {"autocomplete": True}

    return {
        "type": CHAT_INPUT,
        "name": KNOWLEDGE,
        **_described(lambda words: words.command_kb),
        "options": [
            sub("add", *_adding()),
            sub("list"),
            sub("show", source(required=True)),
            sub("sync", source(required=False), _option("allow_deletes", _allow_deletes, kind=BOOLEAN)),
            sub("remove", source(required=True)),
            sub("pause", source(required=True)),
            sub("resume", source(required=True)),
            sub("status"),
            sub("help"),
        ],
        **_EVERYWHERE,
    }


def _persona() -> dict[str, Any]:
    def describe(words: Texts) -> str:
        return words.option_persona

    return {
        "type": CHAT_INPUT,
        "name": PERSONA,
        **_described(describe),
        "options": [
            _option(
                "what", lambda _: "list, on NAME [here], off [here], vote QUESTION", longest=_LONGEST_TYPED
            )
        ],
        **_EVERYWHERE,
    }


def _adding() -> list[dict[str, Any]]:
    return [
        _option("location", lambda words: words.option_location),
        _option("name", lambda words: words.name_hint, longest=_LONGEST_NAME),
        _option("every", lambda words: words.every_hint),
        _option("audience", lambda words: words.audience_hint),
        _option("file", lambda words: words.option_file, kind=ATTACHMENT),
    ]


def _menu(name: Say) -> dict[str, Any]:
    localised = {locale: name(words)[:_MENU_NAME] for locale, words in _others()}
    found: dict[str, Any] = {"type": MESSAGE_MENU, "name": name(texts("en"))[:_MENU_NAME], **_EVERYWHERE}
    return found | ({"name_localizations": localised} if localised else {})


def _option(
    name: str, describe: Say, *, kind: int = STRING, longest: int = 0, required: bool = False
) -> dict[str, Any]:
    option: dict[str, Any] = {"type": kind, "name": name, **_described(describe), "required": required}
    return option | ({"max_length": longest} if longest else {})


def _described(describe: Say) -> dict[str, Any]:
    localised = {locale: describe(words)[:_DESCRIPTION] for locale, words in _others()}
    found: dict[str, Any] = {"description": describe(texts("en"))[:_DESCRIPTION]}
    return found | ({"description_localizations": localised} if localised else {})


def _others() -> list[tuple[str, Texts]]:
    return [
        (locale, LANGUAGES[language])
        for language, locales in _LOCALES.items()
        if language in LANGUAGES
        for locale in locales
    ]


def _ask_about(words: Texts) -> str:
    return words.ask_about


def _save(words: Texts) -> str:
    return words.save_message


def _allow_deletes(words: Texts) -> str:
    return words.allow_deletes


async def register(
    api: DiscordApi, application: str, servers: Sequence[str], *, personas: bool = False
) -> None:
    """Register the commands where they are wanted; take them away elsewhere.

    Discord allows 200 new commands a server and day: nothing is sent while the registered ones are the same.
    """
    wanted = definitions(personas=personas)
    if not servers:
        await _bring(api, application, wanted)
        return
    await _bring(api, application, [])
    local = [{key: value for key, value in one.items() if key not in _EVERYWHERE} for one in wanted]
    for server in servers:
        await _bring(api, application, local, server)


async def _bring(api: DiscordApi, application: str, wanted: Sequence[Payload], server: str = "") -> None:
    registered = await api.commands(application, server)
    if digest(registered) == digest(wanted):
        return
    await api.register(application, wanted, server)
    log.info("discord commands registered number=%d server=%s", len(wanted), server or "all")


def digest(commands: Sequence[Payload]) -> str:
    """Return a hash of what matters in commands, whether they are ours or as Discord returns them."""
    plain = sorted((_essence(one) for one in commands), key=lambda one: (one["type"], one["name"]))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


_SAID = ("name", "description", "name_localizations", "description_localizations")
_MEANT = ("required", "autocomplete", "min_length", "max_length", "min_value", "max_value", "choices")


def _essence(command: Mapping[str, Any]) -> dict[str, Any]:
    """Return what we say of a command or option; Discord adds ids and defaults of its own."""
    found: dict[str, Any] = {"type": command.get("type", CHAT_INPUT), "name": command["name"]}
    found |= {key: command[key] for key in (*_SAID, *_MEANT) if command.get(key)}
    if command.get("contexts"):
        found["contexts"] = sorted(command["contexts"])
    if options := command.get("options"):
        found["options"] = [_essence(option) for option in options]
    return found
