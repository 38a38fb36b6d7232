"""The commands of a chat, over real folders, a real store and real syncs."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import CommandError
from bot.forms import FieldError
from kb.documents import Audience
from kb.errors import FetchFailed, SourceInvalid, SourceUnavailable, StoreError
from kb.leases import Leases
from kb.sources import FolderSource, SlackHistorySource
from tests.bot.knowledge import ADMIN, CLOSED, GUEST, OPEN, OPERATOR, Knowledge, open_knowledge


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[Knowledge]:
    async with AsyncExitStack() as stack:
        yield await open_knowledge(stack, tmp_path)


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nFifteen days.")
    return folder


@pytest.fixture
async def limited(base: Knowledge, handbook: Path) -> Knowledge:
    """One source for everyone and one for the board alone."""
    await base.last(f"add {handbook}")
    board = handbook.parent / "board"
    board.mkdir()
    (board / "bonus.md").write_text("# Bonus\n\nTwelve percent.")
    await base.last(f"add {board} for board")
    return base


async def test_a_source_is_added_synced_and_listed(base: Knowledge, handbook: Path) -> None:
    """Adding says that it began, how it goes, and what came of it; then it is listed."""
    told = await base.told(f"add {handbook} every 2h as rules")
    assert told[0].text == "Added **rules**. Its first sync has begun."
    assert "rules: 1 added in" in told[-1].text
    assert not told[-1].failed
    assert await base.texts("rules", "leave.md") == ["Fifteen days."]
    listed = (await base.last("list")).text
    assert listed.startswith("- **rules** (folder): 1 document · last synced just now · next sync in ")


async def test_nothing_is_listed_at_first(base: Knowledge) -> None:
    """An empty base says how to fill it."""
    assert (await base.last("list")).text == "There are no sources yet. Add one: `/kb add LOCATION`"
    assert (await base.last("sync")).text == "There are no sources yet. Add one: `/kb add LOCATION`"


async def test_add_alone_gives_the_form(base: Knowledge) -> None:
    """Without a location the fields are asked for; a sent form adds and syncs."""
    told = await base.last("add")
    assert told.form is not None
    assert [field.name for field in told.form.fields] == ["location", "name", "every", "audience"]


async def test_a_form_that_is_sent_back_adds(base: Knowledge, handbook: Path) -> None:
    """What a form holds is added, and synced without anybody waiting for it."""
    values = {"location": str(handbook), "name": "rules", "every": "1d", "audience": "staff board"}
    told = await base.chat.submit("add", values, OPERATOR, OPEN)
    assert told.text == "Added **rules**. Its first sync has begun."
    [source] = await base.commands.sources()
    assert (source.every, source.audience) == ("1d", ("staff", "board"))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"location": " "}, "location"),
        ({"location": "ftp://x/y"}, "location"),
        ({"location": "https://a.example/", "name": "not a name"}, "name"),
        ({"location": "https://a.example/", "every": "often"}, "every"),
    ],
)
async def test_a_wrong_field_is_marked(base: Knowledge, values: dict[str, str], field: str) -> None:
    """What is wrong in a form names its field."""
    with pytest.raises(FieldError) as caught:
        await base.chat.submit("add", values, OPERATOR, OPEN)
    assert caught.value.field == field
    assert isinstance(caught.value, CommandError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["add https://a.example/", "add", "sync", "remove x", "remove x --yes", "pause x"]
)
async def test_others_may_only_look(base: Knowledge, text: str) -> None:
    """Whoever may not change things gets one line that names who may."""
    told = await base.told(text, GUEST)
    assert [one.text for one in told] == [
        "You may not change what I know; admins, and those whom the settings name ([slack] admins and "
        "admin_groups), may."
    ]
    assert told[0].failed


async def test_a_form_does_not_lend_rights(base: Knowledge) -> None:
    """A form that is sent back by someone who may not is refused as a typed command is."""
    told = await base.chat.submit("add", {"location": "https://a.example/"}, GUEST, OPEN)
    assert told.failed
    saved = await base.chat.submit("save", {"title": "T", "text": "x"}, GUEST, OPEN)
    assert saved.failed
    assert await base.commands.sources() == []


async def test_the_machine_is_for_those_the_settings_name(base: Knowledge, handbook: Path) -> None:
    """An admin of the platform is no operator: folders and keys of the machine are not theirs to open."""
    for location in (str(handbook), f"file://{handbook}", "/nowhere", "s3://bucket/x", "u@h.example:a/b.git"):
        told = await base.last(f"add {location}", ADMIN)
        assert told.failed
        assert "is read with the rights of the machine I run on" in told.text
    assert await base.commands.sources() == []


async def test_the_bots_own_data_is_no_source(base: Knowledge) -> None:
    """What few may see must not be read in again for everyone."""
    (base.data / "curated").mkdir()
    told = await base.last(f"add {base.data / 'curated'}")
    assert told.failed
    assert "is in my own data folder" in told.text


async def test_a_channels_history_is_not_widened(base: Knowledge) -> None:
    """A chat channel's threads are for its members, whatever an admin writes."""
    told = await base.last("add slack://C123 for everybody", ADMIN)
    assert told.text == "A channel's history is seen by its members alone. Leave `for` out."
    assert told.failed


async def test_a_name_is_taken_once(limited: Knowledge, handbook: Path) -> None:
    """A second source of the same name is refused with what to write."""
    told = await limited.last(f"add {handbook}")
    assert told.text == (
        "There is a source 'handbook' already. Give this one another name: `/kb add … as NAME`."
    )


async def test_sources_that_one_may_not_see_are_not_there(limited: Knowledge) -> None:
    """Neither lists, nor details, nor names on offer tell others of a limited source."""
    for text in ("list", "status", "show board", "show bord"):
        assert "board" not in (await limited.last(text, GUEST)).text.replace("'board'", "")
    unknown = (await limited.last("show board", GUEST)).text
    missing = (await limited.last("show other", GUEST)).text
    assert unknown.replace("board", "other") == missing
    assert await limited.chat.source_names("", GUEST, OPEN) == ["handbook"]
    assert await limited.chat.source_names("") == ["handbook"]


async def test_a_member_sees_what_their_tags_open(limited: Knowledge) -> None:
    """Tags that the platform tells, and those of groups and places, open a limited source."""
    board = Audience(frozenset({"board"}))
    told = [one async for one in limited.chat.run("list", GUEST, OPEN, audience=board)]
    assert "**board**" in told[-1].text
    assert await limited.chat.source_names("b", GUEST, OPEN, audience=board) == ["board", "handbook"]
    assert await limited.chat.source_names("bo", GUEST, OPEN, audience=board) == ["board", "handbook"]
    assert await limited.chat.source_names("zz", GUEST, OPEN, audience=board) == []
    folder = limited.data.parent / "here"
    folder.mkdir()
    await limited.commands.add(str(folder), kind=None, options={"audience": ("slack:C2", "slack:group:G9")})
    assert "**here**" in (await limited.last("list", GUEST, CLOSED)).text
    assert "**here**" in (await limited.last("list", replace(GUEST, groups=frozenset({"G9"})))).text
    assert "**here**" not in (await limited.last("list", GUEST, OPEN)).text


async def test_an_admin_sees_sources_but_not_what_is_in_them(limited: Knowledge) -> None:
    """Whoever manages a limited source sees how it stands; names of its documents need its tags."""
    (limited.data.parent / "board" / "secret-plan.md").write_text("")
    await limited.last("sync board")
    shown = (await limited.last("show board")).text
    assert "**board** (folder)" in shown
    assert "secret-plan" not in shown
    (limited.data.parent / "handbook" / "empty.md").write_text("")
    await limited.last("sync handbook")
    assert "empty.md: empty" in (await limited.last("show handbook")).text


async def test_how_a_source_stands_is_told_in_the_readers_language(
    limited: Knowledge, handbook: Path
) -> None:
    """Its type, how its runs ended and why a document gave no text are words of every language."""
    (handbook / "empty.md").write_text("")
    await limited.last("sync handbook")
    german = (await limited.last("show handbook", language="de")).text
    assert "**handbook** (Ordner)" in german
    assert "gerade eben: gelungen, 1 neu" in german
    assert "empty.md: leer" in german
    french = (await limited.last("show handbook", language="fr")).text
    assert f"Emplacement\u00a0: {handbook}\n" in french
    assert "Dernières synchros\u00a0:\n- à l’instant\u00a0: réussie, 1 ajouté" in french
    assert "empty.md\u00a0: vide" in french
    shutil.rmtree(handbook)
    synced = await limited.last("sync handbook", language="de")
    assert synced.text.startswith("handbook: misslungen: Source 'handbook'")
    failed = (await limited.last("show handbook", language="de")).text
    assert "gerade eben: misslungen: Source 'handbook'" in failed


async def test_paths_of_the_machine_are_for_admins(limited: Knowledge, handbook: Path) -> None:
    """Where a folder lies is shown to those who manage it alone."""
    assert str(handbook) in (await limited.last("show handbook")).text
    assert str(handbook.parent) not in (await limited.last("show handbook", GUEST)).text


async def test_removal_is_confirmed_first(limited: Knowledge) -> None:
    """Removing asks, with the command that does it; after that the documents are gone."""
    asked = await limited.last("remove handbook")
    assert asked.confirm is not None
    assert asked.confirm.command == "remove handbook --yes"
    assert "1 document, 1 passage" in asked.confirm.text
    assert await limited.texts("handbook", "leave.md")
    told = await limited.last(asked.confirm.command)
    assert told.text == "Removed **handbook**, and with it 1 document, 1 passage."
    assert await limited.texts("handbook", "leave.md") == []


async def test_a_source_of_the_settings_stays(tmp_path: Path, handbook: Path) -> None:
    """What the settings file defines is not removed by a command, nor asked about."""
    async with AsyncExitStack() as stack:
        base = await open_knowledge(stack, tmp_path, [FolderSource(name="fixed", location=str(handbook))])
        told = await base.last("remove fixed")
        assert told.failed
        assert told.confirm is None
        assert "is defined in the settings file" in told.text
        german = await base.last("remove fixed", language="de")
        assert german.text.startswith("Die Quelle 'fixed' steht in der Einstellungsdatei.")


async def test_what_cannot_be_typed_is_said_in_the_readers_language(base: Knowledge, handbook: Path) -> None:
    """A name or an interval that can be none is refused alike when it is typed and when a form holds it."""
    bad = {"every": "'often' ne dit pas à quelle fréquence.", "name": "'no name' ne peut pas être le nom"}
    for keyword, field, value in (("every", "every", "often"), ("as", "name", '"no name"')):
        told = await base.last(f"add {handbook} {keyword} {value}", language="fr")
        values = {"location": str(handbook), field: value.strip('"')}
        with pytest.raises(FieldError) as caught:
            await base.chat.submit("add", values, OPERATOR, OPEN, language="fr")
        assert caught.value.field == field
        assert str(caught.value) == told.text
        assert told.text.startswith(bad[field])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SourceInvalid("There is no 'x'."), "So kann diese Quelle nicht funktionieren."),
        (SourceUnavailable("There is no 'x'."), "Diese Quelle lässt sich gerade nicht lesen."),
        (FetchFailed("There is no 'x'."), "Diese Adresse lässt sich nicht lesen."),
    ],
)
async def test_a_source_that_cannot_be_added_is_told(
    base: Knowledge, handbook: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    """The reader's language says what is wrong, and what said so says where."""

    async def lists(_: object) -> bool:
        raise error

    monkeypatch.setattr(base.commands, "lists", lists)
    told = (await base.last(f"add {handbook}", language="de")).text
    assert told == f"{line} There is no 'x'."
    with pytest.raises(FieldError) as caught:
        await base.chat.submit("add", {"location": str(handbook)}, OPERATOR, OPEN, language="de")
    assert (str(caught.value), caught.value.field) == (told, "location")


async def test_a_database_that_fails_is_told(base: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may change things reads what the database said; others read one line and where the log has it."""

    async def fails() -> None:
        raise StoreError("The database '/srv/secret' is locked. Try again.")

    monkeypatch.setattr(base.manifest, "states", fails)
    assert (await base.last("list")).text == "The database '/srv/secret' is locked. Try again."
    told = (await base.last("list", language="es")).text
    assert told.startswith("Ahora mismo no puedo acceder a mis datos.")
    assert told.endswith("The database '/srv/secret' is locked. Try again.")
    guests = await base.last("list", GUEST, language="es")
    assert guests.failed
    assert re.fullmatch(r"Ahora mismo no puedo .* minuto\. \(registro [0-9a-f]{8}\)", guests.text)


async def test_a_schedule_is_stopped_and_started(limited: Knowledge) -> None:
    """A paused source says so until it is resumed."""
    paused = await limited.last("pause handbook")
    assert paused.text == "handbook is paused; `/kb resume handbook` starts its schedule again."
    assert "· paused" in (await limited.last("list")).text
    assert (await limited.last("resume handbook")).text == "handbook is synced by schedule again."
    assert (await limited.last("resume handbook")).text == "handbook was not paused."


async def test_all_are_synced_and_a_failure_does_not_stop_the_rest(
    limited: Knowledge, handbook: Path
) -> None:
    """A sync of all says how each ended, the broken one with its reason."""
    (handbook.parent / "board" / "bonus.md").unlink()
    (handbook.parent / "board").rmdir()
    told = await limited.last("sync")
    assert told.failed
    assert "board: failed: Source 'board': the folder" in told.text
    assert "handbook: 1 unchanged in" in told.text
    status = (await limited.last("status")).text
    assert "**board**: last error: Source 'board': the folder" in status
    assert "Embedding: minilm. Answers: none." in status
    assert "error" not in (await limited.last("status", GUEST)).text


async def test_deletions_that_are_held_are_carried_out_on_demand(limited: Knowledge, handbook: Path) -> None:
    """A mass deletion waits; "allow deletes" does it."""
    for number in range(15):
        (handbook / f"{number}.md").write_text(f"Page {number}.")
    await limited.last("sync handbook")
    for number in range(15):
        (handbook / f"{number}.md").unlink()
    await limited.last("sync handbook")
    held = (await limited.last("sync handbook")).text
    assert "held back. If that is right: `/kb sync handbook allow deletes`" in held
    assert "deleted" in (await limited.last("sync handbook allow deletes")).text


async def test_a_sync_waits_for_the_one_under_way(
    limited: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another run holds the source it says so, and goes on as soon as that has ended."""
    monkeypatch.setattr("bot.chat_commands.PROGRESS_SECONDS", 0.01)
    monkeypatch.setattr("bot.chat_commands._WAIT_STEP", 0.05)
    told: list[str] = []
    async with AsyncExitStack() as lease:
        await lease.enter_async_context(Leases(limited.engine).hold("handbook"))
        async for one in limited.chat.run("sync handbook", OPERATOR, OPEN):
            told.append(one.text)
            if one.text == "handbook is being synced already; I wait for it…":
                await lease.aclose()
    assert "handbook is being synced already; I wait for it…" in told
    assert told[-1].startswith("handbook: 1 unchanged in")


async def test_a_sync_does_not_wait_for_ever(limited: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another run does not end, it says where to look."""
    monkeypatch.setattr("bot.chat_commands._WAIT", -1.0)
    async with Leases(limited.engine).hold("handbook"):
        told = await limited.last("sync handbook")
    assert told.failed
    assert "handbook is still being synced. Look at it with `/kb show handbook`." in told.text


async def test_a_source_held_since_a_rollback_says_how_to_free_it(limited: Knowledge) -> None:
    """A held source is not waited for."""
    [run, *_] = await limited.manifest.last_runs("handbook")
    await limited.schedules.hold("handbook", run.id)
    told = await limited.last("sync handbook")
    assert told.failed
    assert "`/kb resume handbook` lets it sync again." in told.text


async def test_help_names_who_may(base: Knowledge) -> None:
    """Help lists every command, in the reader's language."""
    told = (await base.last("help", GUEST)).text
    assert all(f"/kb {verb}" in told for verb in ("list", "show", "status", "add", "sync", "pause", "remove"))
    assert "Ansehen dürfen alle" in (await base.last("", GUEST, language="de-AT")).text


async def test_what_others_wrote_is_harmless(base: Knowledge) -> None:
    """A word that is thrown back pings nobody and links nowhere."""
    for text in ("<!channel>", "show <!here>", "@everyone", "add https://evil.example/?x <!channel>"):
        told = (await base.last(text)).text
        assert "<!channel>" not in told
        assert "<!here>" not in told
        assert "@everyone" not in told
        assert "https://evil" not in told


def test_what_a_channel_says_stays_its_own() -> None:
    """The sources of chat channels have their channel's tag when none is given."""
    assert SlackHistorySource(name="x", location="C9").seen_by == {"slack:C9"}
