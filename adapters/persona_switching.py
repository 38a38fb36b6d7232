"""What `persona list`, `on` and `off` do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.cli_options import Place
from adapters.errors import UsageError
from adapters.failures import DONE
from adapters.figures import ago
from adapters.launch import launch
from adapters.plain import emit, json_text
from adapters.runtime import Runtime
from adapters.terminal import open_consoles, say, show_table
from bot.persona_guard import EVERYWHERE, Scope
from bot.personas import choose_model

if TYPE_CHECKING:
    from bot.persona_guard import PersonaGuard
    from bot.personas import Personas

_PARTS = 3  # of a channel's or person's id: platform, workspace, id


def run_list(place: Place, *, as_json: bool) -> int:
    """List the personas and how they stand."""

    async def body(runtime: Runtime) -> int:
        personas, guard = await runtime.personas(), await runtime.persona_guard()
        found = [await _standing(name, personas, guard) for name in personas.names]
        on_in, outcomes = await guard.on_in(), await guard.outcomes()
        for one in found:
            ruled = [
                f"{it.platform}:{it.id}" for it in runtime.settings.channels if it.persona == one["persona"]
            ]
            one["channels"] = [*ruled, *_ids(on_in, one["persona"], "channel")]
            one["people"] = _ids(on_in, one["persona"], "person")
            one["answers"] = dict(outcomes.get(one["persona"], {}))
        if as_json:
            emit(json_text(found))
            return DONE
        out, err = open_consoles()
        if not runtime.settings.persona.enabled:
            say(err, "Personas are switched off: set [persona] enabled to true.", "yellow")
        rows = [
            [one["persona"], one["mode"], one["model"], _places(one), _done(one["answers"]), one["state"]]
            for one in found
        ]
        show_table(out, ("Persona", "Mode", "Model", "On in", "Answers", "State"), rows)
        return DONE

    return launch(place, body)


def run_on(place: Place, name: str, *, channel: str | None, person: str | None, as_json: bool) -> int:
    """Switch a persona on for a channel or a person, or let it speak again wherever it is on."""
    scope, key = _scope(channel, person)

    async def body(runtime: Runtime) -> int:
        choice = choose_model(name, await runtime.personas())
        if choice.voice is None:
            raise UsageError(choice.reason)
        guard = await runtime.persona_guard()
        await guard.choose(scope, key, None if scope == "all" else choice.name, by="cli")
        if scope == "all":
            await guard.resume(choice.name)
        _tell(
            _switched_on(choice.name, scope, key),
            choice.name,
            scope,
            key,
            on=True,
            as_json=as_json,
        )
        return DONE

    return launch(place, body)


def run_off(place: Place, *, channel: str | None, person: str | None, as_json: bool) -> int:
    """Switch all personas off for a channel, a person or everywhere."""
    scope, key = _scope(channel, person)

    async def body(runtime: Runtime) -> int:
        await (await runtime.persona_guard()).choose(scope, key, "", by="cli")
        where = "anywhere" if scope == "all" else _where(scope, key)
        _tell(f"No persona speaks {where}.", "", scope, key, on=False, as_json=as_json)
        return DONE

    return launch(place, body)


async def _standing(name: str, personas: Personas, guard: PersonaGuard) -> dict[str, Any]:
    choice = choose_model(name, personas)
    pause = await guard.pause_of(name)
    _, _, everywhere = await guard.chosen("", "")
    state = "ready"
    if choice.voice is None:
        state = choice.reason
    elif everywhere == "":
        state = "off everywhere"
    elif pause is not None:
        state = f"switched itself off: {pause.reason}; back {ago(pause.until, now=time.time())}"
    model = choice.model.model if choice.voice is not None else ""
    return {"persona": name, "mode": choice.mode, "model": model, "state": state}


def _ids(on_in: Mapping[str, list[tuple[Scope, str]]], name: str, scope: Scope) -> list[str]:
    return [key for known, places in on_in.items() if known == name for its, key in places if its == scope]


def _places(one: Mapping[str, Any]) -> str:
    """Return where a persona is on: the channels, and how many people chose it."""
    number = len(one["people"])
    people = [f"{number:,} {'person' if number == 1 else 'people'}"] if number else []
    return ", ".join([*one["channels"], *people]) or "nowhere"


def _done(answers: Mapping[str, int]) -> str:
    """Return how many answers were given in the voice, and how many stayed plain."""
    kept = answers.get("kept", 0)
    plain = sum(answers.values()) - kept
    return f"{kept:,} in the voice, {plain:,} plain" if answers else "none yet"


def _scope(channel: str | None, person: str | None) -> tuple[Scope, str]:
    if channel and person:
        raise UsageError("--channel and --person: give one of them.")
    for option, value in (("--channel", channel), ("--person", person)):
        if value and (value.count(":") != _PARTS - 1 or value.split(":")[0] not in {"slack", "discord"}):
            raise UsageError(f"{option} {value!r}: write platform:workspace:id, such as slack:T0123:C0456.")
    if channel:
        return "channel", channel
    return ("person", person) if person else ("all", EVERYWHERE)


def _switched_on(name: str, scope: Scope, key: str) -> str:
    if scope == "channel":
        return f"{name} speaks in {key}."
    if scope == "person":
        return (
            f"{name} speaks to {key}: in direct messages, where only they see the answer, and where it is on."
        )
    return f"{name} may speak again wherever it is on. To switch it on in a channel: --channel ID."


def _where(scope: Scope, key: str) -> str:
    return {"all": "everywhere", "channel": f"in {key}", "person": f"for {key}"}[scope]


def _tell(line: str, name: str, scope: Scope, key: str, *, on: bool, as_json: bool) -> None:
    if as_json:
        emit(json_text({"persona": name, "scope": scope, "id": "" if scope == "all" else key, "on": on}))
    else:
        say(open_consoles()[0], line)
