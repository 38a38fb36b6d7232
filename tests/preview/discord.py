"""Writes the pictures of docs/discord.md: `python -m tests.preview.discord docs/images`.

Every picture is made of what `adapters.discord.render` gives for a scene, so it shows what is really sent.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from adapters.discord.events import command_incoming
from adapters.discord.render import (
    answer_payloads,
    line_payload,
    notice_payloads,
    person_payload,
    sources_payload,
    stream_payload,
    told_payload,
)
from adapters.discord.render_forms import form_modal
from adapters.discord.render_home import home_payload
from adapters.discord.stopping import stop_button
from bot.chat import Outcome, Place
from bot.forms import Confirm, Told
from bot.home import HomeView
from bot.messages import Answer
from bot.texts import texts
from tests.preview.browser import picture
from tests.preview.discord_page import Page, Shown
from tests.preview.scenes import (
    ADD_FORM,
    ANSWER,
    DEPLOYS,
    EN,
    EXPENSES,
    LISTED,
    MEALS,
    NOW,
    PUBLIC,
    REGIONS,
    VOTE,
    VOTE_CHOICES,
    VOTE_RESULT,
    VOTED,
    citation,
    home_sources,
)

DE = texts("de")
PERSON = "304512345678901234"
FINANCE = Place(platform="discord", workspace="2", channel="3")
PAGE = Page(NOW, {PERSON: "people-team"})
STOP = stop_button(command_incoming({"id": "4"}, question="", place=FINANCE), EN)


LONG = Answer(
    question="How do I roll back a release?",
    answered=True,
    text="""\
# Roll back a release

1. Find the last good version in `releases.json` [1].
2. Tell **#deploys**, then run the command below.
3. Watch the error rate for ten minutes.

```bash
# one region at a time
deployctl rollback --region eu-1 --to 2026.9.3
deployctl status --watch <region>
```

| Region | Window (UTC) | Replicas | Who approves |
| --- | --- | ---: | --- |
| eu-1 | 06:00–18:00 | 12 | on-call |
| us-2 | 14:00–02:00 | 8 | on-call, then the lead |

> A rollback keeps the database as it is [2].

#### Afterwards

- [x] Configuration lives in README.md and `config.toml`
  - secrets never do
- [ ] Write down what happened in __post_mortems__

אם משהו נכשל, פנו לצוות התפעול [1]
""",
    confidence=0.88,
    citations=(DEPLOYS, REGIONS),
    id="a2",
)
UNANSWERED = Answer(
    question="What is the wifi password of the Lisbon office?",
    answered=False,
    text=EN.not_found,
    confidence=0.21,
    nearest=(
        citation(1, "Lisbon office", "Getting in", "2026-08-20", quote="The door code is with reception."),
        citation(
            2, "Guest wifi", "", "2025-02-11", quote="Guests get a voucher for a day at the desk.", url=""
        ),
    ),
    id="a3",
)


def said(
    outcome: Outcome, *, reply: tuple[str, str] | None = None, ephemeral: bool = False, time: str = "10:24"
) -> list[Shown]:
    """Return the bot's messages for an outcome."""
    payloads = answer_payloads(outcome, EN, now=NOW)
    return [
        Shown(payload=payload, reply=reply if not number else None, ephemeral=ephemeral, time=time)
        for number, payload in enumerate(payloads)
    ]


def answer() -> str:
    """Show a mention in a channel, the answer in its thread, and a follow-up while it is written."""
    outcome = Outcome(answer=ANSWER, controls=PUBLIC)
    follow_up = "The dinner allowance is part of the daily allowance. Where dinner is paid by the host, the"
    return PAGE.channel(
        "How do I claim travel expenses?",
        [
            Shown(who="Mara", text="<@304512345678901999> How do I claim travel expenses?", time="10:23"),
            *said(outcome),
            Shown(who="Mara", text="and dinner with customers?", time="10:25"),
            Shown(payload=stream_payload(follow_up, stop=STOP), time="10:25"),
        ],
        note="thread in #finance",
        sign="🧵",
    ).replace("&lt;@304512345678901999&gt;", "@Lorekeeper")


def long_answer() -> str:
    """Show a long answer: headings, code, a table, lists, a quotation, right-to-left text."""
    notes = (EN.image_unread.format(name="screenshot.png"),)
    outcome = Outcome(answer=LONG, controls=PUBLIC, notes=notes)
    return PAGE.channel("deploys", said(outcome, reply=("Jonas", "How do I roll back a release?")))


def unanswered() -> str:
    """Show what is said when nothing was found, and the call for a person."""
    called = person_payload(PERSON, EN.person_needed.format(name="Mara"), role=True)
    outcome = Outcome(answer=UNANSWERED, controls=("sources", "person", "resolved"))
    return PAGE.channel(
        "it-help",
        [
            *said(outcome, reply=("Mara", "What is the wifi password of the Lisbon office?")),
            Shown(payload=called, time="10:26"),
        ],
    )


def private() -> str:
    """Show the private answer to /ask."""
    outcome = Outcome(answer=ANSWER, controls=("feedback", "sources", "share", "person"), shown="private")
    return PAGE.channel("finance", said(outcome, reply=("Mara", "/ask"), ephemeral=True))


def stopped() -> str:
    """Show an answer that was stopped, and what is said to others who press and to who presses too late."""
    halves = "Find the last good version in `releases.json`. Tell **#deploys**, then"
    left = Answer(question="How do I roll back?", answered=True, text=halves, confidence=0.0)
    return PAGE.channel(
        "deploys",
        [
            *said(Outcome(answer=left, notes=(EN.stopped,)), reply=("Jonas", "How do I roll back?")),
            Shown(payload=line_payload(EN.not_stopper), ephemeral=True, time="10:25"),
            Shown(payload=line_payload(EN.nothing_runs), ephemeral=True, time="10:26"),
        ],
    )


def draft() -> str:
    """Show a draft as the reviewers see it."""
    outcome = Outcome(answer=ANSWER, controls=("sources", "approve", "discard"), shown="draft")
    return PAGE.channel(EN.draft, said(outcome), note="private thread in #finance", sign="🧵")


def sources() -> str:
    """Show what the button Sources shows."""
    shown = [
        Shown(payload=payload, ephemeral=True) for payload in sources_payload((EXPENSES, MEALS), EN, now=NOW)
    ]
    return PAGE.channel("finance", shown)


def errors() -> str:
    """Show lines that say why there is no answer."""
    lines = (
        line_payload(EN.failed.format(id="5c20be77")),
        line_payload(EN.busy.format(id="7f3a91c2")),
        line_payload(EN.too_many.format(questions=EN.count(20, EN.question), wait="4 minutes")),
        line_payload(EN.not_allowed.format(who=EN.who_admins), failed=True),
    )
    return PAGE.channel("finance", [Shown(payload=line) for line in lines])


def kb() -> str:
    """Show what /kb list and /kb remove say."""
    question = EN.remove_question.format(name="runbooks", what="58 documents")
    removing = Told(
        text=question,
        confirm=Confirm(
            title=EN.remove_title, text=question, label=EN.remove, command="remove runbooks --yes"
        ),
    )
    shown = [
        Shown(payload=told_payload(told, EN), reply=("Mara", command), ephemeral=True)
        for told, command in ((LISTED, "/kb list"), (removing, "/kb remove"))
    ]
    return PAGE.channel("finance", shown)


def home() -> str:
    """Show the overview of an admin."""
    view = HomeView(
        sources=home_sources(failed=2),
        documents=284,
        freshest=NOW - 180,
        suggested=("How do I claim travel expenses?", "Who approves a rollback in us-2?"),
        recent=("Where is the VPN profile?", "How long is parental leave?"),
        admin=True,
        settings=(
            ("Answers in channels", "when mentioned"),
            ("Follow-ups", "yes"),
            (EN.models.format(embedding="all-MiniLM-L6-v2", llm="none"), ""),
        ),
    )
    return PAGE.channel(
        "finance",
        [Shown(payload=home_payload(view, EN, now=NOW), reply=("Mara", "/kb help"), ephemeral=True)],
    )


def add_form() -> str:
    """Show the form of /kb add."""
    return PAGE.modal(form_modal(ADD_FORM))


def vote() -> str:
    """Show a vote with its buttons, what one who voted reads, and how it ended."""
    return PAGE.channel(
        "finance",
        [
            *(Shown(payload=one) for one in notice_payloads(VOTE, VOTE_CHOICES)),
            Shown(payload=line_payload(VOTED), ephemeral=True, time="10:25"),
            *(Shown(payload=one, time="16:02") for one in notice_payloads(VOTE_RESULT)),
        ],
    )


SCENES: Mapping[str, tuple[Callable[[], str], int]] = {
    "discord-answer": (answer, 720),
    "discord-long-answer": (long_answer, 720),
    "discord-unanswered": (unanswered, 720),
    "discord-private": (private, 720),
    "discord-stopped": (stopped, 720),
    "discord-draft": (draft, 720),
    "discord-sources": (sources, 720),
    "discord-errors": (errors, 720),
    "discord-vote": (vote, 720),
    "discord-kb": (kb, 720),
    "discord-home": (home, 720),
    "discord-add": (add_form, 520),
}


async def write(folder: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """Write the pictures into a folder, all or the named ones; return where."""
    written: list[Path] = []
    for name, (scene, width) in SCENES.items():
        if not names or name in names:
            target = folder / f"{name}.png"
            await picture(scene(), target, width=width, height=2_400, colours=256)
            written.append(target)
    return written


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    for path in asyncio.run(write(Path(sys.argv[1]), tuple(sys.argv[2:]))):
        sys.stdout.write(f"{path}  {path.stat().st_size // 1024} kB\n")
