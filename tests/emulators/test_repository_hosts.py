"""The emulators of GitHub and GitLab answer as the documented APIs do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from tests.emulators.github import FULL_NAME, TOKEN, GithubEmulator
from tests.emulators.gitlab import PATH, GitlabEmulator
from tests.emulators.gitlab import TOKEN as LAB_TOKEN
from tests.emulators.repository_host import Refusal

LOGIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def hub() -> AsyncIterator[GithubEmulator]:
    async with GithubEmulator().running() as host:
        yield host


@pytest.fixture
async def lab() -> AsyncIterator[GitlabEmulator]:
    async with GitlabEmulator().running() as host:
        yield host


async def get(address: str, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"{address}{path}", headers=headers)


async def test_github_pages(hub: GithubEmulator) -> None:
    """GitHub's lists hold thirty open issues a page, newest first, and link onwards."""
    for number in range(45):
        hub.open_issue(f"Issue {number}")
    hub.edit(hub.issues[45], state="closed")
    first = await get(hub.address, f"/repos/{FULL_NAME}/issues")
    assert [issue["number"] for issue in first.json()] == list(range(44, 14, -1))
    assert set(first.links) == {"next", "last"}
    rest = await get("", first.links["next"]["url"])
    assert [issue["number"] for issue in rest.json()] == list(range(14, 0, -1))
    assert set(rest.links) == {"first", "prev"}
    every = await get(hub.address, f"/repos/{FULL_NAME}/issues?state=all&per_page=1")
    assert every.links["last"]["url"].endswith("page=45")


async def test_github_filters_by_time(hub: GithubEmulator) -> None:
    """`since` is of the last change and includes its moment."""
    one, two = hub.open_issue("One"), hub.open_issue("Two")
    hub.now += timedelta(days=1)
    hub.comment(one, "Hello.")
    since = f"{one.updated:%Y-%m-%dT%H:%M:%SZ}"
    found = await get(hub.address, f"/repos/{FULL_NAME}/issues?since={since}")
    assert [(issue["number"], issue["comments"]) for issue in found.json()] == [(1, 1)]
    assert two.updated < one.updated


async def test_github_logins(hub: GithubEmulator) -> None:
    """A wrong token is refused; a private repository is not there without one; GraphQL always needs one."""
    wrong = await get(hub.address, f"/repos/{FULL_NAME}", Authorization="Bearer no")
    hub.private = True
    without = await get(hub.address, f"/repos/{FULL_NAME}")
    right = await get(hub.address, f"/repos/{FULL_NAME}", **LOGIN)
    assert (wrong.status_code, without.status_code, right.status_code) == (401, 404, 200)
    async with httpx.AsyncClient(trust_env=False) as client:
        graph = await client.post(f"{hub.address}/graphql", json={"query": "{x}", "variables": {}})
    assert graph.status_code == 401


async def test_github_graphql_answers_what_is_asked(hub: GithubEmulator) -> None:
    """GraphQL answers hold the fields of the query alone; a field that does not exist is an error."""
    hub.comment(hub.discuss("Talk", "Text."), "Hello.")
    known = "query($o: X, $n: X) { repository(owner: $o, name: $n) { discussion(number: 1) { title } } }"
    unknown = known.replace("title", "heading")
    unbounded = known.replace("title", "comments { nodes { body } }")
    variables = {"owner": "octo", "name": "tools", "o": "octo", "n": "tools"}
    answers = []
    async with httpx.AsyncClient(trust_env=False, headers=LOGIN) as client:
        for query in (known, unknown, unbounded):
            sent = {"query": query, "variables": variables}
            answers.append((await client.post(f"{hub.address}/graphql", json=sent)).json())
    assert answers[0] == {"data": {"repository": {"discussion": {"title": "Talk"}}}}
    assert ["errors" in answer for answer in answers] == [False, True, True]


async def test_a_script_refuses(hub: GithubEmulator) -> None:
    """A scripted refusal takes the place of the answer, and the request is recorded all the same."""
    hub.script = lambda _request: Refusal(status=418, headers={"X-A": "b"})
    answer = await get(hub.address, "/anything?a=b")
    assert (answer.status_code, answer.headers["x-a"]) == (418, "b")
    assert [(request.path, request.query) for request in hub.requests] == [("/anything", {"a": "b"})]


async def test_gitlab_projects_and_counts(lab: GitlabEmulator) -> None:
    """A project is found by its encoded path or id; lists hold twenty rows and tell the total."""
    for number in range(25):
        lab.open_issue(f"Issue {number}")
    named = await get(lab.address, f"/api/v4/projects/{quote(PATH, safe='')}")
    rows = await get(lab.address, f"/api/v4/projects/{named.json()['id']}/issues")
    assert (len(rows.json()), rows.headers["x-total"]) == (20, "25")
    assert rows.links["next"]["url"].endswith("page=2")
    assert (await get(lab.address, "/api/v4/projects/other%2Fone")).status_code == 404


async def test_gitlab_shows_confidential_issues_to_members(lab: GitlabEmulator) -> None:
    """Confidential issues and internal notes are in the answers to a token alone."""
    lab.open_issue("Secret", confidential=True)
    lab.note(lab.open_issue("Open"), "Psst.", internal=True)
    path = "/api/v4/projects/42/issues"
    login = {"Authorization": f"Bearer {LAB_TOKEN}"}
    assert [len((await get(lab.address, path, **who)).json()) for who in ({}, login)] == [1, 2]
    notes = [(await get(lab.address, f"{path}/2/notes", **who)).json() for who in ({}, login)]
    assert [len(each) for each in notes] == [0, 1]


async def test_gitlab_wiki_pages_hold_their_text_when_asked(lab: GitlabEmulator) -> None:
    """The list of wiki pages has their text only with with_content."""
    lab.page("a/b", "Text.")
    path = "/api/v4/projects/42/wikis"
    plain, full = [(await get(lab.address, f"{path}{end}")).json() for end in ("", "?with_content=1")]
    assert ("content" in plain[0], full[0]["content"]) == (False, "Text.")
    assert (await get(lab.address, f"{path}/a%2Fb")).json()["title"] == "a/b"
