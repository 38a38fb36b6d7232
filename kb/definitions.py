"""The definitions of sources that were added by command; those of the settings file are not kept here."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kb.errors import SourceInvalid, StoreNewer
from kb.sources import AnySource
from kb.tables import sources


async def add_definition(connection: AsyncConnection, source: AnySource, now: float) -> None:
    """Keep a source's definition. Raise `SourceInvalid` when the name is taken."""
    taken = select(sources.c.name).where(sources.c.name == source.name)
    if (await connection.execute(taken)).first() is not None:
        raise SourceInvalid(
            f"There is a source {source.name!r} already. Give this one another --name, "
            f"or remove the old one: lorekeeper sources remove {source.name}"
        )
    values = {"name": source.name, "definition": source.model_dump_json(), "added": now}
    await connection.execute(insert(sources).values(values))


async def read_definitions(connection: AsyncConnection) -> list[AnySource]:
    """Return the kept definitions by name. Raise `StoreNewer` when one cannot be understood."""
    statement = select(sources.c.name, sources.c.definition).order_by(sources.c.name)
    return [_definition(name, text) for name, text in await connection.execute(statement)]


def _definition(name: str, text: str) -> AnySource:
    adapter: TypeAdapter[AnySource] = TypeAdapter(AnySource)
    try:
        return adapter.validate_json(text)
    except ValidationError as exc:
        raise StoreNewer(
            f"The definition of source {name!r} cannot be understood by this release. "
            f"Upgrade lorekeeper, or remove it: lorekeeper sources remove {name}"
        ) from exc
