"""GitLab: the issues, merge requests, wiki and releases of a project."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from kb.connectors.base import Resources
from kb.connectors.repository_api import Api, NotThere, Pace
from kb.connectors.repository_catalogue import Item, Kept, Probe, Remark, bring_up_to_date, kept_text
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
from kb.documents import Content, DocumentRef
from kb.sources import GitlabSource

_DEEPEST = 21  # GitLab nests groups twenty deep at most.
# The media type of a wiki page's format, and what begins a title in it.
_FORMATS = {"markdown": ("text/markdown", "# "), "asciidoc": ("text/asciidoc", "= ")}
_KINDS = {"issues": "Issue #", "merge_requests": "Merge request !"}


class _Account(BaseModel):
    username: str = ""


class _Issue(BaseModel):
    iid: int
    title: str
    state: str
    updated_at: AwareDatetime
    created_at: AwareDatetime | None = None
    description: str | None = None
    author: _Account | None = None
    labels: list[str] = []
    user_notes_count: int = 0
    confidential: bool = False

    @property
    def version(self) -> str:
        return digest(
            self.title,
            self.state,
            self.description,
            self.labels,
            self.author and self.author.username,
            self.user_notes_count,
            self.updated_at,
        )


class _Note(BaseModel):
    body: str = ""
    author: _Account | None = None
    created_at: AwareDatetime | None = None
    system: bool = False
    # A note for members alone has one or both of these, by the server's release.
    internal: bool = False
    confidential: bool | None = False


class _Release(Held):
    tag_name: str
    name: str | None = None
    description: str | None = None
    author: _Account | None = None
    created_at: AwareDatetime | None = None
    released_at: AwareDatetime | None = None
    upcoming_release: bool = False

    @property
    def version(self) -> str:
        return digest(self.name, self.description, self.released_at, self.upcoming_release)


class _Page(Held):
    slug: str
    title: str = ""
    format: str = "markdown"
    content: str = ""

    @property
    def version(self) -> str:
        return digest(self.title, self.format, self.content)


class _Project(BaseModel):
    id: int
    web_url: str = ""
    issues_access_level: str = "enabled"
    merge_requests_access_level: str = "enabled"
    wiki_access_level: str = "enabled"
    releases_access_level: str = "enabled"

    def page(self, path: str) -> str | None:
        """Return the address of a page of the project."""
        url = self.web_url.rstrip("/")
        return f"{url}/-/{path}" if url.startswith(("https://", "http://")) and url.isprintable() else None


_PROJECT: TypeAdapter[_Project] = TypeAdapter(_Project)
_ISSUE: TypeAdapter[_Issue] = TypeAdapter(_Issue)
_ISSUES: TypeAdapter[list[_Issue]] = TypeAdapter(list[_Issue])
_NOTES: TypeAdapter[list[_Note]] = TypeAdapter(list[_Note])
_RELEASE: TypeAdapter[_Release] = TypeAdapter(_Release)
_RELEASES: TypeAdapter[list[_Release]] = TypeAdapter(list[_Release])
_PAGE: TypeAdapter[_Page] = TypeAdapter(_Page)
_PAGES: TypeAdapter[list[_Page]] = TypeAdapter(list[_Page])


class GitlabConnector(RepositoryConnector):
    """Reads what is written beside a project's files at GitLab; what is confidential there is left out."""

    def __init__(self, settings: GitlabSource, resources: Resources, *, pace: Pace | None = None) -> None:
        super().__init__(settings, resources, pace=pace)
        self._gitlab = settings

    async def _open(self) -> Opened:
        settings = self._gitlab
        path = repository_path(settings, urlsplit(settings.base_url).hostname or "", deepest=_DEEPEST)
        api, project = await self._found(
            f"{settings.base_url.rstrip('/').removesuffix('/api/v4')}/api/v4",
            f"/projects/{quote(path, safe='')}",
            {"accept": "application/json"},
            _PROJECT,
            called="project",
        )
        return Opened(identity=f"{api.base} {project.id}", parts=self._parts(api, project))

    def _parts(self, api: Api, project: _Project) -> list[Part]:
        wanted = set(self._gitlab.parts)
        parts: list[Part] = []
        if "issues" in wanted and project.issues_access_level != "disabled":
            parts.append(_Threads(api, project, self._spool, "issues"))
        if "pulls" in wanted and project.merge_requests_access_level != "disabled":
            parts.append(_Threads(api, project, self._spool, "merge_requests"))
        if "releases" in wanted and project.releases_access_level != "disabled":
            parts.append(_Releases(api, project, self._spool))
        if "wiki" in wanted and project.wiki_access_level != "disabled":
            parts.append(_Wiki(api, project, self._spool))
        return parts


class _Threads:
    """The issues or the merge requests of a project; each kind has numbers of its own."""

    def __init__(self, api: Api, project: _Project, spool: Spool, kind: str) -> None:
        self.name = "issues" if kind == "issues" else "pulls"
        self.prefixes: tuple[str, ...] = (self.name,)
        self._api = api
        self._project = project
        self._spool = spool
        self._kind = kind
        self._path = f"/projects/{project.id}/{kind}"

    async def listed(self, kept: str) -> PartListing:
        known = await bring_up_to_date(self, Kept.read(kept), self._api.pace.now())
        items = known.items if known else {}
        documents = [
            Listed(f"{self.name}/{number}", item.token, self._project.page(f"{self._kind}/{number}"))
            for number, item in items.items()
            if item.kind
        ]
        return PartListing(documents=documents, keep=await kept_text(known))

    async def read(self, ref: DocumentRef) -> Content:
        number = number_in(ref.uri)
        spooled = await self._spool.take(ref.uri, ref.version)
        if spooled is not None:
            issue = _ISSUE.validate_json(spooled)
        else:
            issue = self._api.parse(_ISSUE, await self._api.get(f"{self._path}/{number}"))
        if issue.confidential or issue.iid != number:
            raise NotThere
        notes: list[_Note] = []
        if issue.user_notes_count:
            pages = self._api.pages(f"{self._path}/{number}/notes", sort="asc", order_by="created_at")
            notes = [each async for answer in pages for each in self._api.parse(_NOTES, answer)]
        thread = Thread(
            kind=f"{_KINDS[self._kind]}{number}",
            title=issue.title,
            post=_post(issue.author, issue.description, issue.created_at),
            state="open" if issue.state == "opened" else issue.state,
            labels=issue.labels,
            updated=issue.updated_at,
            url=self._project.page(f"{self._kind}/{number}"),
        )
        return thread.document(
            _post(note.author, note.body, note.created_at)
            for note in notes
            if not (note.system or note.internal or note.confidential)
        )

    async def probe(self) -> Probe:
        """Return how many there are, confidential ones too, and when the newest change was."""
        answer = await self._api.get(
            self._path, scope="all", state="all", order_by="updated_at", sort="desc", per_page=1
        )
        issues = self._api.parse(_ISSUES, answer)
        total = answer.headers.get("x-total", "")
        return Probe(
            total=int(total) if total.isascii() and total.isdigit() else None,
            newest=issues[0].updated_at if issues else None,
        )

    def everything(self) -> AsyncIterator[tuple[int, Item]]:
        """Yield all of them, oldest first."""
        return self._pages(order_by="created_at", sort="asc")

    def changed(self, since: datetime) -> AsyncIterator[tuple[int, Item]]:
        """Yield what changed, newest first, and so what has become confidential as well."""
        return self._pages(order_by="updated_at", sort="desc", updated_after=stamp(since))

    async def remarks(self, since: datetime) -> AsyncIterator[Remark]:
        """Yield nothing: at GitLab a note changes its issue's time."""
        for none in list[Remark]():
            yield none

    async def _pages(self, **parameters: str) -> AsyncIterator[tuple[int, Item]]:
        # No filter for what is confidential: an issue that has become so must show to be dropped.
        async for answer in self._api.pages(self._path, scope="all", state="all", **parameters):
            issues = self._api.parse(_ISSUES, answer)
            await self._spool.keep(
                Spooled(f"{self.name}/{issue.iid}", issue.version, issue.model_dump_json())
                for issue in issues
                if not issue.confidential
            )
            for issue in issues:
                yield issue.iid, Item("" if issue.confidential else self.name, issue.version)


class _Releases(WholePart[_Release]):
    """Releases by tag, listed whole every time."""

    name = "releases"
    one, some = _RELEASE, _RELEASES

    def __init__(self, api: Api, project: _Project, spool: Spool) -> None:
        super().__init__(api, spool, f"/projects/{project.id}/releases")
        self._project = project

    def _name(self, each: _Release) -> str:
        return each.tag_name

    def _address(self, each: _Release) -> str | None:
        return self._project.page(f"releases/{quote(each.tag_name, safe='')}")

    def _content(self, each: _Release) -> Content:
        when = each.released_at or each.created_at
        return Thread(
            kind=f"Release {each.tag_name}",
            title=each.name or each.tag_name,
            post=_post(each.author, each.description, when),
            state="upcoming" if each.upcoming_release else "",
            updated=when,
            url=self._address(each),
        ).document()


class _Wiki(WholePart[_Page]):
    """Wiki pages by slug, listed with their text every time: the API tells no time of change."""

    name = "wiki"
    one, some = _PAGE, _PAGES
    parameters: Mapping[str, str | int] = {"with_content": 1}

    def __init__(self, api: Api, project: _Project, spool: Spool) -> None:
        super().__init__(api, spool, f"/projects/{project.id}/wikis")
        self._project = project

    def _name(self, each: _Page) -> str | None:
        # A page such as `_sidebar` stands beside every page.
        return None if each.slug.rpartition("/")[2].startswith("_") else each.slug

    def _address(self, each: _Page) -> str | None:
        return self._project.page(f"wikis/{quote(each.slug)}")

    def _content(self, each: _Page) -> Content:
        title = " ".join((each.title or each.slug).split())
        media_type, mark = _FORMATS.get(each.format, ("text/plain", ""))
        return Content(
            data=f"{mark}{title}\n\n{each.content.strip()}\n".encode("utf-8", "replace"),
            media_type=media_type,
            url=self._address(each),
        )


def _post(author: _Account | None, text: str | None, created: datetime | None) -> Post:
    return Post(author=author.username if author else "", text=text or "", created=created)
