"""Which sources a person may know of. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot.channels import ChannelRules
from bot.chat import Person, Place
from kb.documents import EVERYONE, Audience
from kb.sources import AnySource


@dataclass(frozen=True, slots=True)
class Seer:
    """What somebody may see, as the tags they hold."""

    audience: Audience

    @classmethod
    def of(
        cls, person: Person | None, place: Place | None, rules: ChannelRules, audience: Audience | None = None
    ) -> Seer:
        """Return what a person may see: as the platform told, or what is known without it."""
        if audience is not None or person is None:
            return cls(audience or EVERYONE)
        platform = person.platform
        tags = {f"{platform}:user:{person.id}", *(f"{platform}:group:{group}" for group in person.groups)}
        if place is not None:
            tags |= {f"{platform}:{place.channel}", place.seen_by, *rules.of(place).audience}
        return cls(Audience(frozenset(tags)))

    def sees(self, source: AnySource | None) -> bool:
        """Tell whether a source may be known; one that nothing defines any more is for admins alone."""
        if source is None:
            return False
        return not source.seen_by or not self.audience.tags.isdisjoint(source.seen_by)
