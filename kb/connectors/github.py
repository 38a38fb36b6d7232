"""GitHub: the issues, pull requests, discussions, wiki and releases of a repository."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import quote, urlsplit

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from kb.connectors.base import Resources
from kb.connectors.repository_api import Api, NotThere, Pace, last_page
from kb.connectors.repository_catalogue import Item, Kept, Probe, Remark, bring_up_to_date, kept_text
from kb.connectors.repository_discussions import Discussions
from kb.connectors.repository_reading import (
    Listed,
    Opened,
    Part,
    PartListing,
    RepositoryConnector,
    number_in,
    repository_path,
    stamp,
)
from kb.connectors.repository_spool import Spool, Spooled
from kb.connectors.repository_threads import Post, Thread, digest
from kb.connectors.repository_whole import Held, WholePart
from kb.connectors.repository_wiki import GitWiki
from kb.documents import Content, DocumentRef
from kb.sources import GithubSource

_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
_ENTERPRISE = "/api/v3"
_WEB = re.compile(r"https?://[^\s\"'<>]+")


class _Named(BaseModel):
    name: str = ""


class _Account(BaseModel):
    login: str = ""


class _Pull(BaseModel):
    merged_at: AwareDatetime | None = None


class _Issue(BaseModel):
    number: int
    title: str
    state: str
    updated_at: AwareDatetime
    created_at: AwareDatetime | None = None
    body: str | None = None
    user: _Account | None = None
    labels: list[_Named | str] = []
    comments: int = 0
    repository_url: str = ""
    pull_request: _Pull | None = None

    @property
    def kind(self) -> str:
        return "issues" if self.pull_request is None else "pulls"

    @property
    def version(self) -> str:
        merged = self.pull_request.merged_at if self.pull_request else None
        return digest(
            self.title,
            self.state,
            self.body,
            self.names,
            self.user and self.user.login,
            self.comments,
            merged,
            self.updated_at,
        )

    @property
    def names(self) -> list[str]:
        return [label if isinstance(label, str) else label.name for label in self.labels]


class _Comment(BaseModel):
    body: str | None = None
    user: _Account | None = None
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime
    # Those of an issue name it by one, those in a review by the other.
    issue_url: str = ""
    pull_request_url: str = ""


class _Release(Held):
    tag_name: str
    name: str | None = None
    body: str | None = None
    draft: bool = False
    prerelease: bool = False
    author: _Account | None = None
    created_at: AwareDatetime | None = None
    published_at: AwareDatetime | None = None

    @property
    def version(self) -> str:
        return digest(self.name, self.body, self.prerelease, self.published_at)


class _Repository(BaseModel):
    id: int
    full_name: str = Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*$"
    )
    url: str = ""
    html_url: str = ""
    private: bool = False
    has_issues: bool = True
    has_wiki: bool = False
    has_discussions: bool = False

    def page(self, path: str) -> str | None:
        """Return the address of a page of the repository."""
        return f"{self.html_url.rstrip('/')}/{path}" if _WEB.fullmatch(self.html_url) else None


_REPOSITORY: TypeAdapter[_Repository] = TypeAdapter(_Repository)
_ISSUE: TypeAdapter[_Issue] = TypeAdapter(_Issue)
_ISSUES: TypeAdapter[list[_Issue]] = TypeAdapter(list[_Issue])
_COMMENTS: TypeAdapter[list[_Comment]] = TypeAdapter(list[_Comment])
_RELEASE: TypeAdapter[_Release] = TypeAdapter(_Release)
_RELEASES: TypeAdapter[list[_Release]] = TypeAdapter(list[_Release])


class GithubConnector(RepositoryConnector):
    """Reads what is written beside a repository's files at GitHub.

    `wiki` is the git address of the wiki; it lies beside the repository unless given.
    """

    def __init__(
        self,
        settings: GithubSource,
        resources: Resources,
        *,
        pace: Pace | None = None,
        wiki: str | None = None,
    ) -> None:
        super().__init__(settings, resources, pace=pace)
        self._github = settings
        self._wiki = wiki

    async def _open(self) -> Opened:
        settings = self._github
        path = repository_path(settings, _web_host(settings.base_url), deepest=2)
        api, repository = await self._found(
            settings.base_url, f"/repos/{path}", _HEADERS, _REPOSITORY, called="repository"
        )
        return Opened(identity=f"{api.base} {repository.id}", parts=self._parts(api, repository))

    def _parts(self, api: Api, repository: _Repository) -> list[Part]:
        wanted = set(self._github.parts)
        parts: list[Part] = []
        threads = {"pulls"} & wanted | ({"issues"} & wanted if repository.has_issues else set())
        if threads:
            parts.append(_Threads(api, repository, self._spool, frozenset(threads)))
        if "discussions" in wanted and repository.has_discussions:
            parts.append(
                Discussions(
                    api,
                    address=_graphql(api.base),
                    full_name=repository.full_name,
                    page=repository.page,
                )
            )
        if "releases" in wanted:
            parts.append(_Releases(api, repository, self._spool))
        if "wiki" in wanted and repository.has_wiki:
            parts.append(
                GitWiki(
                    # Not from the answer: an API could name a path of this machine.
                    self._wiki or f"https://{_web_host(api.base)}/{repository.full_name}.wiki.git",
                    label=f"{api.label}: its wiki",
                    resources=self._resources,
                    private_hosts=self._github.private_hosts,
                    page=repository.page,
                )
            )
        return parts


class _Threads:
    """Issues and pull requests: GitHub numbers and lists them together."""

    name = "issues"

    def __init__(self, api: Api, repository: _Repository, spool: Spool, kinds: frozenset[str]) -> None:
        self.prefixes = tuple(sorted(kinds))
        self._api = api
        self._repository = repository
        self._spool = spool
        self._path = f"/repos/{repository.full_name}"

    async def listed(self, kept: str) -> PartListing:
        known = await bring_up_to_date(self, Kept.read(kept), self._api.pace.now())
        items = known.items if known else {}
        documents = [
            Listed(f"{item.kind}/{number}", item.token, self._page(item.kind, number))
            for number, item in items.items()
            if item.kind in self.prefixes
        ]
        return PartListing(documents=documents, keep=await kept_text(known))

    async def read(self, ref: DocumentRef) -> Content:
        number = number_in(ref.uri)
        issue = await self._issue(ref, number)
        if f"{issue.kind}/{number}" != ref.uri or issue.number != number:
            raise NotThere
        said: list[_Comment] = []
        if issue.comments:
            said += await self._comments(f"/issues/{number}/comments")
        if issue.kind == "pulls":
            said += await self._comments(f"/pulls/{number}/comments")
            said.sort(key=lambda each: (each.created_at or each.updated_at).timestamp())
        return self._thread(issue).document(map(_post, said))

    async def probe(self) -> Probe:
        """Return how many issues and pull requests there are, and when the newest change was."""
        answer = await self._api.get(
            f"{self._path}/issues", state="all", sort="updated", direction="desc", per_page=1
        )
        issues = self._api.parse(_ISSUES, answer)
        if not issues:
            return Probe(total=0, newest=None)
        total = last_page(answer) if "link" in answer.headers else 1
        return Probe(total=total, newest=issues[0].updated_at)

    def everything(self) -> AsyncIterator[tuple[int, Item]]:
        """Yield every issue and pull request, oldest first."""
        return self._listed(sort="created", direction="asc")

    def changed(self, since: datetime) -> AsyncIterator[tuple[int, Item]]:
        """Yield what changed, newest first: what changes meanwhile is then seen twice and not missed."""
        return self._listed(sort="updated", direction="desc", since=stamp(since))

    async def remarks(self, since: datetime) -> AsyncIterator[Remark]:
        """Yield the comments that changed."""
        paths = ["/issues/comments", *(["/pulls/comments"] if "pulls" in self.prefixes else [])]
        for path in paths:
            async for answer in self._api.pages(
                f"{self._path}{path}", sort="updated", direction="desc", since=stamp(since)
            ):
                for comment in self._api.parse(_COMMENTS, answer):
                    number = (comment.issue_url or comment.pull_request_url).rpartition("/")[2]
                    if number.isascii() and number.isdigit():
                        yield Remark(int(number), comment.updated_at, comment.body or "")

    async def _listed(self, **parameters: str) -> AsyncIterator[tuple[int, Item]]:
        async for answer in self._api.pages(f"{self._path}/issues", state="all", **parameters):
            issues = self._api.parse(_ISSUES, answer)
            await self._spool.keep(
                Spooled(f"{issue.kind}/{issue.number}", issue.version, issue.model_dump_json())
                for issue in issues
                if issue.kind in self.prefixes
            )
            for issue in issues:
                yield issue.number, Item(issue.kind, issue.version)

    async def _issue(self, ref: DocumentRef, number: int) -> _Issue:
        spooled = await self._spool.take(ref.uri, ref.version.partition("+")[0])
        if spooled is not None:
            return _ISSUE.validate_json(spooled)
        issue = self._api.parse(_ISSUE, await self._api.get(f"{self._path}/issues/{number}"))
        # A transferred issue's old address leads to it in its new repository.
        here = urlsplit(issue.repository_url).path.lower().endswith(self._path.lower())
        if issue.repository_url and not here:
            raise NotThere
        return issue

    async def _comments(self, path: str) -> list[_Comment]:
        pages = self._api.pages(f"{self._path}{path}")
        return [each async for answer in pages for each in self._api.parse(_COMMENTS, answer)]

    def _page(self, kind: str, number: int) -> str | None:
        return self._repository.page(f"{'pull' if kind == 'pulls' else kind}/{number}")

    def _thread(self, issue: _Issue) -> Thread:
        merged = issue.pull_request is not None and issue.pull_request.merged_at is not None
        return Thread(
            kind=f"{'Issue' if issue.kind == 'issues' else 'Pull request'} #{issue.number}",
            title=issue.title,
            post=Post(author=_login(issue.user), text=issue.body or "", created=issue.created_at),
            state="merged" if merged else issue.state,
            labels=issue.names,
            updated=issue.updated_at,
            url=self._page(issue.kind, issue.number),
        )


class _Releases(WholePart[_Release]):
    """Releases by tag. They are few, so they are listed whole every time; drafts are left out."""

    name = "releases"
    one, some = _RELEASE, _RELEASES
    folder = "tags/"

    def __init__(self, api: Api, repository: _Repository, spool: Spool) -> None:
        super().__init__(api, spool, f"/repos/{repository.full_name}/releases")
        self._repository = repository

    def _name(self, each: _Release) -> str | None:
        return None if each.draft else each.tag_name

    def _address(self, each: _Release) -> str | None:
        return self._repository.page(f"releases/tag/{quote(each.tag_name)}")

    def _content(self, each: _Release) -> Content:
        when = each.published_at or each.created_at
        return Thread(
            kind=f"Release {each.tag_name}",
            title=each.name or each.tag_name,
            post=Post(author=_login(each.author), text=each.body or "", created=when),
            state="a pre-release" if each.prerelease else "",
            updated=when,
            url=self._address(each),
        ).document()


def _post(comment: _Comment) -> Post:
    role = "Review comment" if comment.pull_request_url else "Comment"
    return Post(author=_login(comment.user), text=comment.body or "", created=comment.created_at, role=role)


def _login(account: _Account | None) -> str:
    return account.login if account else ""


def _web_host(base_url: str) -> str:
    """Return the host of the web pages that belong to an API."""
    return (urlsplit(base_url).hostname or "").removeprefix("api.")


def _graphql(base: str) -> str:
    return f"{base.removesuffix('/v3')}/graphql" if base.endswith(_ENTERPRISE) else f"{base}/graphql"
