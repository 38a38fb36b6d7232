"""GitHub's discussions, which only its GraphQL API lists, and only with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from kb.connectors.repository_api import PAGE, Api, NotThere
from kb.connectors.repository_catalogue import Item, Kept, Probe, Remark, bring_up_to_date, kept_text
from kb.connectors.repository_reading import Listed, PartClosed, PartListing, number_in
from kb.connectors.repository_threads import Post, Thread, digest
from kb.documents import Content, DocumentRef
from kb.errors import SourceUnavailable

_LIST = """
query($owner: String!, $name: String!, $first: Int!, $after: String, $order: DiscussionOrder!) {
  repository(owner: $owner, name: $name) {
    discussions(first: $first, after: $after, orderBy: $order) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        number title body createdAt updatedAt
        author { login }
        category { name }
        comments(last: 20) {
          totalCount
          nodes { updatedAt replies(last: 1) { totalCount nodes { updatedAt } } }
        }
      }
    }
  }
}
"""
_READ = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    discussion(number: $number) {
      number title body createdAt updatedAt
      author { login }
      category { name }
      comments(first: 50, after: $after) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes {
          id body createdAt isAnswer
          author { login }
          replies(first: 50) {
            pageInfo { hasNextPage endCursor }
            nodes { body createdAt author { login } }
          }
        }
      }
    }
  }
}
"""
_REPLIES = """
query($id: ID!, $after: String) {
  node(id: $id) {
    ... on DiscussionComment {
      replies(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { body createdAt author { login } }
      }
    }
  }
}
"""

T = TypeVar("T")


class _Cursor(BaseModel):
    more: bool = Field(False, alias="hasNextPage")
    end: str | None = Field(None, alias="endCursor")


class _Connection(BaseModel, Generic[T]):
    total: int = Field(0, alias="totalCount")
    cursor: _Cursor = Field(_Cursor.model_validate({}), alias="pageInfo")
    nodes: list[T] = []


class _Account(BaseModel):
    login: str = ""


class _Category(BaseModel):
    name: str = ""


class _Reply(BaseModel):
    body: str = ""
    author: _Account | None = None
    created: AwareDatetime | None = Field(None, alias="createdAt")
    updated: AwareDatetime | None = Field(None, alias="updatedAt")


class _Comment(_Reply):
    id: str = ""
    is_answer: bool = Field(False, alias="isAnswer")
    replies: _Connection[_Reply] = _Connection[_Reply]()


class _Discussion(BaseModel):
    number: int
    title: str
    body: str = ""
    author: _Account | None = None
    category: _Category | None = None
    created: AwareDatetime | None = Field(None, alias="createdAt")
    updated: AwareDatetime = Field(alias="updatedAt")
    comments: _Connection[_Comment] = _Connection[_Comment]()

    @property
    def version(self) -> str:
        # Whether a late reply or an edited one changes the discussion's own time is not documented.
        last = [
            (each.updated, each.replies.total, [reply.updated for reply in each.replies.nodes])
            for each in self.comments.nodes
        ]
        category = self.category and self.category.name
        return digest(self.title, self.body, category, self.updated, self.comments.total, last)


class _Listing(BaseModel):
    discussions: _Connection[_Discussion]


class _Reading(BaseModel):
    discussion: _Discussion | None = None


class _Replies(BaseModel):
    replies: _Connection[_Reply] = _Connection[_Reply]()


class _Problem(BaseModel):
    type: str = ""
    message: str = ""


class _Data(BaseModel, Generic[T]):
    repository: T | None = None
    node: T | None = None


class _Answer(BaseModel, Generic[T]):
    data: _Data[T] | None = None
    errors: list[_Problem] = []


class Discussions:
    """The discussions of a repository."""

    name = "discussions"
    prefixes: tuple[str, ...] = ("discussions",)

    def __init__(self, api: Api, *, address: str, full_name: str, page: Callable[[str], str | None]) -> None:
        self._api = api
        self._address = address
        self._page = page
        owner, _, name = full_name.partition("/")
        self._repository = {"owner": owner, "name": name}

    async def listed(self, kept: str) -> PartListing:
        """Return all discussions."""
        if not self._api.has_token:
            raise PartClosed(
                f"GitHub shows discussions to a token alone. Put one into {self._api.token_env}, "
                f"or leave discussions out of parts."
            )
        known = await bring_up_to_date(self, Kept.read(kept), self._api.pace.now())
        items = known.items if known else {}
        documents = [
            Listed(f"discussions/{number}", item.token, self._page(f"discussions/{number}"))
            for number, item in items.items()
        ]
        return PartListing(documents=documents, keep=await kept_text(known))

    async def read(self, ref: DocumentRef) -> Content:
        """Return a discussion with its comments and their replies; the answer is marked."""
        number = number_in(ref.uri)
        after: str | None = None
        said: list[Post] = []
        while True:
            found = await self._discussion(number, after)
            said += [await self._comment(comment) for comment in found.comments.nodes]
            if not found.comments.cursor.more:
                break
            after = _further(self._api, after, found.comments.cursor)
        category = found.category.name if found.category else ""
        return Thread(
            kind=f"Discussion #{number}",
            title=found.title,
            post=_post(found.author, found.body, found.created),
            state=f"in {category}" if category else "",
            updated=found.updated,
            url=self._page(f"discussions/{number}"),
        ).document(said)

    async def probe(self) -> Probe:
        """Return how many discussions there are, and when the newest change was."""
        found = await self._list(1, None, "UPDATED_AT", "DESC")
        return Probe(total=found.total, newest=found.nodes[0].updated if found.nodes else None)

    async def everything(self) -> AsyncIterator[tuple[int, Item]]:
        """Yield every discussion, oldest first."""
        async for found in self._pages("CREATED_AT", "ASC"):
            yield found.number, Item("discussions", found.version)

    async def changed(self, since: datetime) -> AsyncIterator[tuple[int, Item]]:
        """Yield what changed, newest first."""
        async for found in self._pages("UPDATED_AT", "DESC"):
            if found.updated < since:
                return
            yield found.number, Item("discussions", found.version)

    async def remarks(self, since: datetime) -> AsyncIterator[Remark]:
        """Yield nothing: a discussion's version tells of its latest comment."""
        for none in list[Remark]():
            yield none

    async def _pages(self, field: str, direction: str) -> AsyncIterator[_Discussion]:
        after: str | None = None
        while True:
            found = await self._list(PAGE, after, field, direction)
            for each in found.nodes:
                yield each
            if not found.cursor.more:
                return
            after = _further(self._api, after, found.cursor)

    async def _list(
        self, first: int, after: str | None, field: str, direction: str
    ) -> _Connection[_Discussion]:
        order = {"field": field, "direction": direction}
        variables = {**self._repository, "first": first, "after": after, "order": order}
        answer = await self._ask(_LIST, variables, TypeAdapter(_Answer[_Listing]))
        if answer.data is None or answer.data.repository is None:
            raise SourceUnavailable(f"{self._api.label}: {_complaint(answer)}")
        return answer.data.repository.discussions

    async def _discussion(self, number: int, after: str | None) -> _Discussion:
        variables = {**self._repository, "number": number, "after": after}
        answer = await self._ask(_READ, variables, TypeAdapter(_Answer[_Reading]), may_miss=True)
        if answer.data is None or answer.data.repository is None:
            raise SourceUnavailable(f"{self._api.label}: {_complaint(answer)}")
        if answer.data.repository.discussion is None:
            raise NotThere
        return answer.data.repository.discussion

    async def _comment(self, comment: _Comment) -> Post:
        replies = list(comment.replies.nodes)
        cursor, after = comment.replies.cursor, None
        while cursor.more:
            after = _further(self._api, after, cursor)
            answer = await self._ask(
                _REPLIES, {"id": comment.id, "after": after}, TypeAdapter(_Answer[_Replies])
            )
            if answer.data is None or answer.data.node is None:
                raise NotThere
            replies += answer.data.node.replies.nodes
            cursor = answer.data.node.replies.cursor
        return _post(
            comment.author,
            comment.body,
            comment.created,
            role="Answer" if comment.is_answer else "Comment",
            replies=tuple(_post(each.author, each.body, each.created, role="Reply") for each in replies),
        )

    async def _ask(
        self,
        query: str,
        variables: Mapping[str, object],
        shape: TypeAdapter[_Answer[T]],
        *,
        may_miss: bool = False,
    ) -> _Answer[T]:
        sent = {"query": query, "variables": variables}
        try:
            answer = self._api.parse(shape, await self._api.post(self._address, sent))
        except NotThere:
            raise SourceUnavailable(
                f"{self._api.label}: its server has no GraphQL API. Leave discussions out of parts."
            ) from None
        missed = may_miss and all(problem.type == "NOT_FOUND" for problem in answer.errors)
        if answer.errors and not missed:
            # A partial answer is none: what it leaves out would count as deleted.
            raise SourceUnavailable(f"{self._api.label}: {_complaint(answer)}")
        return answer


def _post(
    author: _Account | None,
    text: str,
    created: datetime | None,
    *,
    role: str = "Comment",
    replies: tuple[Post, ...] = (),
) -> Post:
    return Post(author=author.login if author else "", text=text, created=created, role=role, replies=replies)


def _complaint(answer: _Answer[T]) -> str:
    said = " ".join(problem.message for problem in answer.errors) or "no repository of that name"
    told = "".join(character if character.isprintable() else " " for character in said)[:200].rstrip(". ")
    return f"GitHub does not give its discussions ({told}). Check what the token may read."


def _further(api: Api, after: str | None, cursor: _Cursor) -> str:
    if not cursor.end or cursor.end == after:
        raise SourceUnavailable(f"{api.label}: a page names no next one. Sync again later.")
    return cursor.end
