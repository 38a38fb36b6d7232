from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.discord.render_forms import comment_modal, form_modal, form_payload, submitted
from adapters.discord.render_home import home_payload
from bot.forms import Field, Form
from bot.home import HomeSource, HomeView
from bot.texts import texts
from tests.adapters.discord.test_render import buttons, dangers, shown
from tests.emulators.discord.components import of_modal

EN = texts("en")
NOW = 1_790_000_000.0
FORM = Form(
    title="Add a source",
    action="add",
    note="A note.",
    fields=(
        Field(name="location", label="Location", hint="A git or web address"),
        Field(name="name", label="Name", value="handbook", optional=True),
        Field(name="text", label="Text", multiline=True, value="x" * 5_000),
        Field(name="type", label="Type", choices=("git", "web"), value="web"),
    ),
)
SOURCE = HomeSource(
    name="handbook",
    type="git",
    location="https://git.acme.test",
    documents=214,
    failed=0,
    last_good=NOW - 180,
    next_run=NOW + 60,
    state="ok",
)


def test_form() -> None:
    """A form is a modal of labelled inputs that Discord takes, with what is filled in already."""
    modal = form_modal(FORM)
    kept = of_modal(modal)
    assert kept["custom_id"] == "lk:form:add"
    location, name, long, kind, note = kept["components"]
    assert location["description"] == "A git or web address"
    assert location["component"]["required"]
    assert name["component"]["value"] == "handbook"
    assert not name["component"]["required"]
    assert len(long["component"]["value"]) == 4_000
    assert [option["value"] for option in kind["component"]["options"] if option.get("default")] == ["web"]
    assert note["content"] == "-# A note."


def test_note_of_a_full_form() -> None:
    """Where five fields leave no room for it, the note stands at a field without a hint."""
    full = replace(FORM, fields=(*FORM.fields, Field(name="link", label="Link", optional=True)))
    parts = form_modal(full)["components"]
    assert [part.get("description") for part in parts] == [
        "A git or web address",
        "A note.",
        None,
        None,
        None,
    ]
    with pytest.raises(ValueError, match="a modal holds 5"):
        form_modal(replace(full, fields=full.fields * 2))


def test_errors() -> None:
    """A field that was wrong says so in place of its hint."""
    (location, *_) = form_modal(FORM, errors={"location": "'x' is no address."})["components"]
    assert location["description"] == "⚠️ 'x' is no address."
    of_modal(form_modal(FORM, errors={"location": "y" * 500}))


def test_comment() -> None:
    """What was wrong with an answer is asked in a modal that knows the answer."""
    kept = of_modal(comment_modal("a" * 32, EN))
    assert kept["custom_id"] == f"lk:comment:{'a' * 32}"
    assert kept["components"][0]["component"]["custom_id"] == "comment"


def test_submitted() -> None:
    """What is sent back comes by field, from labels and from rows."""
    data = {
        "components": [
            {"type": 18, "component": {"type": 4, "custom_id": "name", "value": "handbook"}},
            {"type": 18, "component": {"type": 3, "custom_id": "tags", "values": ["a", "b"]}},
            {"type": 1, "components": [{"type": 4, "custom_id": "old", "value": None}]},
            {"type": 10, "content": "note"},
        ]
    }
    assert submitted(data) == {"name": "handbook", "tags": "a,b", "old": ""}
    assert submitted({}) == {}


def test_form_as_message() -> None:
    """Where no modal can be opened, a button opens it."""
    payload = form_payload(FORM, EN)
    assert shown(payload) == "A note."
    assert buttons(payload) == {"Add a source": "lk:form:add"}


def test_home() -> None:
    """The overview lists sources with their freshness, recent and suggested questions."""
    view = HomeView(sources=(SOURCE,), documents=214, suggested=("How?", "x" * 90), recent=("Why?",))
    payload = home_payload(view, EN, now=NOW)
    text = shown(payload)
    assert (
        "🟢 **handbook**\n-# git · 214 documents · last synced <t:1789999820:R> · next sync <t:1790000060:R>"
        in text
    )
    assert "- Why?" in text
    assert buttons(payload) == {"How?": "lk:suggest:0", "x" * 79 + "…": "lk:suggest:1"}


def test_home_of_an_admin() -> None:
    """Admins see what is wrong, the settings and a button to add a source."""
    broken = replace(SOURCE, error="It does not answer.", failed=3, state="paused", last_good=None)
    view = HomeView(
        sources=(broken,), documents=214, admin=True, settings=(("Mode", "auto"), ("Models.", ""))
    )
    payload = home_payload(view, EN, now=NOW)
    text = shown(payload)
    assert (
        f"🔴 **handbook**\n-# git · 214 documents · 3 not indexed · {EN.never_synced} · {EN.paused}" in text
    )
    assert "- **handbook**: It does not answer." in text
    assert "-# Mode: auto\n-# Models." in text
    assert EN.add_source in buttons(payload)


def test_homes_fit_and_are_dead() -> None:
    """However many sources there are and whatever they are called, the overview fits and nothing is alive."""
    evil = "@everyone [x](https://evil.test) <@12> " + "y" * 300
    sources = tuple(replace(SOURCE, name=evil, type=evil, error=evil) for _ in range(60))
    view = HomeView(
        sources=sources,
        documents=9,
        suggested=(evil,) * 9,
        recent=(evil,) * 9,
        admin=True,
        settings=((evil, evil),) * 9,
    )
    payload = home_payload(view, EN, now=NOW)
    shown(payload)
    assert dangers(iter([payload])) == []
    assert shown(home_payload(HomeView(), EN, now=NOW)).endswith(EN.nothing_yet)
