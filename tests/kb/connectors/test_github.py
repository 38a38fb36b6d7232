"""The connector to GitHub, against a server that speaks its API."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kb.connectors.github import GithubConnector
from kb.connectors.repository_api import Pace
from kb.documents import DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.fetch import Fetched, Fetcher
from kb.sources import GithubSource
from tests.emulators.github import FULL_NAME, TOKEN, GithubEmulator
from tests.emulators.repository_host import Recorded, Refusal
from tests.kb.connectors.repositories import NOON, Bench, fill, listed
from tests.kb.connectors.repository import Repository

DAY = 86_400.0


class GithubBench(Bench[GithubEmulator]):
    def __init__(self, host: GithubEmulator, folder: Path) -> None:
        super().__init__(host, folder)
        self.slept: list[float] = []
        self.wiki = str(folder / "wiki")

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def connector(self, *parts: str, max_bytes: int = 1 << 20, **settings: Any) -> GithubConnector:  # noqa: ANN401 - fields of the settings
        return GithubConnector(
            GithubSource.model_validate({"name": "hub", **self.given(FULL_NAME, parts, settings)}),
            self.resources(max_bytes),
            pace=Pace(sleep=self.sleep, now=lambda: self.now),
            wiki=self.wiki,
        )


def ref(uri: str) -> DocumentRef:
    return DocumentRef(source="hub", uri=uri, version="")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[GithubBench]:
    made = GithubBench(GithubEmulator(), tmp_path)
    async with made.running():
        yield made


# What a document is


async def test_an_issue_is_one_document(bench: GithubBench) -> None:
    """An issue's document has title, state, labels, author, text and the comments in order."""
    issue = bench.host.open_issue(
        "Door  is\nstuck", "It does not open.\r\n\r\nAt all.", labels=["bug", "door"]
    )
    bench.host.comment(issue, "Oil it.")
    bench.host.comment(issue, "Done.", author=None)
    bench.host.edit(issue, state="closed")
    connector = bench.connector("issues")
    refs = await listed(connector)
    content = await connector.fetch(refs["issues/1"])
    assert content.data.decode() == (
        "# Door is stuck\n\n"
        "Issue #1, closed, labels: bug, door. By ada on 2024-03-01.\n\n"
        "It does not open.\n\nAt all.\n\n"
        "## Comment by bob on 2024-03-01\n\nOil it.\n\n"
        "## Comment by a deleted account on 2024-03-01\n\nDone.\n"
    )
    assert content.media_type == "text/markdown"
    assert content.updated == issue.updated
    assert content.url == refs["issues/1"].url == f"https://github.com/{FULL_NAME}/issues/1"


async def test_pulls_are_read_when_asked_for(bench: GithubBench) -> None:
    """Pull requests are documents of their own part, with comments and review comments by time."""
    bench.host.open_issue("An issue")
    pull = bench.host.open_issue("Add oil", None, pull=True)
    bench.host.comment(pull, "Which?", review=True)
    bench.host.comment(pull, "Merged.")
    bench.host.edit(pull, state="closed", merged=bench.host.now)
    assert set(await bench.listed("issues")) == {"issues/1"}
    assert set(await bench.listed("issues", "pulls")) == {"issues/1", "pulls/2"}
    text = await bench.text("pulls/2", "pulls")
    assert text.startswith("# Add oil\n\nPull request #2, merged. By ada on")
    assert text.index("## Review comment by bob") < text.index("## Comment by bob")


async def test_a_discussion_is_one_document(bench: GithubBench) -> None:
    """A discussion's document has its comments with their replies, the answer marked, however many."""
    bench.host.has_discussions = True
    talk = bench.host.discuss("How to oil?", "The door.")
    for number in range(120):
        bench.host.comment(talk, f"comment {number}.")
    talk.comments[3].answer = True
    for number in range(160):
        bench.host.reply(talk.comments[3], f"reply {number}.")
    text = await bench.text(f"discussions/{talk.number}", "discussions")
    assert text.startswith("# How to oil?\n\nDiscussion #1, in Q&A. By ada on 2024-03-01.\n\nThe door.\n\n##")
    assert [f"comment {number}." in text for number in range(120)] == [True] * 120
    assert [f"reply {number}." in text for number in range(160)] == [True] * 160
    assert (
        "## Answer by bob on 2024-03-01\n\ncomment 3.\n\n### Reply by cleo on 2024-03-01\n\nreply 0." in text
    )


async def test_releases(bench: GithubBench) -> None:
    """A release is a document under its tag; a draft is none."""
    bench.host.release("v1.0", "First.", name="One")
    bench.host.release("cli/v2", "Second.")
    bench.host.release("v3", "Not yet.", draft=True)
    connector = bench.connector("releases")
    refs = await listed(connector)
    assert set(refs) == {"releases/v1.0", "releases/cli/v2"}
    text = (await connector.fetch(refs["releases/cli/v2"])).data.decode()
    assert text.startswith("# cli/v2\n\nRelease cli/v2. By ada on 2024-03-01.\n\nSecond.")
    assert (await bench.connector("releases").fetch(ref("releases/v1.0"))).data.startswith(b"# One\n")
    with pytest.raises(DocumentVanished):
        await bench.connector("releases").fetch(ref("releases/v3"))


async def test_the_wiki_is_read_from_its_repository(bench: GithubBench) -> None:
    """Each page of the wiki is a document with a title and its page's address; side bars are none."""
    bench.host.has_wiki = True
    pages = {
        "Home.md": b"Welcome.",
        "How-To-Oil.md": b"# Oiling\n\nSlowly.",
        "guides/Setup.rst": b"Setup\n=====\n",
        "_Sidebar.md": b"[Home](Home)",
        "oil.png": b"\x89PNG",
    }
    Repository(bench.folder / "wiki").write(pages)
    connector = bench.connector("wiki")
    refs = await listed(connector)
    assert {uri: found.url for uri, found in refs.items()} == {
        "wiki/Home": f"https://github.com/{FULL_NAME}/wiki/Home",
        "wiki/How-To-Oil": f"https://github.com/{FULL_NAME}/wiki/How-To-Oil",
        "wiki/guides/Setup.rst": f"https://github.com/{FULL_NAME}/wiki/Setup",
    }
    assert (await connector.fetch(refs["wiki/Home"])).data == b"# Home\n\nWelcome."
    assert (await connector.fetch(refs["wiki/How-To-Oil"])).data == pages["How-To-Oil.md"]
    assert (await connector.fetch(refs["wiki/guides/Setup.rst"])).data == pages["guides/Setup.rst"]


async def test_globs_choose_among_documents(bench: GithubBench) -> None:
    """`include` and `exclude` apply to uris."""
    bench.host.open_issue("One")
    bench.host.release("v1")
    bench.host.release("nightly")
    found = await bench.listed("issues", "releases", include=("releases/*",), exclude=("nightly",))
    assert set(found) == {"releases/v1"}
    with pytest.raises(DocumentVanished):
        await bench.connector("issues", "releases", exclude=("issues/",)).fetch(ref("issues/1"))
    with pytest.raises(SourceInvalid, match=r"^Source 'hub': include has '\[z-a\]', not a glob"):
        await bench.listed(include=("[z-a]",))


# What a run costs


async def test_a_quiet_run_asks_for_changes_alone(bench: GithubBench) -> None:
    """Where nothing changed, a run asks for one page a list, fetches nothing and remembers nothing new."""
    fill(bench.host, 350)
    before = await bench.listed("issues")
    kept = await bench.memory.recall()
    bench.host.requests.clear()
    bench.now += 1800
    assert await bench.listed("issues") == before
    assert [request.path.removeprefix(f"/repos/{FULL_NAME}") for request in bench.host.requests] == [
        "",
        "/issues",
        "/issues",
        "/issues/comments",
    ]
    assert await bench.memory.recall() == kept


async def test_a_change_costs_what_changed(bench: GithubBench) -> None:
    """After a change the next run has that issue alone in another version, without listing all."""
    fill(bench.host, 350)
    before = await bench.listed("issues")
    bench.host.edit(bench.host.issues[7], title="Renamed")
    bench.host.open_issue("New")
    bench.host.requests.clear()
    after = await bench.listed("issues")
    assert {uri for uri in after if after[uri] != before.get(uri)} == {"issues/7", "issues/351"}
    assert len(bench.host.requests) == 4


async def test_what_was_listed_is_not_asked_for_again(bench: GithubBench) -> None:
    """An issue without comments and a release cost no request besides the listing's."""
    bench.host.open_issue("Quiet")
    bench.host.comment(bench.host.open_issue("Loud"), "Hello.")
    bench.host.release("v1", "First.")
    connector = bench.connector("issues", "releases")
    refs = await listed(connector)
    bench.host.requests.clear()
    for each in refs.values():
        await connector.fetch(each)
    assert [request.path for request in bench.host.requests] == [f"/repos/{FULL_NAME}/issues/2/comments"]


async def test_a_full_disk_costs_requests_only(bench: GithubBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for the spool, what was listed is asked for again."""
    bench.host.open_issue("Quiet", "Shh.")

    def no_room(**_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kb.connectors.repository_spool.tempfile.TemporaryFile", no_room)
    assert "Shh." in await bench.text("issues/1", "issues")


async def test_an_edited_comment_shows(bench: GithubBench) -> None:
    """A comment's edit, which leaves its issue's time alone, gives the issue another version."""
    fill(bench.host)
    comment = bench.host.comment(bench.host.issues[5], "Wrong.")
    bench.host.now += timedelta(hours=1)
    before = await bench.listed("issues")
    bench.host.edit_comment(comment, "Right.")
    connector = bench.connector("issues")
    after = await listed(connector)
    assert {uri for uri in after if after[uri] != before[uri]} == {"issues/5"}
    assert "Right." in (await connector.fetch(after["issues/5"])).data.decode()


@pytest.mark.parametrize("count", [3, 130])
async def test_two_edits_in_a_second(bench: GithubBench, count: int) -> None:
    """An edit in the same second as the last listing's newest change is not missed."""
    fill(bench.host, count)
    issue, other = bench.host.issues[2], bench.host.issues[3]
    comment = bench.host.comment(other, "first")
    bench.host.edit(issue, body="first")
    bench.host.tick = timedelta()
    before = await bench.listed("issues")
    bench.host.edit(issue, body="second")
    bench.host.edit_comment(comment, "second")
    comment.updated = other.updated
    after = await bench.listed("issues")
    assert {uri for uri in after if after[uri] != before[uri]} == {"issues/2", "issues/3"}


async def test_a_deleted_issue_is_noticed_at_once(bench: GithubBench) -> None:
    """Counts tell that an issue is gone, though no list of changes does."""
    fill(bench.host)
    await bench.listed("issues")
    del bench.host.issues[9]
    bench.host.open_issue("Another", "in its place")
    assert set(await bench.listed("issues")) == {f"issues/{n}" for n in range(1, 132) if n != 9}


async def test_without_counts_a_day_passes(bench: GithubBench) -> None:
    """Where the server does not count, a deleted issue is noticed by the full listing of the next day."""
    bench.host.tells_last_page = False
    fill(bench.host)
    await bench.listed("issues")
    del bench.host.issues[9]
    assert "issues/9" in await bench.listed("issues")
    bench.now += DAY
    assert set(await bench.listed("issues")) == {f"issues/{n}" for n in range(1, 131) if n != 9}


async def test_an_issue_deleted_during_a_listing_costs_no_other(bench: GithubBench) -> None:
    """Pages that shift while they are read are read again, so that none is skipped."""
    fill(bench.host, 250)

    def script(request: Recorded) -> None:
        if request.query.get("page") == "2":
            bench.host.issues.pop(3, None)

    bench.host.script = script
    assert set(await bench.listed("issues")) == {f"issues/{n}" for n in range(1, 251) if n != 3}


async def test_discussions_are_followed_too(bench: GithubBench) -> None:
    """Of many discussions only those that changed are asked for."""
    bench.host.has_discussions = True
    bench.host.tick = timedelta(minutes=5)
    for number in range(220):
        bench.host.discuss(f"Talk {number}")
    before = await bench.listed("discussions")
    assert len(before) == 220
    bench.host.comment(bench.host.discussions[11], "Late.")
    bench.host.requests.clear()
    after = await bench.listed("discussions")
    assert {uri for uri in after if after[uri] != before[uri]} == {"discussions/11"}
    assert bench.host.asked("/graphql") == 2
    del bench.host.discussions[12]
    assert set(await bench.listed("discussions")) == before.keys() - {"discussions/12"}


@pytest.mark.parametrize("count", [1, 130])
async def test_late_replies_show(bench: GithubBench, count: int) -> None:
    """A new or edited reply gives its discussion another version, at the latest with a full listing."""
    bench.host.has_discussions = True
    for _ in range(count):
        talk = bench.host.discuss("Talk")
    comment = bench.host.comment(talk, "Hello.")
    tokens = [(await bench.listed("discussions"))[f"discussions/{talk.number}"].version]
    bench.host.reply(comment, "Late.")
    bench.now += DAY
    tokens.append((await bench.listed("discussions"))[f"discussions/{talk.number}"].version)
    bench.host.edit_comment(comment.replies[0], "Later.")
    bench.now += DAY
    tokens.append((await bench.listed("discussions"))[f"discussions/{talk.number}"].version)
    assert len(set(tokens)) == 3


async def test_another_repository_is_not_taken_for_the_first(bench: GithubBench) -> None:
    """What is remembered counts for the repository it was learnt of alone."""
    fill(bench.host)
    await bench.listed("issues")
    bench.host.issues = {1: bench.host.issues[1], **{n: bench.host.issues[n] for n in range(21, 131)}}
    bench.host.id += 1
    assert len(await bench.listed("issues")) == 111


async def test_damaged_memory_is_no_harm(bench: GithubBench) -> None:
    """Memory that cannot be understood is as none."""
    fill(bench.host)
    before = await bench.listed("issues")
    await bench.memory.keep({"issues": '{"cursor": 7}'})
    assert await bench.listed("issues") == before


# What goes wrong


async def test_a_page_that_fails_fails_the_listing(bench: GithubBench) -> None:
    """When one page of many fails nothing is listed and nothing remembered."""
    fill(bench.host, 250)
    bench.host.script = lambda request: Refusal(status=502) if request.query.get("page") == "2" else None
    with pytest.raises(SourceUnavailable, match=r"^Source 'hub': .*'octo/tools'.* status 502\. Sync again"):
        await bench.listed("issues")
    assert await bench.memory.recall() == {}
    bench.host.script = lambda _request: None
    assert len(await bench.listed("issues")) == 250


@pytest.mark.parametrize("body", ["<html>Log in</html>", "", "{}", '[{"number": "x"}]', "[[[["])
async def test_what_is_no_list_fails_the_listing(bench: GithubBench, body: str) -> None:
    """A login page or another shape where a list should be is an outage, not an empty repository."""
    fill(bench.host, 3)
    bench.host.script = lambda request: (
        Refusal(status=200, text=body, content_type="text/html") if "/issues" in request.path else None
    )
    with pytest.raises(SourceUnavailable, match=r"is not as documented\. Check base_url, and whether"):
        await bench.listed("issues")


async def test_a_page_that_names_itself_fails_the_listing(bench: GithubBench) -> None:
    """A list that goes round in a circle ends in an error."""
    fill(bench.host, 3)
    query = "per_page=100&state=all&sort=created&direction=asc"
    bench.host.script = lambda request: (
        Refusal(status=200, text="[]", headers={"Link": f'<{bench.host.address}/x?{query}>; rel="next"'})
        if request.query.get("sort") == "created"
        else None
    )
    with pytest.raises(SourceUnavailable, match="a page names itself as the next"):
        await bench.listed("issues")


async def test_a_link_does_not_lead_elsewhere(bench: GithubBench) -> None:
    """Of the link to a next page only the parameters are used: the token stays at its host."""
    fill(bench.host, 3)
    async with GithubEmulator().running() as other:
        bench.host.script = lambda request: (
            Refusal(status=200, text="[]", headers={"Link": f'<{other.address}/steal?page=2>; rel="next"'})
            if request.path.endswith("/issues") and "page" not in request.query
            else None
        )
        await bench.listed("issues")
        assert other.requests == []


async def test_a_long_limit_says_until_when(bench: GithubBench) -> None:
    """A used-up rate limit fails the run with the time from which another may go."""
    bench.host.open_issue("One")
    reset = str(int(NOON) + 1500)
    limited = Refusal(status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    bench.host.script = lambda _request: limited
    with pytest.raises(
        SourceUnavailable,
        match=r"rate limit is used up until 2027-01-15 08:25:01 UTC\. Sync again then\.$",
    ):
        await bench.listed()
    bench.token = None
    with pytest.raises(SourceUnavailable, match=r"then\. A token in GITHUB_TOKEN raises the limit\.$"):
        await bench.listed()
    assert bench.slept == []


async def test_short_pauses_are_kept(bench: GithubBench) -> None:
    """A pause of seconds is waited for; in all a run waits for a minute at most."""
    bench.host.open_issue("One")
    left = [Refusal(status=429, headers={"Retry-After": "20"})] * 2
    bench.host.script = lambda _request: left.pop() if left else None
    assert set(await bench.listed("issues")) == {"issues/1"}
    assert bench.slept == [20.0, 20.0]
    left += [Refusal(status=429, headers={"Retry-After": "20"})] * 4
    with pytest.raises(SourceUnavailable, match="rate limit"):
        await bench.listed("issues")
    assert bench.slept == [20.0] * 5


async def test_graphql_has_limits_of_its_own(bench: GithubBench) -> None:
    """A refusal for the rate limit with status 200 is one all the same."""
    bench.host.has_discussions = True
    text = json.dumps(
        {"data": None, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    )
    refusal = Refusal(
        status=200,
        text=text,
        headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOON) + 900)},
    )
    bench.host.script = lambda request: refusal if request.path == "/graphql" else None
    with pytest.raises(SourceUnavailable, match="rate limit is used up until"):
        await bench.listed("discussions")


async def test_a_partial_graphql_answer_is_none(bench: GithubBench) -> None:
    """An answer with errors fails the listing, though it holds some of the discussions."""
    bench.host.has_discussions = True
    bench.host.discuss("One")
    text = json.dumps(
        {
            "data": {"repository": {"discussions": {"totalCount": 0, "nodes": []}}},
            "errors": [{"type": "FORBIDDEN", "message": "Resource not\naccessible"}],
        }
    )
    bench.host.script = lambda request: Refusal(status=200, text=text) if request.path == "/graphql" else None
    with pytest.raises(SourceUnavailable, match=r"discussions \(Resource not accessible\)\. Check what"):
        await bench.listed("discussions")


async def test_a_refused_token_is_named_and_not_shown(bench: GithubBench) -> None:
    """The message names the variable of a token that has expired, never the token."""
    bench.token = "ghp_expired"
    with pytest.raises(SourceUnavailable, match="the token in GITHUB_TOKEN is not accepted") as raised:
        await bench.listed()
    assert "ghp_" not in f"{raised.value!r} {raised.value.__cause__!r}"


async def test_a_private_repository_needs_the_token(bench: GithubBench) -> None:
    """A repository that is not shown is an outage; with the token it is read."""
    bench.host.private = True
    bench.host.open_issue("Secret")
    assert set(await bench.listed("issues")) == {"issues/1"}
    bench.token = None
    with pytest.raises(SourceUnavailable, match=r"is not there, or not for this token\. Check location"):
        await bench.listed("issues")


async def test_discussions_need_a_token(bench: GithubBench, caplog: pytest.LogCaptureFixture) -> None:
    """Without a token discussions are left out with a warning, but only where nobody counts on them."""
    bench.host.has_discussions = True
    bench.host.open_issue("One")
    bench.host.discuss("Two")
    bench.token = None
    with caplog.at_level(logging.WARNING):
        assert set(await bench.listed()) == {"issues/1"}
    assert "discussions cannot be read: GitHub shows discussions to a token alone" in caplog.text
    with pytest.raises(SourceUnavailable, match="Put one into GITHUB_TOKEN, or leave discussions out"):
        await bench.listed("issues", "discussions")
    bench.token = TOKEN
    assert set(await bench.listed()) == {"issues/1", "discussions/2"}
    bench.token = None
    with pytest.raises(SourceUnavailable, match="discussions cannot be read"):
        await bench.listed()


class Probed(Fetcher):
    """Answers the question for a wiki with a status, and asks the server all else."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status

    async def fetch(self, url: str, **more: Any) -> Fetched:  # noqa: ANN401
        if url.endswith(".wiki.git/info/refs?service=git-upload-pack"):
            return Fetched(url=url, status=self.status, headers={}, body=b"")
        return await super().fetch(url, **more)


async def test_a_wiki_without_pages_is_left_out(bench: GithubBench, caplog: pytest.LogCaptureFixture) -> None:
    """A wiki that shows itself to nobody is left out unless it was asked for by name."""
    bench.host.has_wiki = True
    bench.host.open_issue("One")
    bench.fetcher, bench.wiki = Probed(404), "https://127.0.0.1:1/none.wiki.git"
    assert set(await bench.listed()) == {"issues/1"}
    assert "its wiki cannot be read: it has no page yet, or it needs a login" in caplog.text
    with pytest.raises(SourceUnavailable, match=r"~/\.netrc, or leave wiki out of parts\."):
        await bench.listed("wiki")
    bench.wiki = "http://127.0.0.1/none.wiki.git"
    with pytest.raises(SourceUnavailable, match="Leave wiki out of parts"):
        await bench.listed("wiki")


@pytest.mark.parametrize("status", [200, 502])
async def test_a_wiki_that_fails_is_an_outage(bench: GithubBench, status: int) -> None:
    """A wiki whose host fails, or that is there and cannot be cloned, fails the listing."""
    bench.host.has_wiki = True
    bench.fetcher, bench.wiki = Probed(status), "https://127.0.0.1:1/none.wiki.git"
    with pytest.raises(SourceUnavailable, match="its wiki"):
        await bench.listed()


async def test_a_wiki_that_was_read_is_missed(bench: GithubBench) -> None:
    """A wiki that was read before is not taken for one without pages."""
    bench.host.has_wiki = True
    Repository(bench.folder / "wiki").write({"Home.md": b"Welcome."})
    bench.fetcher = Probed(404)
    assert set(await bench.listed()) == {"wiki/Home"}
    bench.wiki = "https://127.0.0.1:1/none.wiki.git"
    with pytest.raises(SourceUnavailable, match="its wiki cannot be read"):
        await bench.listed()


async def test_a_transferred_issue_is_gone(bench: GithubBench) -> None:
    """An issue that moved to another repository is not read from there."""
    bench.host.open_issue("Moves")
    before = await bench.listed("issues")
    bench.host.issues[1].moved_to = "/repos/octo/elsewhere/issues/5"
    with pytest.raises(DocumentVanished, match=r"^'issues/1' of source 'hub' is not there any more\.$"):
        await bench.connector("issues").fetch(before["issues/1"])
    assert await bench.listed("issues") == {}


async def test_one_bad_issue_does_not_stop_the_rest(bench: GithubBench) -> None:
    """An issue over which the server fails is unreadable by itself."""
    bench.host.comment(bench.host.open_issue("Bad"), "x")
    connector = bench.connector("issues")
    refs = await listed(connector)
    bench.host.script = lambda request: Refusal(status=500) if "comments" in request.path else None
    with pytest.raises(DocumentUnreadable, match="the server fails over it") as raised:
        await connector.fetch(refs["issues/1"])
    assert raised.value.status == "unreadable"


async def test_a_large_document_is_refused(bench: GithubBench) -> None:
    """A document above the limit is unreadable with its size."""
    bench.host.open_issue("Big", "x" * 5000)
    with pytest.raises(DocumentUnreadable, match=r"is too large: 5,\d\d\d bytes, the limit is 1,000"):
        await bench.connector("issues", max_bytes=1000).fetch(ref("issues/1"))


async def test_issues_that_are_switched_off_are_none(bench: GithubBench) -> None:
    """A repository without issues lists none and asks for none."""
    bench.host.has_issues = False
    assert await bench.listed("issues") == {}
    assert bench.host.asked("/issues") == 0


async def test_a_private_host_is_refused(bench: GithubBench) -> None:
    """Without private_hosts an API on this machine is not asked."""
    with pytest.raises(SourceUnavailable, match=r"^Source 'hub': .* cannot be reached"):
        await bench.listed(private_hosts=False)
    assert bench.host.requests == []


@pytest.mark.parametrize("location", ["octo/tools", "github:octo/tools", " octo/tools/ ", "octo/tools.git"])
async def test_forms_of_a_location(bench: GithubBench, location: str) -> None:
    """A repository is named by owner and name, however they are written."""
    bench.host.open_issue("One")
    assert set(await bench.listed("issues", location=location)) == {"issues/1"}


async def test_a_web_address_is_a_location(bench: GithubBench) -> None:
    """The address of a page of the repository names it, on the API's own host."""
    bench.host.open_issue("One")
    address = bench.host.address
    assert set(await bench.listed("issues", location=f"{address}/octo/tools/issues")) == {"issues/1"}
    with pytest.raises(SourceInvalid, match=r"is not on '127\.0\.0\.1'\. Set base_url"):
        await bench.listed("issues", location="https://git.example.org/octo/tools")


@pytest.mark.parametrize(
    "location",
    [
        "octo",
        "octo/..",
        "octo/tools/x",
        "../tools",
        "a b/c",
        "octo/tools?x",
        "http://[/a/b",
        "ftp://h/a/b",
        "o/\n",
    ],
)
async def test_bad_locations(bench: GithubBench, location: str) -> None:
    """A location that names no repository is refused in one line, before anything is asked."""
    with pytest.raises(SourceInvalid) as raised:
        await bench.listed(location=location)
    assert "\n" not in str(raised.value)
    assert bench.host.requests == []


async def test_the_token_goes_with_every_request(bench: GithubBench) -> None:
    """Every request carries the token."""
    bench.host.has_discussions = True
    bench.host.open_issue("One")
    bench.host.discuss("Two")
    await bench.listed()
    sent = [{name.lower(): value for name, value in each.headers.items()} for each in bench.host.requests]
    assert {headers.get("authorization") for headers in sent} == {f"Bearer {TOKEN}"}


def test_enterprise_addresses() -> None:
    """The GraphQL API of a GitHub of one's own lies beside its REST API."""
    from kb.connectors.github import _graphql, _web_host

    assert _graphql("https://api.github.com") == "https://api.github.com/graphql"
    assert _graphql("https://git.corp/api/v3") == "https://git.corp/api/graphql"
    assert _web_host("https://api.github.com") == "github.com"
    assert _web_host("https://git.corp/api/v3") == "git.corp"
