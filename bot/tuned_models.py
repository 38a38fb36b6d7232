"""Which models speak in a persona's voice: what trainings made, kept in the SQL database."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.tables import persona_models
from bot.training import Trained
from kb.database import reading, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedModel:
    """The model of one persona. `trained` is in seconds since the epoch."""

    name: str
    model: str
    base_url: str
    backend: str
    job: str
    trained: float


class TunedModels:
    """One row a persona: the model of its latest training."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, name: str, trained: Trained) -> TunedModel:
        """Let the persona `name` speak through a model from now on."""
        kept = TunedModel(
            name=name,
            model=trained.model,
            base_url=trained.base_url,
            backend=trained.backend,
            job=trained.job,
            trained=time.time(),
        )
        values = {column: getattr(kept, column) for column in kept.__slots__}
        async with transaction(self._engine) as connection:
            await connection.execute(delete(persona_models).where(persona_models.c.name == name))
            await connection.execute(insert(persona_models).values(values))
        return kept

    async def find(self, name: str) -> TunedModel | None:
        """Return the model of a persona, None when none was trained."""
        return (await self.all()).get(name)

    async def all(self) -> dict[str, TunedModel]:
        """Return the models of all personas that were trained, by the persona's name."""
        columns = [persona_models.c[column] for column in TunedModel.__slots__]
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(*columns).order_by(persona_models.c.name))
            return {row.name: TunedModel(**row._mapping) for row in rows}
