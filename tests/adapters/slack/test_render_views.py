"""Modals and the Home tab."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.interactions import submitted
from adapters.slack.render_views import (
    comment_modal,
    confirm_modal,
    form_modal,
    home_view,
    notice_modal,
    sources_modal,
)
from bot.forms import Confirm, Field, Form
from bot.home import HomeSource, HomeView
from bot.messages import Citation
from bot.texts import texts
from tests.adapters.slack.block_limits import view_problems
from tests.adapters.slack.live import live
from tests.adapters.slack.trust_output import constructs, needs_output

NOW = 1_790_000_000.0
EN = texts("en")
SITE = "https://docs.acme.test/"


def source(name: str = "handbook", **more: object) -> HomeSource:
    """Return a source that was synced a minute ago."""
    given: dict[str, object] = {"type": "web", "location": SITE, "documents": 3, "failed": 0, "state": "ok"}
    given |= {"last_good": NOW - 60, "next_run": NOW + 120}
    return HomeSource(name=name, **given | more)  # type: ignore[arg-type]


def passage(number: int = 1, **more: str) -> Citation:
    """Return a cited passage."""
    given = {"title": "Expenses", "heading": "", "url": SITE, "updated": "", "document": "e.md"}
    return Citation(number=number, **{**given, "quote": "Keep it.", "source": "handbook", **more})


def shown(view: dict[str, Any]) -> str:
    """Return all text of a view's blocks."""
    return str(view["blocks"])


def test_home_shows_what_is_known_and_how_fresh_it_is() -> None:
    """A member sees documents, freshness and questions, and nothing that only admins may."""
    view = home_view(
        HomeView(
            sources=(source(error="secret path", failed=2),),
            documents=3,
            freshest=NOW - 60,
            suggested=("How do I claim?",),
            recent=("Where is it?",),
            settings=(("mode", "auto"),),
        ),
        EN,
        now=NOW,
    )
    assert view_problems(view) == []
    text = shown(view)
    for part in (
        "3 documents",
        "1 minute ago",
        "How do I claim?",
        "Where is it?",
        "in 2 minutes",
        "2 not indexed",
    ):
        assert part in text
    for part in ("secret path", "lk_sync", "lk_add", "'mode'", "red_circle"):
        assert part not in text


def test_home_of_an_admin_shows_troubles_and_settings() -> None:
    """An admin sees errors, settings, and the buttons that change things."""
    view = home_view(
        HomeView(
            sources=(source(error="It broke."),), admin=True, settings=(("Mode", "auto"), ("Models: x.", ""))
        ),
        EN,
        now=NOW,
    )
    assert view_problems(view) == []
    for part in ("It broke.", "lk_sync", "lk_add", "*Mode*  auto", "Models: x.", "red_circle", EN.troubles):
        assert part in shown(view)


def test_an_empty_home_says_so() -> None:
    """Whoever may see nothing reads that there is nothing."""
    view = home_view(HomeView(), EN, now=NOW)
    assert view_problems(view) == []
    assert EN.nothing_yet in shown(view)


@pytest.mark.parametrize("state", ["ok", "syncing", "paused", "held", "never", "hung", "attention", "gone"])
def test_every_state_of_a_source_has_its_light(state: str) -> None:
    """No state breaks the Home tab."""
    view = home_view(HomeView(sources=(source(state=state, last_good=None),)), EN, now=NOW)
    assert view_problems(view) == []


def test_a_home_with_many_sources_stays_within_the_limits() -> None:
    """Two hundred sources are cut, and the rest is counted."""
    sources = tuple(source(f"s{number}", error="x") for number in range(200))
    view = home_view(
        HomeView(sources=sources, admin=True, suggested=("a",) * 9, recent=("b",) * 9), EN, now=NOW
    )
    assert view_problems(view) == []
    assert EN.more.format(number=180) in shown(view)


def test_a_form_comes_back_with_the_names_of_its_fields() -> None:
    """Each field is a block of its name, so that what is sent back and an error find it."""
    fields = (
        Field(name="location", label="Location", hint="A path", value="./docs"),
        Field(name="type", label="Type", choices=("git", "web"), value="web", optional=True),
        Field(name="text", label="Text", multiline=True, value="x" * 4_000),
    )
    view = form_modal(
        Form(title="Add a source", fields=fields, action="add", note="Small."), EN, keep={"c": "C1"}
    )
    assert view_problems(view) == []
    assert [block.get("block_id") for block in view["blocks"]] == [None, "location", "type", "text"]
    assert view["blocks"][2]["element"]["initial_option"]["value"] == "web"
    given = submitted({"view": view, "user": {"id": "U1"}})
    assert (given.form, given.keep) == ("lk_form:add", {"c": "C1"})


def test_a_confirmation_keeps_its_command() -> None:
    """What is done once it is confirmed comes back with the modal."""
    confirm = Confirm(title="Remove a very long name", text="Sure?", label="Remove", command="remove a --yes")
    view = confirm_modal(confirm, EN, keep={"c": "C1"})
    assert view_problems(view) == []
    assert submitted({"view": view}).keep == {"c": "C1", "command": "remove a --yes"}


def test_a_comment_keeps_its_answer() -> None:
    """What was wrong comes back with the id of the answer."""
    view = comment_modal("a1", EN)
    assert view_problems(view) == []
    assert submitted({"view": view}).keep == {"answer": "a1"}


def test_sources_are_quoted_word_for_word() -> None:
    """Each passage has its title, its words as a quotation, and where it lies."""
    view = sources_modal((passage(), passage(2, quote="")), EN, now=NOW)
    assert view_problems(view) == []
    assert [block["type"] for block in view["blocks"]] == [
        "section", "rich_text", "context", "divider", "section", "context",
    ]  # fmt: skip
    assert view["blocks"][1]["elements"][0]["elements"][0]["text"] == "Keep it."


def test_without_sources_it_says_so() -> None:
    """A modal without passages has a line instead."""
    assert EN.no_sources in shown(sources_modal((), EN))


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_titles_of_all_languages_fit(language: str) -> None:
    """A modal's title has at most 24 characters in every language."""
    words = texts(language)
    for view in (
        sources_modal((passage(),), words),
        comment_modal("a", words),
        notice_modal("t", "l", words),
    ):
        assert view_problems(view) == []
        assert "…" not in view["title"]["text"]


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from([1, 60, 300]))
def test_nothing_breaks_a_limit(text: str, times: int) -> None:
    """Whatever the names, questions and errors are, Slack takes the view."""
    long = text * times or "x"
    view = HomeView(
        sources=(source(long, location=long, error=long),) * 3,
        suggested=(long,),
        recent=(long,),
        admin=True,
        settings=((long, long),),
    )
    assert view_problems(home_view(view, EN, now=NOW)) == []
    assert view_problems(sources_modal((passage(title=long, quote=long, source=long),), EN)) == []
    field = Field(name="a", label=long, value=long, hint=long)
    assert view_problems(form_modal(Form(title=long, fields=(field,), action="save", note=long), EN)) == []


@pytest.mark.trust
@needs_output
def test_no_construct_is_live_in_a_view() -> None:
    """Promise P22: names, questions, errors, quotations and labels are dead text."""
    for evil in constructs():
        view = HomeView(
            sources=(source(evil, type=evil, location="", error=evil),),
            suggested=(evil,),
            recent=(evil,),
            admin=True,
            settings=((evil, evil),),
        )
        poisoned = passage(title=evil, heading=evil, quote=evil, source=evil, document=evil)
        field = Field(name="a", label=evil, value=evil, hint=evil)
        views = [
            home_view(view, EN, now=NOW),
            sources_modal((poisoned,), EN),
            form_modal(Form(title=evil, fields=(field,), action="add", note=evil), EN),
            confirm_modal(Confirm(title=evil, text=evil, label=evil, command="x"), EN),
            notice_modal(evil, evil, EN),
        ]
        assert live(views, allowed={SITE}) == [], evil
