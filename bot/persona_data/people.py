"""Who is who in the exports: ids and names, who the speaker is, who agreed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.persona_data.consent import Consent
from bot.persona_data.errors import DatasetRefused
from bot.persona_data.said import Known

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who matters: `speakers` are the ids of the voice, `agreed` those of everyone who agreed.

    `unmatched` and `ambiguous` are entries of the consent file that fit nobody or several people.
    """

    speakers: frozenset[str]
    agreed: frozenset[str]
    unmatched: tuple[str, ...]
    ambiguous: tuple[str, ...]


@dataclass(slots=True)
class People:
    """Collects ids and names while exports are read."""

    names: dict[str, dict[str, None]] = field(default_factory=dict)  # id → its names, best first

    def add(self, known: Known) -> None:
        """Remember a person, or more names of one."""
        self.names.setdefault(known.id, {}).update(dict.fromkeys(known.names))

    def seen(self, person: str) -> None:
        """Remember that an id exists, whatever its name."""
        self.names.setdefault(person, {})

    def name(self, person: str) -> str:
        """Return the best name of an id."""
        return next(iter(self.names.get(person, ())), person.partition(":")[2])

    def cast(self, speakers: Iterable[str], consent: Consent) -> Cast:
        """Find the speaker and who agreed.

        Raises DatasetRefused when the speaker is in no export, is several people, or did not agree.
        """
        index = self._index()
        agreed, unmatched, ambiguous = _agreed(consent, index)
        wanted = tuple(speakers)
        ids = frozenset(self._speaker(one, index) for one in wanted)
        if missing := [self.name(one) for one in sorted(ids - agreed)]:
            raise DatasetRefused(
                f"{missing[0]!r} has not agreed by the consent file {consent.file!r}. Add a line with the "
                "name or id once they have."
            )
        return Cast(speakers=ids, agreed=agreed, unmatched=unmatched, ambiguous=ambiguous)

    def _index(self) -> dict[str, set[str]]:
        index: dict[str, set[str]] = {}
        for person, names in self.names.items():
            for name in (person, person.partition(":")[2], *names):
                index.setdefault(folded(name), set()).add(person)
        return index

    def _speaker(self, wanted: str, index: Mapping[str, set[str]]) -> str:
        found = sorted(index.get(folded(wanted), ()))
        if len(found) == 1:
            return found[0]
        if found:
            raise DatasetRefused(
                f"The speaker {wanted!r} fits several people: {', '.join(found[:_SHOWN])}. Give the id of "
                "each that is meant: --speaker ID."
            )
        named = [names for names in self.names.values() if names]
        shown = ", ".join(repr(next(iter(names))) for names in named[:_SHOWN]) or "nobody"
        raise DatasetRefused(
            f"The speaker {wanted!r} is in no export. Who is: {shown}{' …' if len(named) > _SHOWN else ''}"
        )


def folded(name: str) -> str:
    """Return a name as it is compared."""
    return " ".join(name.removeprefix("@").split()).casefold()


def _agreed(
    consent: Consent, index: Mapping[str, set[str]]
) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    agreed: set[str] = set()
    unmatched: list[str] = []
    ambiguous: list[str] = []
    for entry in consent.entries:
        found = index.get(folded(entry), set())
        if len(found) == 1:
            agreed |= found
        else:
            (ambiguous if found else unmatched).append(entry)
    return frozenset(agreed), tuple(unmatched), tuple(ambiguous)
