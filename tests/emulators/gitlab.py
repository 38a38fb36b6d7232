"""A server that speaks the parts of GitLab's REST API that list and show a project's texts.

One project, `tools/deep/box`, addressed by its encoded path or its id 42.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.emulators.repository_host import Body, RepositoryHost, moment_of, page_of, zulu

PATH = "tools/deep/box"
ID = 42
TOKEN = "glpat-planted"


@dataclass(slots=True, kw_only=True)
class Note:
    id: int
    body: str
    author: str
    created: datetime
    system: bool = False
    internal: bool = False


@dataclass(slots=True, kw_only=True)
class Issue:
    iid: int
    title: str
    description: str | None
    created: datetime
    updated: datetime
    state: str = "opened"
    labels: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    confidential: bool = False


class GitlabEmulator(RepositoryHost):
    """The server; `token` is the one it knows. Confidential issues are shown to it alone."""

    def __init__(self) -> None:
        super().__init__()
        self.token = TOKEN
        self.private = False
        self.counts = True
        self.levels: dict[str, str] = {}
        self.issues: dict[int, Issue] = {}
        self.merge_requests: dict[int, Issue] = {}
        self.releases: dict[str, Body] = {}
        self.pages: dict[str, Body] = {}
        self._ids = 0

    # What a test changes

    def open_issue(
        self,
        title: str,
        description: str | None = "",
        *,
        merge: bool = False,
        **more: Any,  # noqa: ANN401 - fields of a dataclass
    ) -> Issue:
        """Open an issue, or a merge request."""
        kept = self.merge_requests if merge else self.issues
        self._ids += 1
        when = self.moment()
        issue = Issue(iid=self._ids, title=title, description=description, created=when, updated=when, **more)
        kept[issue.iid] = issue
        return issue

    def edit(
        self,
        issue: Issue,
        **changes: Any,  # noqa: ANN401 - fields of a dataclass
    ) -> None:
        """Change fields of an issue."""
        issue.updated = self.moment()
        for name, value in changes.items():
            setattr(issue, name, value)

    def note(
        self,
        issue: Issue,
        body: str,
        **more: Any,  # noqa: ANN401 - fields of a dataclass
    ) -> Note:
        """Add a note."""
        issue.updated = when = self.moment()
        self._ids += 1
        note = Note(id=self._ids, body=body, author="bob", created=when, **more)
        issue.notes.append(note)
        return note

    def release(self, tag: str, description: str, *, name: str | None = None) -> None:
        """Publish a release, or change it."""
        when = zulu(self.moment(), milliseconds=True)
        self.releases[tag] = {
            "tag_name": tag,
            "name": name or tag,
            "description": description,
            "created_at": when,
            "released_at": when,
            "upcoming_release": False,
            "author": _user("ada"),
        }

    def page(self, slug: str, content: str, *, title: str | None = None) -> None:
        """Write a wiki page."""
        self.pages[slug] = {
            "slug": slug,
            "title": title or slug,
            "content": content,
            "format": "markdown",
            "encoding": "UTF-8",
        }

    # The API

    def routes(self, app: web.Application) -> None:
        """Add the API's routes. Ids with encoded slashes are matched undecoded."""
        app.router.add_get(r"/api/v4/projects/{rest:.+}", self._dispatch)

    async def _dispatch(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization")
        if given is not None and given != f"Bearer {self.token}":
            return _message(401, "401 Unauthorized")
        project, *rest = request.rel_url.raw_path.removeprefix("/api/v4/projects/").split("/")
        if unquote(project) not in {PATH, str(ID)} or (self.private and given is None):
            return _message(404, "404 Project Not Found")
        handlers: dict[str, Callable[[web.Request, list[str]], web.Response]] = {
            "issues": self._threads(self.issues, given is not None),
            "merge_requests": self._threads(self.merge_requests, given is not None),
            "releases": self._releases,
            "wikis": self._wikis,
        }
        if not rest:
            return web.json_response(self._project())
        if rest[0] not in handlers:
            return _message(404, "404 Not Found")
        return handlers[rest[0]](request, [unquote(segment) for segment in rest[1:]])

    def _project(self) -> Body:
        return {
            "id": ID,
            "path_with_namespace": PATH,
            "web_url": f"https://gitlab.com/{PATH}",
            "default_branch": "main",
            "issues_access_level": "enabled",
            "merge_requests_access_level": "enabled",
            "wiki_access_level": "enabled",
            "releases_access_level": "enabled",
            **self.levels,
        }

    def _threads(
        self, kept: dict[int, Issue], member: bool
    ) -> Callable[[web.Request, list[str]], web.Response]:
        visible = {iid: issue for iid, issue in kept.items() if member or not issue.confidential}

        def handle(request: web.Request, rest: list[str]) -> web.Response:
            if not rest:
                return self._list(request, visible)
            issue = visible.get(int(rest[0])) if rest[0].isdigit() else None
            if issue is None or rest[1:] not in ([], ["notes"]):
                return _message(404, "404 Not found")
            if len(rest) == 1:
                return web.json_response(_issue_json(issue))
            notes = [
                _note_json(note) for note in issue.notes if member or not note.internal
            ]  # oldest first: only that order is asked for
            if request.query.get("sort") != "asc":
                notes.reverse()
            return self._page(request, notes)

        return handle

    def _list(self, request: web.Request, visible: dict[int, Issue]) -> web.Response:
        query = request.query
        found = list(visible.values())
        if query.get("state", "all") != "all":
            found = [issue for issue in found if issue.state == query["state"]]
        if "updated_after" in query:
            since = moment_of(query["updated_after"])
            found = [issue for issue in found if issue.updated >= since]
        by_change = query.get("order_by", "created_at") == "updated_at"
        found.sort(
            key=lambda issue: (issue.updated if by_change else issue.created, issue.iid),
            reverse=query.get("sort", "desc") == "desc",
        )
        return self._page(request, [_issue_json(issue) for issue in found])

    def _releases(self, request: web.Request, rest: list[str]) -> web.Response:
        if rest:
            found = self.releases.get(rest[0]) if len(rest) == 1 else None
            return web.json_response(found) if found else _message(404, "404 Not Found")
        return self._page(request, list(self.releases.values()))

    def _wikis(self, request: web.Request, rest: list[str]) -> web.Response:
        if rest:
            found = self.pages.get(rest[0]) if len(rest) == 1 else None
            return web.json_response(found) if found else _message(404, "404 Wiki Page Not Found")
        hidden = set() if request.query.get("with_content") in {"1", "true"} else {"content", "encoding"}
        return web.json_response(
            [{key: value for key, value in page.items() if key not in hidden} for page in self.pages.values()]
        )

    def _page(self, request: web.Request, rows: list[Body]) -> web.Response:
        page, headers = page_of(request, rows, default=20)
        told = {"X-Total": str(len(rows))} if self.counts else {}
        return web.json_response(page, headers={**headers, **told})


def _message(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


def _user(name: str) -> Body:
    return {"id": 1, "username": name, "name": name.title(), "state": "active"}


def _issue_json(issue: Issue) -> Body:
    return {
        "id": 9000 + issue.iid,
        "iid": issue.iid,
        "project_id": ID,
        "title": issue.title,
        "description": issue.description,
        "state": issue.state,
        "labels": issue.labels,
        "author": _user("ada"),
        "user_notes_count": sum(not note.system for note in issue.notes),
        "confidential": issue.confidential,
        "created_at": zulu(issue.created, milliseconds=True),
        "updated_at": zulu(issue.updated, milliseconds=True),
        "web_url": f"https://gitlab.com/{PATH}/-/issues/{issue.iid}",
    }


def _note_json(note: Note) -> Body:
    return {
        "id": note.id,
        "body": note.body,
        "author": _user(note.author),
        "created_at": zulu(note.created, milliseconds=True),
        "updated_at": zulu(note.created, milliseconds=True),
        "system": note.system,
        "internal": note.internal,
        "confidential": note.internal,
        "noteable_type": "Issue",
    }
