"""`assistant.threads.*` and `agents.sessions.*`: what an agent shows beside its messages."""

from __future__ import annotations

from tests.emulators.slack.clock import STATUS_SECONDS
from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.methods import Call, method
from tests.emulators.slack.workspace import Payload

_STATES = {"processing", "active", "suspended", "closed"}
_MOST_LOADING, _MOST_PROMPTS, _LONGEST_TITLE = 10, 4, 200


@method(
    "assistant.threads.setStatus",
    "channel_id! thread_ts! status! loading_messages:list icon_emoji icon_url username",
    scopes="chat:write assistant:write",
    tier="special",
)
def set_status(call: Call) -> Payload:
    key = _thread(call)
    loading = call.get("loading_messages") or []
    if len(loading) > _MOST_LOADING or not all(isinstance(one, str) and one for one in loading):
        raise SlackError("invalid_arguments", "[ERROR] loading_messages: at most 10 strings")
    now, status = call.site.clock.now(), call.text("status")
    call.site.status_log.append((now, *key, status))
    if status:
        shown = {"status": status, "loading": loading, "until": now + STATUS_SECONDS}
        call.site.statuses[key] = shown
    else:
        call.site.statuses.pop(key, None)
    return {}


@method(
    "assistant.threads.setSuggestedPrompts",
    "channel_id! thread_ts prompts:list! title",
    scopes="assistant:write",
    tier=4,
)
def set_suggested_prompts(call: Call) -> Payload:
    key = _thread(call) if call.text("thread_ts") else (call.channel("channel_id").id, "")
    prompts = call.get("prompts")
    if not 1 <= len(prompts) <= _MOST_PROMPTS:
        raise SlackError("invalid_arguments", "[ERROR] prompts: 1 to 4 items")
    for prompt in prompts:
        if not isinstance(prompt, dict) or set(prompt) != {"title", "message"} or not all(prompt.values()):
            raise SlackError("invalid_arguments", "[ERROR] a prompt has a title and a message")
    call.site.prompts[key] = {"title": call.text("title"), "prompts": prompts}
    return {}


@method("assistant.threads.setTitle", "channel_id! thread_ts! title!", scopes="assistant:write", tier=4)
def set_title(call: Call) -> Payload:
    call.site.titles[_thread(call)] = call.text("title")
    return {}


@method(
    "agents.sessions.setStatus",
    "channel_id! status! thread_ts title initiator_user_id icon_emoji icon_url username",
    scopes="chat:write",
)
def set_session_status(call: Call) -> Payload:
    key = _thread(call)
    if call.text("status") not in _STATES or len(call.text("title")) > _LONGEST_TITLE:
        raise SlackError("invalid_arguments", "[ERROR] status or title")
    session = call.site.sessions.setdefault(key, {"title": call.text("title")})
    session["status"] = call.text("status")
    if "agent_session_stopped" not in call.site.events:
        warning = "missing_agent_session_stopped_event_subscription"
        call.notes |= {"warning": warning, "response_metadata": {"warnings": [warning]}}
    return {}


@method("agents.sessions.rename", "channel_id! title! thread_ts", scopes="chat:write")
def rename_session(call: Call) -> Payload:
    key = _thread(call)
    if not call.text("title") or len(call.text("title")) > _LONGEST_TITLE:
        raise SlackError("invalid_arguments", "[ERROR] title")
    if key not in call.site.sessions:
        raise SlackError("session_not_found")
    call.site.sessions[key]["title"] = call.text("title")
    return {}


def _thread(call: Call) -> tuple[str, str]:
    channel = call.channel("channel_id")
    message = channel.messages.get(call.text("thread_ts"))
    if message is None or message.ephemeral:
        raise SlackError("invalid_thread_ts")
    return channel.id, message.ts
