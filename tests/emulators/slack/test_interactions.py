"""Commands, buttons, shortcuts and modals, answered by a bolt app."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.emulators.slack.conftest import Office
from tests.emulators.slack.errors import NotDelivered
from tests.emulators.slack.test_web_api import refused
from tests.emulators.slack.workspace import Payload

TITLE = {"type": "plain_text", "text": "Add a source"}
SURE = {"type": "plain_text", "text": "Sure?"}
MORE = {"type": "plain_text", "text": "More"}
FORM: Payload = {
    "type": "modal",
    "callback_id": "add",
    "private_metadata": "C1",
    "title": TITLE,
    "submit": {"type": "plain_text", "text": "Add"},
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "location",
            "label": {"type": "plain_text", "text": "Where"},
            "element": {"type": "plain_text_input", "action_id": "value"},
        },
        {
            "type": "input",
            "block_id": "often",
            "optional": True,
            "label": {"type": "plain_text", "text": "How often"},
            "element": {
                "type": "static_select",
                "action_id": "choice",
                "options": [
                    {"text": {"type": "plain_text", "text": word}, "value": word} for word in ("1h", "1d")
                ],
            },
        },
    ],
}
VOTES: list[Payload] = [
    {
        "type": "context_actions",
        "block_id": "votes",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "vote",
                "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "good:1"},
                "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "bad:1"},
            }
        ],
    },
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "more",
                "text": MORE,
                "value": "1",
            }
        ],
    },
]


def opens_a_modal(app: AsyncApp) -> list[Payload]:
    """Let /add open the form, and keep what is sent."""
    sent: list[Payload] = []

    @app.command("/add")
    async def add(ack: AsyncAck, client: AsyncWebClient, command: Payload) -> None:
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=FORM)

    @app.view("add")
    async def added(ack: AsyncAck, view: Payload) -> None:
        sent.append(view)
        where = view["state"]["values"]["location"]["value"]["value"]
        if where == "nowhere":
            await ack(response_action="errors", errors={"location": "There is nothing."})
        elif where == "twice":
            await ack(response_action="update", view={**FORM, "title": SURE})
        else:
            await ack()

    @app.view_closed("add")
    async def closed(ack: AsyncAck, view: Payload) -> None:
        await ack()
        sent.append({"closed": view["id"]})

    return sent


async def test_a_command_is_answered_at_once(office: Office, app: AsyncApp) -> None:
    """What a command answers is seen by the person alone; respond() adds what everybody sees."""

    @app.command("/kb")
    async def kb(ack: AsyncAck, respond: AsyncRespond, command: Payload) -> None:
        await ack("Working…")
        await respond("Done.", response_type="in_channel")

    await office.slack.command("/kb", "list", office.ann, office.channel)
    await office.slack.wait_for(lambda: len(office.slack.messages(office.channel)) == 2)
    seen = {(one.text, one.ephemeral) for one in office.slack.messages(office.channel)}
    assert seen == {("Working…", office.ann), ("Done.", "")}


async def test_a_silent_app_times_out(office: Office, app: AsyncApp) -> None:
    """A command without a listener is not repeated: the person sees a time-out."""
    asked = office.slack.spawn(office.slack.command("/none", "", office.ann, office.channel))
    await office.slack.wait_for(lambda: office.slack.acks)
    office.slack.clock.advance(3.1)
    with pytest.raises(NotDelivered):
        await asked
    assert [one.failed for one in office.slack.acks] == ["timeout"]


async def test_an_answer_address_wears_out(office: Office, app: AsyncApp) -> None:
    """An answer address takes five answers within half an hour."""
    addresses: list[str] = []

    @app.command("/kb")
    async def kb(ack: AsyncAck, command: Payload) -> None:
        addresses.append(command["response_url"])
        await ack()

    for _ in range(2):
        await office.slack.command("/kb", "", office.ann, office.channel)
    first = AsyncWebhookClient(addresses[0])
    assert [(await first.send(text="a")).status_code for _ in range(6)] == [200] * 5 + [404]
    office.slack.clock.advance(1801)
    late = await AsyncWebhookClient(addresses[1]).send(text="a")
    assert (late.status_code, late.body) == (404, "expired_url")


async def test_buttons_tell_what_was_pressed(office: Office, app: AsyncApp) -> None:
    """A button sends its value with the message, a feedback button the value of the one pressed."""
    pressed: list[Payload] = []

    @app.action("vote")
    @app.action("more")
    async def keep(ack: AsyncAck, body: Payload) -> None:
        await ack()
        pressed.append(body)

    posted = await office.client.chat_postMessage(channel=office.channel, text="a", blocks=VOTES)
    message = office.slack.message(office.channel, posted["ts"])
    await office.slack.click(message, "vote", user=office.ann, value="bad:1")
    await office.slack.click(message, "more", user=office.ann)
    assert [one["actions"][0]["value"] for one in pressed] == ["bad:1", "1"]
    assert pressed[0]["message"]["ts"] == pressed[0]["container"]["message_ts"] == posted["ts"]
    with pytest.raises(LookupError):
        await office.slack.click(message, "vote", user=office.ann, value="worse:1")


async def test_ephemeral_messages_are_replaced_by_their_address(office: Office, app: AsyncApp) -> None:
    """A button below a private message brings no message along, and its address replaces or removes it."""
    again = {"text": "Thanks.", "blocks": VOTES, "replace_original": True}
    wishes: list[dict[str, Any]] = [again, {"delete_original": True}]
    bodies: list[Payload] = []

    @app.action("more")
    async def more(ack: AsyncAck, respond: AsyncRespond, body: Payload) -> None:
        await ack()
        bodies.append(body)
        await respond(**wishes[len(bodies) - 1])

    await office.client.chat_postEphemeral(
        channel=office.channel, user=office.ann, text="Private", blocks=VOTES
    )
    (message,) = office.slack.messages(office.channel)
    ben = office.slack.add_user("Ben")
    with pytest.raises(LookupError):
        await office.slack.click(message, "more", user=ben)
    await office.slack.click(message, "more", user=office.ann)
    assert "message" not in bodies[0]
    assert bodies[0]["container"]["is_ephemeral"]
    await office.slack.wait_for(lambda: message.text == "Thanks.")
    await office.slack.click(message, "more", user=office.ann)
    await office.slack.wait_for(lambda: not office.slack.messages(office.channel))


async def test_a_modal_is_filled_in_and_sent(office: Office, app: AsyncApp) -> None:
    """The values come by block and action; the app may show errors, another view, or let it close."""
    slack, sent = office.slack, opens_a_modal(app)
    await slack.command("/add", "", office.ann, office.channel)
    modal = await slack.wait_for(lambda: slack.stack(office.ann))
    with pytest.raises(ValueError, match="location"):
        await slack.submit_view(office.ann)
    refusal = await slack.submit_view(office.ann, {"location": "nowhere", "choice": "1d"})
    assert refusal.errors == {"location": "There is nothing."}
    assert sent[0]["private_metadata"] == "C1"
    assert sent[0]["state"]["values"]["often"]["choice"]["selected_option"]["value"] == "1d"
    assert (await slack.submit_view(office.ann, {"location": "twice"})).action == "update"
    assert modal[0].content["title"]["text"] == "Sure?"
    assert (await slack.submit_view(office.ann, {"location": "there"})).view is None
    assert slack.stack(office.ann) == []


async def test_closing_a_modal_is_told(office: Office, app: AsyncApp) -> None:
    """An app that wants to know is told when a modal is closed."""
    slack, sent = office.slack, opens_a_modal(app)
    await slack.command("/add", "", office.ann, office.channel)
    (modal,) = await slack.wait_for(lambda: slack.stack(office.ann))
    await slack.close_view(office.ann)
    assert sent == [{"closed": modal.id}]


async def test_triggers_open_one_view_within_three_seconds(office: Office) -> None:
    """A trigger is good once and for three seconds; modals go three deep; hashes guard updates."""
    slack, client = office.slack, office.client
    trigger = slack.trigger(slack.home, office.ann)
    opened = (await client.views_open(trigger_id=trigger, view=FORM))["view"]
    assert await refused(client.views_open(trigger_id=trigger, view=FORM)) == "exchanged_trigger_id"
    assert await refused(client.views_open(trigger_id="1.2.3", view=FORM)) == "invalid_trigger_id"
    old = slack.trigger(slack.home, office.ann)
    slack.clock.advance(3.1)
    assert await refused(client.views_open(trigger_id=old, view=FORM)) == "expired_trigger_id"
    for _ in range(2):
        below = slack.trigger(slack.home, office.ann, view=opened["id"])
        await client.views_push(trigger_id=below, view=FORM)
    below = slack.trigger(slack.home, office.ann, view=opened["id"])
    assert await refused(client.views_push(trigger_id=below, view=FORM)) == "push_limit_reached"
    stale = client.views_update(view_id=opened["id"], view=FORM, hash="0.0")
    assert await refused(stale) == "hash_conflict"
    await client.views_update(view_id=opened["id"], view=FORM, hash=opened["hash"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": {"type": "plain_text", "text": "a" * 25}},
        {"private_metadata": "a" * 3001},
        {"submit": None},
        {"type": "dialog"},
        {"blocks": [{"type": "divider"}] * 101},
        {"colour": "red"},
    ],
)
async def test_bad_views_are_refused(office: Office, wrong: Payload) -> None:
    """Views have limits of their own."""
    view = {key: value for key, value in {**FORM, **wrong}.items() if value is not None}
    trigger = office.slack.trigger(office.slack.home, office.ann)
    assert await refused(office.client.views_open(trigger_id=trigger, view=view)) == "invalid_arguments"


async def test_shortcuts_bring_the_message_along(office: Office, app: AsyncApp) -> None:
    """A message shortcut has the message, a global one has none."""
    bodies: list[Payload] = []

    @app.shortcut("save")
    async def save(ack: AsyncAck, body: Payload) -> None:
        await ack()
        bodies.append(body)

    ts = await office.slack.say(office.channel, office.ann, "Remember this")
    await office.slack.shortcut("save", office.ann, channel=office.channel, ts=ts)
    await office.slack.shortcut("save", office.ann)
    assert [one["type"] for one in bodies] == ["message_action", "shortcut"]
    assert bodies[0]["message"]["text"] == "Remember this"


async def test_the_home_tab_is_published(office: Office, app: AsyncApp) -> None:
    """The Home tab is there once published, its buttons work, and the next visit brings it along."""
    views: list[object] = []

    @app.event("app_home_opened")
    async def opened(event: Payload, client: AsyncWebClient) -> None:
        views.append(event.get("view"))
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": VOTES[1:]})

    @app.action("more")
    async def more(ack: AsyncAck, body: Payload) -> None:
        await ack()
        views.append(body["container"]["view_id"])

    await office.slack.open_home(office.ann)
    home = await office.slack.wait_for(lambda: office.slack.home_of(office.ann))
    await office.slack.click(home, "more", user=office.ann)
    await office.slack.open_home(office.ann)
    await office.slack.wait_for(lambda: len(views) == 3)
    assert views[:2] == [None, home.id]
    assert isinstance(views[2], dict)
    assert views[2]["id"] == home.id


async def test_the_stop_button_is_an_event(office: Office, app: AsyncApp) -> None:
    """The stop button tells who pressed it where."""
    seen: list[Payload] = []

    @app.event("agent_session_stopped")
    async def stopped(event: Payload) -> None:
        seen.append(event)

    ts = await office.slack.say(office.slack.direct(office.ann), office.ann, "A long question")
    await office.slack.stop_button(office.ann, office.slack.direct(office.ann), ts)
    await office.slack.wait_for(lambda: seen)
    assert (seen[0]["user"], seen[0]["thread_ts"]) == (office.ann, ts)
    assert seen[0]["streaming_message_ts"] == []


async def test_a_command_tells_no_name_of_a_closed_channel(office: Office, app: AsyncApp) -> None:
    """In a private channel a slash command says so in the place of the channel's name, as Slack does."""
    names: list[str] = []

    @app.command("/ask")
    async def asked(ack: AsyncAck, command: Payload) -> None:
        names.append(command["channel_name"])
        await ack()

    for private in (False, True):
        channel = office.slack.add_channel("finance", members=[office.ann], private=private)
        await office.slack.command("/ask", "why?", office.ann, channel)
    assert names == ["finance", "privategroup"]


async def test_a_response_can_be_told_to_wait(office: Office, app: AsyncApp) -> None:
    """A response_url gives 429 with Retry-After on request, and a call inside of it is recorded."""
    statuses: list[tuple[int, str]] = []

    @app.command("/ask")
    async def asked(ack: AsyncAck, command: Payload) -> None:
        await ack()
        for _ in range(2):
            told = await AsyncWebhookClient(command["response_url"], retry_handlers=[]).send(text="Because.")
            statuses.append((told.status_code, told.headers.get("Retry-After", "")))
        office.slack.bell.ring()

    office.slack.faults.rate_limit("response_url", 30)
    await office.slack.command("/ask", "why?", office.ann, office.channel)
    await office.slack.wait_for(lambda: len(statuses) == 2)
    assert statuses == [(429, "30"), (200, "")]
    assert office.slack.limits.early == ["response_url"]
