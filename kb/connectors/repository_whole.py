"""Parts of a repository that are listed whole every time, with their text: releases, and GitLab's wiki."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

from pydantic import BaseModel, TypeAdapter

from kb.connectors.repository_api import Api, NotThere
from kb.connectors.repository_reading import Listed, PartListing, segment_of, uri_in
from kb.connectors.repository_spool import Spool, Spooled
from kb.documents import Content, DocumentRef


class Held(BaseModel):
    """One thing of such a part as the API gives it."""

    @property
    @abstractmethod
    def version(self) -> str:
        """Return a token that changes with what its document says."""


T = TypeVar("T", bound=Held)


class WholePart(ABC, Generic[T]):
    """Things with names of their own. A listing keeps their text for the fetches that follow it."""

    name: str
    one: TypeAdapter[T]
    some: TypeAdapter[list[T]]
    parameters: Mapping[str, str | int] = {}  # of the request for all
    folder = ""  # what stands before the name in the path of one

    def __init__(self, api: Api, spool: Spool, path: str) -> None:
        self.prefixes: tuple[str, ...] = (self.name,)
        self._api = api
        self._spool = spool
        self._path = path

    async def listed(self, kept: str) -> PartListing:
        """Return all documents."""
        found: dict[str, Listed] = {}
        async for answer in self._api.pages(self._path, **self.parameters):
            page = {uri: each for each in self._api.parse(self.some, answer) if (uri := self._uri(each))}
            await self._spool.keep(
                Spooled(uri, each.version, each.model_dump_json()) for uri, each in page.items()
            )
            for uri, each in page.items():
                found[uri] = Listed(uri, each.version, self._address(each))
        return PartListing(documents=list(found.values()))

    async def read(self, ref: DocumentRef) -> Content:
        """Return one as it was listed, or as it is now; raise NotThere when there is none."""
        spooled = await self._spool.take(ref.uri, ref.version)
        if spooled is not None:
            each = self.one.validate_json(spooled)
        else:
            path = f"{self._path}/{self.folder}{segment_of(ref.uri)}"
            each = self._api.parse(self.one, await self._api.get(path))
        if self._uri(each) != ref.uri:
            raise NotThere
        return self._content(each)

    def _uri(self, each: T) -> str | None:
        name = self._name(each)
        return None if name is None else uri_in(self.name, name)

    @abstractmethod
    def _name(self, each: T) -> str | None:
        """Return its name, None when it is no document."""

    @abstractmethod
    def _address(self, each: T) -> str | None:
        """Return the address of its page."""

    @abstractmethod
    def _content(self, each: T) -> Content:
        """Return its document."""
