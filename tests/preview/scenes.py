"""The made-up company of the pictures: its handbook, its sources, and what is asked there."""

from __future__ import annotations

from bot.chat import Control
from bot.forms import Field, Form, Told
from bot.home import HomeSource
from bot.messages import Answer, Citation
from bot.persona_commands import Speech
from bot.persona_texts import COMMAND, persona_texts
from bot.texts import texts
from bot.vote_commands import ballot_choices, ballot_text, result_text
from bot.voting import Ballot, Counted

NOW = 1_790_000_000.0  # 2026-09-21
EN = texts("en")
PUBLIC: tuple[Control, ...] = ("feedback", "sources", "person", "resolved")
_BASE = "https://handbook.acme.test/"


def citation(number: int, title: str, heading: str, updated: str, **more: str) -> Citation:
    """Return a citation of the handbook."""
    path = title.lower().replace(" ", "-")
    given = {"document": f"{path}.md", "url": _BASE + path, "quote": "", "source": "handbook", **more}
    return Citation(number=number, title=title, heading=heading, updated=updated, **given)


EXPENSES = citation(
    1,
    "Expenses",
    "Travel > Receipts",
    "2026-09-18",
    quote="Keep every receipt above 25 €. Hand in the claim within 30 days after the trip.",
)
MEALS = citation(
    2,
    "Travel policy",
    "Meals",
    "2026-06-02",
    quote="The daily allowance for meals is 40 € in the EU and 55 $ elsewhere.",
)
DEPLOYS = citation(1, "Deploying", "Roll back", "2026-09-20", source="runbooks")
REGIONS = citation(2, "Regions", "Where we run", "2026-09-01", source="runbooks", url="")

ANSWER = Answer(
    question="How do I claim travel expenses?",
    answered=True,
    text=(
        "Hand in the claim **within 30 days** after the trip, with every receipt above 25 € [1]. "
        "Meals are paid as a daily allowance: 40 € in the EU, 55 $ elsewhere [2]."
    ),
    confidence=0.91,
    citations=(EXPENSES, MEALS),
    id="a1",
)
_BALLOT = Ballot(
    id="b1",
    persona="captain",
    question="How long do I have to hand in a travel claim?",
    first="Hand in the claim within 30 days after the trip, with every receipt above 25 €.",
    second="Ye've 30 days after the trip to hand in yer claim, matey: every receipt above 25 € aboard!",
    voiced="second",
    place="3",
    created=NOW,
)
_SPEECH = Speech(words=EN, lines=persona_texts("en"), command=COMMAND)
VOTE = ballot_text(_BALLOT, "Captain Jo", _SPEECH)
VOTE_CHOICES = ballot_choices(_BALLOT, _SPEECH.lines)
VOTED = _SPEECH.lines.voted.format(pick=_SPEECH.lines.picks["second"])
VOTE_RESULT = result_text(_BALLOT, Counted(voiced=7, plain=4, neither=2), "Captain Jo", _SPEECH.lines)
LISTED = Told(
    text=(
        "**handbook** · git · 214 documents · last synced 3 minutes ago · next sync in 27 minutes\n\n"
        "**runbooks** · folder · 58 documents · last synced 1 hour ago · next sync in 5 minutes\n\n"
        "**status-page** · feed · 12 documents · last error: status.acme.test does not answer"
    )
)
ADD_FORM = Form(
    title=EN.add_source,
    action="add",
    fields=(
        Field(
            name="location",
            label=EN.location,
            hint=EN.location_hint,
            value="https://git.acme.test/handbook.git",
        ),
        Field(name="name", label=EN.name, hint=EN.name_hint, optional=True),
        Field(name="every", label=EN.every, hint=EN.every_hint, value="30m", optional=True),
        Field(name="audience", label=EN.audience, hint=EN.audience_hint, optional=True),
    ),
)


def home_sources(*, failed: int) -> tuple[HomeSource, ...]:
    """Return the sources as an admin sees them; of the broken one so many documents failed."""
    return (
        _source("handbook", "git", "https://git.acme.test/handbook.git", 214, 180, 1_620),
        _source("runbooks", "folder", "/srv/runbooks", 58, 3_600, 300),
        _source("status-page", "feed", "https://status.acme.test/feed.xml", 12, 90_000, 600, failed=failed),
    )


def _source(
    name: str,
    kind: str,
    location: str,
    documents: int,
    ago: float,
    ahead: float,
    *,
    failed: int | None = None,
) -> HomeSource:
    return HomeSource(
        name=name,
        type=kind,
        location=location,
        documents=documents,
        failed=failed or 0,
        last_good=NOW - ago,
        next_run=NOW + ahead,
        state="ok",
        error="" if failed is None else "status.acme.test does not answer. Is it running?",
    )
