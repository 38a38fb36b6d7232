"""The connector to GitLab, against a server that speaks its API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kb.connectors.gitlab import GitlabConnector
from kb.connectors.repository_api import Pace
from kb.documents import DocumentRef
from kb.errors import DocumentVanished, SourceInvalid, SourceUnavailable
from kb.sources import GitlabSource
from tests.emulators.gitlab import PATH, GitlabEmulator
from tests.emulators.repository_host import Recorded, Refusal
from tests.kb.connectors.repositories import NOON, Bench, fill, listed


class GitlabBench(Bench[GitlabEmulator]):
    def connector(self, *parts: str, **settings: Any) -> GitlabConnector:  # noqa: ANN401 - fields of the settings
        return GitlabConnector(
            GitlabSource.model_validate({"name": "lab", **self.given(PATH, parts, settings)}),
            self.resources(),
            pace=Pace(now=lambda: self.now, patience=0),
        )


def ref(uri: str) -> DocumentRef:
    return DocumentRef(source="lab", uri=uri, version="")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[GitlabBench]:
    made = GitlabBench(GitlabEmulator(), tmp_path)
    async with made.running():
        yield made


async def test_an_issue_is_one_document(bench: GitlabBench) -> None:
    """An issue's document has its notes in order, less those of the system and for members alone."""
    issue = bench.host.open_issue("Door is stuck", "It does not open.", labels=["bug"])
    bench.host.note(issue, "Oil it.")
    bench.host.note(issue, "added ~bug label", system=True)
    bench.host.note(issue, "The customer is Acme.", internal=True)
    bench.host.note(issue, "Done.")
    bench.host.edit(issue, state="closed")
    connector = bench.connector("issues")
    refs = await listed(connector)
    content = await connector.fetch(refs["issues/1"])
    assert content.data.decode() == (
        "# Door is stuck\n\n"
        "Issue #1, closed, labels: bug. By ada on 2024-03-01.\n\n"
        "It does not open.\n\n"
        "## Comment by bob on 2024-03-01\n\nOil it.\n\n"
        "## Comment by bob on 2024-03-01\n\nDone.\n"
    )
    assert content.updated == issue.updated
    assert content.url == refs["issues/1"].url == f"https://gitlab.com/{PATH}/-/issues/1"


async def test_parts(bench: GitlabBench) -> None:
    """Issues, merge requests, releases and wiki pages are documents with addresses of their own."""
    bench.host.open_issue("One")
    bench.host.open_issue("Two", merge=True)
    bench.host.release("v1.0", "First.", name="One")
    bench.host.page("guides/set-up", "Slowly.", title="Set up")
    bench.host.page("_sidebar", "[Set up](guides/set-up)")
    connector = bench.connector("issues", "pulls", "releases", "wiki")
    refs = await listed(connector)
    assert {uri: found.url for uri, found in refs.items()} == {
        "issues/1": f"https://gitlab.com/{PATH}/-/issues/1",
        "pulls/2": f"https://gitlab.com/{PATH}/-/merge_requests/2",
        "releases/v1.0": f"https://gitlab.com/{PATH}/-/releases/v1.0",
        "wiki/guides/set-up": f"https://gitlab.com/{PATH}/-/wikis/guides/set-up",
    }
    for one in (connector, bench.connector("issues", "pulls", "releases", "wiki")):
        texts = {uri: (await one.fetch(found)).data.decode() for uri, found in refs.items()}
        assert texts["pulls/2"].startswith("# Two\n\nMerge request !2, open. By ada")
        assert texts["releases/v1.0"].startswith("# One\n\nRelease v1.0. By ada on 2024-03-01.\n\nFirst.")
        assert texts["wiki/guides/set-up"] == "# Set up\n\nSlowly.\n"


@pytest.mark.parametrize(
    ("markup", "media_type", "text"),
    [
        ("markdown", "text/markdown", b"# Set up\n\nSlowly.\n"),
        ("asciidoc", "text/asciidoc", b"= Set up\n\nSlowly.\n"),
        ("org", "text/plain", b"Set up\n\nSlowly.\n"),
    ],
)
async def test_markups_of_the_wiki(bench: GitlabBench, markup: str, media_type: str, text: bytes) -> None:
    """A wiki page has its title in its own markup."""
    bench.host.page("set-up", " Slowly. ", title="Set up")
    bench.host.pages["set-up"]["format"] = markup
    content = await bench.connector("wiki").fetch(ref("wiki/set-up"))
    assert (content.media_type, content.data) == (media_type, text)


async def test_parts_that_are_switched_off_are_none(bench: GitlabBench) -> None:
    """A part that the project has switched off is not asked for."""
    bench.host.levels = dict.fromkeys(
        [f"{part}_access_level" for part in ("issues", "merge_requests", "wiki", "releases")], "disabled"
    )
    assert await bench.listed("issues", "pulls", "releases", "wiki") == {}
    assert len(bench.host.requests) == 1


@pytest.mark.parametrize("count", [3, 130])
async def test_what_becomes_confidential_is_gone(bench: GitlabBench, count: int) -> None:
    """A confidential issue is no document, from the run after it became one, and is not fetched."""
    fill(bench.host, count)
    bench.host.open_issue("Hidden from the start", confidential=True)
    before = await bench.listed("issues")
    assert len(before) == count
    bench.host.edit(bench.host.issues[2], confidential=True)
    connector = bench.connector("issues")
    assert set(await listed(connector)) == before.keys() - {"issues/2"}
    with pytest.raises(DocumentVanished):
        await connector.fetch(before["issues/2"])


async def test_a_quiet_run_asks_for_changes_alone(bench: GitlabBench) -> None:
    """Where nothing changed, a run asks for the project, the count and the latest changes."""
    fill(bench.host, 350)
    before = await bench.listed("issues")
    kept = await bench.memory.recall()
    bench.host.requests.clear()
    assert await bench.listed("issues") == before
    assert len(bench.host.requests) == 3
    assert await bench.memory.recall() == kept


async def test_a_change_costs_what_changed(bench: GitlabBench) -> None:
    """A new note gives its issue alone another version, and no full listing."""
    fill(bench.host, 350)
    before = await bench.listed("issues")
    bench.host.note(bench.host.issues[7], "Late.")
    bench.host.requests.clear()
    after = await bench.listed("issues")
    assert {uri for uri in after if after[uri] != before[uri]} == {"issues/7"}
    assert len(bench.host.requests) == 3


@pytest.mark.parametrize("counts", [True, False])
async def test_a_deleted_issue_is_noticed(bench: GitlabBench, counts: bool) -> None:
    """A deleted issue is noticed at once where the server counts, else within a day."""
    bench.host.counts = counts
    fill(bench.host)
    await bench.listed("issues")
    del bench.host.issues[9]
    assert ("issues/9" in await bench.listed("issues")) != counts
    bench.now += 86_400
    assert set(await bench.listed("issues")) == {f"issues/{n}" for n in range(1, 131) if n != 9}


async def test_a_page_that_fails_fails_the_listing(bench: GitlabBench) -> None:
    """When one page of many fails nothing is listed and nothing remembered."""
    fill(bench.host, 250)
    bench.host.script = lambda request: Refusal(status=503) if request.query.get("page") == "3" else None
    with pytest.raises(SourceUnavailable, match=r"^Source 'lab': the project 'tools/deep/box'.* 503"):
        await bench.listed("issues")
    assert await bench.memory.recall() == {}


async def test_one_part_that_fails_fails_the_listing(bench: GitlabBench) -> None:
    """A wiki that cannot be listed fails the run: its pages are not taken for deleted."""
    bench.host.page("home", "Welcome.")
    assert set(await bench.listed()) == {"wiki/home"}

    def script(request: Recorded) -> Refusal | None:
        return Refusal(status=404) if request.path.endswith("/wikis") else None

    bench.host.script = script
    with pytest.raises(SourceUnavailable, match=r"the list of its wiki is not there\."):
        await bench.listed()


async def test_a_long_limit_says_until_when(bench: GitlabBench) -> None:
    """GitLab's limits fail the run with the time from which another may go."""
    headers = {"RateLimit-Remaining": "0", "RateLimit-Reset": str(int(NOON) + 1500)}
    bench.host.script = lambda _request: Refusal(status=429, headers=headers)
    with pytest.raises(SourceUnavailable, match="used up until 2027-01-15 08:25:01 UTC"):
        await bench.listed()


async def test_a_private_project_needs_the_token(bench: GitlabBench) -> None:
    """A project that is not shown is an outage, and a refused token is named but not shown."""
    bench.host.private = True
    assert await bench.listed("issues") == {}
    bench.token = None
    with pytest.raises(SourceUnavailable, match="Check location and GITLAB_TOKEN"):
        await bench.listed("issues")
    bench.token = "glpat-expired"
    with pytest.raises(SourceUnavailable, match="the token in GITLAB_TOKEN is not accepted") as raised:
        await bench.listed("issues")
    assert "glpat" not in str(raised.value)


@pytest.mark.parametrize("location", [PATH, f"gitlab:{PATH}", f"/{PATH}.git", f"{PATH}/-/issues"])
async def test_forms_of_a_location(bench: GitlabBench, location: str) -> None:
    """A project is named by its groups and name, however they are written."""
    bench.host.open_issue("One")
    assert set(await bench.listed("issues", location=location)) == {"issues/1"}


async def test_a_web_address_is_a_location(bench: GitlabBench) -> None:
    """The address of a page of the project names it, and the API's address serves as base_url."""
    bench.host.open_issue("One")
    location = f"{bench.host.address}/{PATH}/-/issues"
    assert set(await bench.listed("issues", location=location)) == {"issues/1"}
    base = f"{bench.host.address}/api/v4/"
    assert set(await bench.listed("issues", base_url=base)) == {"issues/1"}


@pytest.mark.parametrize(
    "location", ["tools", "../x", "a/../b", "a/b?c", "a//b", "https://other.example/a/b"]
)
async def test_bad_locations(bench: GitlabBench, location: str) -> None:
    """A location that names no project of the server is refused before anything is asked."""
    with pytest.raises(SourceInvalid, match=r"^Source 'lab': "):
        await bench.listed(location=location)
    assert bench.host.requests == []


async def test_documents_of_parts_not_in_use_are_gone(bench: GitlabBench) -> None:
    """A part that is taken out of the settings is neither listed nor fetched, and forgotten."""
    bench.host.open_issue("One")
    bench.host.page("home", "Welcome.")
    assert set(await bench.listed()) == {"issues/1", "wiki/home"}
    assert set(await bench.listed("wiki")) == {"wiki/home"}
    assert "issues" not in await bench.memory.recall()
    with pytest.raises(DocumentVanished):
        await bench.connector("wiki").fetch(ref("issues/1"))
