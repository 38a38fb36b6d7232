"""A server that speaks the parts of GitHub's REST and GraphQL APIs that list and show a repository's texts.

One repository, `octo/tools`. Answers name more fields than a client needs, as the real ones do; GraphQL
answers hold exactly the fields that were asked for, and an unknown field is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from tests.emulators.repository_host import Body, RepositoryHost, moment_of, page_of, zulu

FULL_NAME = "octo/tools"
TOKEN = "ghp_planted"


@dataclass(slots=True, kw_only=True)
class Comment:
    id: int
    body: str
    author: str | None
    created: datetime
    updated: datetime
    replies: list[Comment] = field(default_factory=list)
    answer: bool = False


@dataclass(slots=True, kw_only=True)
class Issue:
    number: int
    title: str
    body: str | None
    author: str | None
    created: datetime
    updated: datetime
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reviews: list[Comment] = field(default_factory=list)
    pull: bool = False
    merged: datetime | None = None
    moved_to: str = ""


@dataclass(slots=True, kw_only=True)
class Release:
    id: int
    tag: str
    name: str | None
    body: str
    published: datetime | None
    draft: bool = False


class GithubEmulator(RepositoryHost):
    """The server; `token` is the one it knows. With `private` nothing is shown without it."""

    def __init__(self) -> None:
        super().__init__()
        self.token = TOKEN
        self.id = 4711
        self.private = False
        self.has_issues = True
        self.has_wiki = False
        self.has_discussions = False
        self.tells_last_page = True
        self.issues: dict[int, Issue] = {}
        self.discussions: dict[int, Issue] = {}
        self.releases: dict[str, Release] = {}
        self._ids = 0

    # What a test changes

    def next_id(self) -> int:
        """Return a number that was never used: issues, pulls and discussions share them."""
        self._ids += 1
        return self._ids

    def open_issue(
        self,
        title: str,
        body: str | None = "",
        *,
        author: str | None = "ada",
        **more: Any,  # noqa: ANN401 - fields of a dataclass
    ) -> Issue:
        """Open an issue, or a pull request."""
        when = self.moment()
        issue = Issue(
            number=self.next_id(), title=title, body=body, author=author, created=when, updated=when, **more
        )
        self.issues[issue.number] = issue
        return issue

    def discuss(self, title: str, body: str = "", *, author: str | None = "ada") -> Issue:
        """Begin a discussion."""
        when = self.moment()
        made = Issue(number=self.next_id(), title=title, body=body, author=author, created=when, updated=when)
        self.discussions[made.number] = made
        return made

    def edit(
        self,
        issue: Issue,
        **changes: Any,  # noqa: ANN401 - fields of a dataclass
    ) -> None:
        """Change fields of an issue or a discussion."""
        issue.updated = self.moment()
        for name, value in changes.items():
            setattr(issue, name, value)

    def comment(
        self, issue: Issue, body: str, *, author: str | None = "bob", review: bool = False
    ) -> Comment:
        """Add a comment."""
        issue.updated = when = self.moment()
        comment = Comment(id=self.next_id(), body=body, author=author, created=when, updated=when)
        (issue.reviews if review else issue.comments).append(comment)
        return comment

    def reply(self, comment: Comment, body: str, *, author: str | None = "cleo") -> None:
        """Reply to a discussion's comment."""
        when = self.moment()
        comment.replies.append(
            Comment(id=self.next_id(), body=body, author=author, created=when, updated=when)
        )

    def edit_comment(self, comment: Comment, body: str) -> None:
        """Change a comment, which leaves its issue's time as it is."""
        comment.body, comment.updated = body, self.moment()

    def release(self, tag: str, body: str = "", *, name: str | None = None, draft: bool = False) -> Release:
        """Publish a release, or change it."""
        published = None if draft else self.moment()
        self.releases[tag] = Release(
            id=self.next_id(), tag=tag, name=name, body=body, published=published, draft=draft
        )
        return self.releases[tag]

    # REST

    def routes(self, app: web.Application) -> None:
        """Add the API's routes."""
        repository = f"/repos/{FULL_NAME}"
        get = app.router.add_get
        get(repository, self._rest(self._repository))
        get(f"{repository}/issues", self._rest(self._list_issues))
        get(f"{repository}/issues/comments", self._rest(self._list_comments("comments")))
        get(f"{repository}/pulls/comments", self._rest(self._list_comments("reviews")))
        get(repository + r"/issues/{number:\d+}", self._rest(self._issue))
        get(repository + r"/issues/{number:\d+}/comments", self._rest(self._comments_of("comments")))
        get(repository + r"/pulls/{number:\d+}/comments", self._rest(self._comments_of("reviews")))
        get(f"{repository}/releases", self._rest(self._list_releases))
        get(repository + "/releases/tags/{tag}", self._rest(self._release))
        get("/repos/octo/elsewhere/issues/{number}", self._rest(self._elsewhere))
        app.router.add_post("/graphql", self._graphql)

    def _rest(self, handler: Callable[[web.Request], web.Response]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            given = request.headers.get("Authorization")
            if given is not None and given != f"Bearer {self.token}":
                return _message(401, "Bad credentials")
            if self.private and given is None:
                return _message(404, "Not Found")
            return handler(request)

        return handle

    def _repository(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "id": self.id,
                "node_id": "R_1",
                "name": "tools",
                "full_name": FULL_NAME,
                "private": self.private,
                "html_url": f"https://github.com/{FULL_NAME}",
                "url": f"{self.address}/repos/{FULL_NAME}",
                "has_issues": self.has_issues,
                "has_wiki": self.has_wiki,
                "has_discussions": self.has_discussions,
                "default_branch": "main",
            }
        )

    def _list_issues(self, request: web.Request) -> web.Response:
        if not self.has_issues:
            return _message(410, "Issues has been disabled in this repository.")
        query = request.query
        found = [issue for issue in self.issues.values() if not issue.moved_to]
        if query.get("state", "open") != "all":
            found = [issue for issue in found if issue.state == query.get("state", "open")]
        if "since" in query:
            since = moment_of(query["since"])
            found = [issue for issue in found if issue.updated >= since]
        by_change = query.get("sort", "created") == "updated"
        found.sort(
            key=lambda issue: (issue.updated if by_change else issue.created, issue.number),
            reverse=query.get("direction", "desc") == "desc",
        )
        return self._page(request, [self._issue_json(issue) for issue in found])

    def _page(self, request: web.Request, rows: list[Body]) -> web.Response:
        page, headers = page_of(request, rows, default=30, last=self.tells_last_page)
        return web.json_response(page, headers=headers)

    def _list_comments(self, kind: str) -> Callable[[web.Request], web.Response]:
        def handle(request: web.Request) -> web.Response:
            rows = [
                (comment, self._comment_json(issue, comment, kind))
                for issue in self.issues.values()
                for comment in getattr(issue, kind)
            ]
            if "since" in request.query:
                since = moment_of(request.query["since"])
                rows = [row for row in rows if row[0].updated >= since]
            rows.sort(key=lambda row: row[0].updated, reverse=request.query.get("direction") == "desc")
            return self._page(request, [row[1] for row in rows])

        return handle

    def _issue(self, request: web.Request) -> web.Response:
        issue = self.issues.get(int(request.match_info["number"]))
        if issue is None:
            return _message(404, "Not Found")
        if issue.moved_to:
            raise web.HTTPMovedPermanently(f"{self.address}{issue.moved_to}")
        return web.json_response(self._issue_json(issue))

    def _elsewhere(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        when = zulu(self.now)
        there = {"number": number, "title": "Moved", "state": "open", "updated_at": when, "comments": 0}
        return web.json_response({**there, "repository_url": f"{self.address}/repos/octo/elsewhere"})

    def _comments_of(self, kind: str) -> Callable[[web.Request], web.Response]:
        def handle(request: web.Request) -> web.Response:
            issue = self.issues.get(int(request.match_info["number"]))
            if issue is None:
                return _message(404, "Not Found")
            rows = [self._comment_json(issue, comment, kind) for comment in getattr(issue, kind)]
            return self._page(request, rows)

        return handle

    def _list_releases(self, request: web.Request) -> web.Response:
        rows = [_release_json(release) for release in reversed(self.releases.values())]
        return self._page(request, rows)

    def _release(self, request: web.Request) -> web.Response:
        release = self.releases.get(request.match_info["tag"])
        return web.json_response(_release_json(release)) if release else _message(404, "Not Found")

    def _issue_json(self, issue: Issue) -> Body:
        pull = {"pull_request": {"merged_at": zulu(issue.merged)}} if issue.pull else {}
        return {
            "id": 100_000 + issue.number,
            "number": issue.number,
            "title": issue.title,
            "state": issue.state,
            "body": issue.body,
            "user": _user(issue.author),
            "labels": [{"id": 1, "name": label, "color": "fff"} for label in issue.labels],
            "comments": len(issue.comments),
            "created_at": zulu(issue.created),
            "updated_at": zulu(issue.updated),
            "repository_url": f"{self.address}/repos/{FULL_NAME}",
            "html_url": f"https://github.com/{FULL_NAME}/issues/{issue.number}",
            **pull,
        }

    def _comment_json(self, issue: Issue, comment: Comment, kind: str) -> Body:
        base = f"{self.address}/repos/{FULL_NAME}"
        link = (
            {"issue_url": f"{base}/issues/{issue.number}"}
            if kind == "comments"
            else {"pull_request_url": f"{base}/pulls/{issue.number}"}
        )
        return {
            "id": comment.id,
            "body": comment.body,
            "user": _user(comment.author),
            "created_at": zulu(comment.created),
            "updated_at": zulu(comment.updated),
            **link,
        }

    # GraphQL

    async def _graphql(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _message(401, "This endpoint requires you to be authenticated.")
        asked = json.loads(await request.text())
        try:
            fields = _parse(asked["query"])
            data = _select(fields, self._root(asked["variables"]), asked["variables"])
        except LookupError as exc:
            return web.json_response({"errors": [{"type": "undefinedField", "message": str(exc)}]})
        missing = data.get("repository") and data["repository"].get("discussion", 0) is None
        errors = [{"type": "NOT_FOUND", "message": "Could not resolve to a Discussion."}]
        return web.json_response({"data": data, **({"errors": errors} if missing else {})})

    def _root(self, variables: Body) -> Body:
        mine = f"{variables.get('owner')}/{variables.get('name')}" == FULL_NAME
        node = next(
            (
                self._graph_comment(comment)
                for discussion in self.discussions.values()
                for comment in discussion.comments
                if f"DC_{comment.id}" == variables.get("id")
            ),
            None,
        )
        repository = {"discussions": self._discussions, "discussion": self._discussion}
        return {"repository": repository if mine else None, "node": node}

    def _discussions(self, arguments: Body) -> Body:
        order = arguments["orderBy"]
        by_change = order["field"] == "UPDATED_AT"
        found = sorted(
            self.discussions.values(),
            key=lambda each: (each.updated if by_change else each.created, each.number),
            reverse=order["direction"] == "DESC",
        )
        return _connection([self._graph(each) for each in found])(arguments)

    def _discussion(self, arguments: Body) -> Body | None:
        found = self.discussions.get(arguments["number"])
        return self._graph(found) if found else None

    def _graph(self, found: Issue) -> Body:
        return {
            "number": found.number,
            "title": found.title,
            "body": found.body,
            "createdAt": zulu(found.created),
            "updatedAt": zulu(found.updated),
            "author": _user(found.author),
            "category": {"name": "Q&A"},
            "comments": _connection([self._graph_comment(each) for each in found.comments]),
        }

    def _graph_comment(self, comment: Comment) -> Body:
        return {
            "id": f"DC_{comment.id}",
            "body": comment.body,
            "createdAt": zulu(comment.created),
            "updatedAt": zulu(comment.updated),
            "isAnswer": comment.answer,
            "author": _user(comment.author),
            "replies": _connection([self._graph_comment(each) for each in comment.replies]),
        }


def _message(status: int, message: str) -> web.Response:
    return web.json_response({"message": message, "documentation_url": "https://docs"}, status=status)


def _user(login: str | None) -> Body | None:
    return None if login is None else {"login": login, "id": 1, "type": "User"}


def _release_json(release: Release) -> Body:
    return {
        "id": release.id,
        "tag_name": release.tag,
        "name": release.name,
        "body": release.body,
        "draft": release.draft,
        "prerelease": False,
        "author": _user("ada"),
        "created_at": zulu(release.published),
        "published_at": zulu(release.published),
        "html_url": "https://github.com/x",
    }


def _connection(rows: list[Body]) -> Callable[[Body], Body]:
    def answer(arguments: Body) -> Body:
        if not {"first", "last"} & arguments.keys():
            return {"totalCount": len(rows)}
        if "last" in arguments:
            start, end = max(0, len(rows) - arguments["last"]), len(rows)
        else:
            if not 1 <= arguments.get("first", 101) <= 100:
                raise LookupError("first must be between 1 and 100")
            start = int(arguments.get("after") or 0)
            end = min(start + arguments["first"], len(rows))
        return {
            "totalCount": len(rows),
            "pageInfo": {"hasNextPage": end < len(rows), "endCursor": str(end)},
            "nodes": rows[start:end],
        }

    return answer


# A GraphQL reader for queries without aliases and named fragments

Fields = list[tuple[str, dict[str, str], Any]]
_TOKEN = re.compile(r"\.\.\.\s*on\s+\w+|[{}()]|[^\s{}(),]+")


def _parse(query: str) -> Fields:
    tokens = _TOKEN.findall(query)
    start = tokens.index("{")
    fields, rest = _fields(tokens[start + 1 :])
    if rest:
        raise LookupError("unbalanced braces")
    return fields


def _fields(tokens: list[str]) -> tuple[Fields, list[str]]:
    fields: Fields = []
    while tokens:
        name, *tokens = tokens
        if name == "}":
            return fields, tokens
        arguments: dict[str, str] = {}
        if tokens and tokens[0] == "(":
            end = tokens.index(")")
            given = tokens[1:end]
            arguments = {key.rstrip(":"): value for key, value in zip(given[::2], given[1::2], strict=True)}
            tokens = tokens[end + 1 :]
        below = None
        if tokens and tokens[0] == "{":
            below, tokens = _fields(tokens[1:])
        if name.startswith("..."):
            fields += below or []
        else:
            fields.append((name, arguments, below))
    raise LookupError("unbalanced braces")


def _select(fields: Fields, value: Body, variables: Body) -> Body:
    chosen: Body = {}
    for name, given, below in fields:
        if name not in value:
            raise LookupError(f"Field '{name}' doesn't exist")
        found = value[name]
        if callable(found):
            found = found({key: _value(text, variables) for key, text in given.items()})
        if below is not None and isinstance(found, list):
            found = [_select(below, each, variables) for each in found]
        elif below is not None and found is not None:
            found = _select(below, found, variables)
        chosen[name] = found
    return chosen


def _value(text: str, variables: Body) -> Any:  # noqa: ANN401 - any JSON value
    return variables.get(text[1:]) if text.startswith("$") else int(text)
