"""Writes the pictures of docs/slack.md: `python -m tests.preview.slack docs/images`.

Every picture is made of what `adapters.slack.render` gives for a scene, so it shows what is really sent.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from adapters.slack.render import (
    answer_messages,
    line_message,
    notice_messages,
    person_message,
    told_message,
)
from adapters.slack.render_views import confirm_modal, form_modal, home_view, sources_modal
from bot.chat import Outcome
from bot.forms import Confirm, Told
from bot.home import HomeView
from bot.messages import Answer
from tests.preview.browser import picture
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
from tests.preview.slack_page import Shown, home, modal, thread

LONG = Answer(
    question="How do I roll back a release?",
    answered=True,
    text="""\
## Roll back a release

1. Find the last good version in `releases.json` [1].
2. Tell `#deploys`, then run the command below.
3. Watch the error rate for ten minutes ☑

```bash
# one region at a time
deployctl rollback --region eu-1 --to 2026.9.3
deployctl status --watch <region>
```

| Region | Window (UTC) | Who approves |
| --- | --- | --- |
| eu-1 | 06:00–18:00 | on-call |
| us-2 | 14:00–02:00 | on-call, then the lead |

> A rollback keeps the database as it is [2].

- Configuration lives in README.md and `config.toml`
  - secrets never do

אם משהו נכשל, פנו לצוות התפעול ☺ [1]
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
        citation(2, "Guest wifi", "", "2025-02-11", quote="Guests get a voucher for a day at the desk."),
    ),
    id="a3",
)


def ask(text: str, who: str = "Mara Lind", time: str = "10:24") -> Shown:
    """Return a person's message."""
    return Shown(who=who, blocks=[{"type": "markdown", "text": text}], app=False, time=time)


def said(outcome: Outcome, *, only: str = "", time: str = "10:24") -> list[Shown]:
    """Return the bot's messages for an outcome."""
    messages = answer_messages(outcome, EN, now=NOW)
    return [Shown(who="Lorekeeper", blocks=message.blocks, only=only, time=time) for message in messages]


def answer() -> str:
    """Show a mention in a channel and its answer."""
    outcome = Outcome(answer=ANSWER, controls=PUBLIC)
    return thread(
        "Thread", [ask("**@Lorekeeper** How do I claim travel expenses?"), *said(outcome)], note="#finance"
    )


def long_answer() -> str:
    """Show a long answer: headings, code, a table, lists, a quotation, right-to-left text."""
    notes = (EN.image_unread.format(name="screenshot.png"),)
    outcome = Outcome(answer=LONG, controls=PUBLIC, notes=notes)
    return thread(
        "Thread", [ask("**@Lorekeeper** How do I roll back a release?"), *said(outcome)], note="#deploys"
    )


def unanswered() -> str:
    """Show what is said when nothing was found, and the call for a person."""
    called = person_message("S0123ABCD", EN.person_needed.format(name="Mara Lind"))
    return thread(
        "Thread",
        [
            ask("**@Lorekeeper** What is the wifi password of the Lisbon office?"),
            *said(Outcome(answer=UNANSWERED, controls=("sources", "person", "resolved"))),
            Shown(who="Lorekeeper", blocks=called.blocks, time="10:26"),
        ],
        note="#it-help",
    )


def private() -> str:
    """Show the private answer to /ask, and a draft for reviewers."""
    outcome = Outcome(answer=ANSWER, controls=("feedback", "sources", "share"), shown="private")
    draft = Outcome(answer=ANSWER, controls=("sources", "approve", "discard"), shown="draft")
    return thread(
        "finance",
        [*said(outcome, only="Only visible to you"), *said(draft, only="Only visible to you", time="10:31")],
    )


def errors() -> str:
    """Show lines that say why there is no answer."""
    lines = (
        EN.busy.format(id="7f3a91c2"),
        EN.too_many.format(questions=EN.count(20, EN.question), wait="4 minutes"),
        EN.share_not_possible,
        EN.not_allowed.format(who=EN.who_admins),
    )
    return thread("Thread", [Shown(who="Lorekeeper", blocks=line_message(line).blocks) for line in lines])


def kb_list() -> str:
    """Show what /kb list and /kb remove say."""
    removing = Told(
        text="Remove **runbooks** (58 documents) from what I know?",
        confirm=Confirm(title=EN.remove_title, text="", label=EN.remove, command="remove runbooks --yes"),
    )
    shown = [
        Shown(who="Lorekeeper", blocks=told_message(told, EN).blocks, only="Only visible to you")
        for told in (LISTED, removing)
    ]
    return thread("finance", shown)


def app_home() -> str:
    """Show the Home tab of an admin."""
    view = HomeView(
        sources=home_sources(failed=0),
        documents=284,
        freshest=NOW - 180,
        suggested=("How do I claim travel expenses?", "Who approves a rollback in us-2?"),
        recent=("Where is the VPN profile?",),
        admin=True,
        settings=(("Answers in channels", "when mentioned"), ("Follow-ups without a mention", "yes")),
    )
    return home(home_view(view, EN, now=NOW))


def add_form() -> str:
    """Show the form of /kb add."""
    return modal(form_modal(ADD_FORM, EN))


def sources() -> str:
    """Show the passages behind an answer."""
    return modal(sources_modal((EXPENSES, MEALS), EN, now=NOW))


def confirm() -> str:
    """Show the question before a source is removed."""
    text = EN.remove_question.format(name="runbooks", what="58 documents")
    asked = Confirm(title=EN.remove_title, text=text, label=EN.remove, command="remove runbooks --yes")
    return modal(confirm_modal(asked, EN))


def vote() -> str:
    """Show a vote with its buttons, what one who voted reads, and how it ended."""
    return thread(
        "finance",
        [
            *(Shown(who="Lorekeeper", blocks=one.blocks) for one in notice_messages(VOTE, VOTE_CHOICES)),
            Shown(
                who="Lorekeeper",
                blocks=line_message(VOTED).blocks,
                only="Only visible to you",
                time="10:25",
            ),
            *(
                Shown(who="Lorekeeper", blocks=one.blocks, time="16:02")
                for one in notice_messages(VOTE_RESULT)
            ),
        ],
    )


SCENES: Mapping[str, tuple[Callable[[], str], int]] = {
    "slack-answer": (answer, 720),
    "slack-long-answer": (long_answer, 720),
    "slack-unanswered": (unanswered, 720),
    "slack-private": (private, 720),
    "slack-errors": (errors, 720),
    "slack-vote": (vote, 720),
    "slack-kb": (kb_list, 720),
    "slack-home": (app_home, 760),
    "slack-add": (add_form, 600),
    "slack-sources": (sources, 600),
    "slack-confirm": (confirm, 600),
}


async def write(folder: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """Write the pictures into a folder, all or the named ones; return where."""
    written: list[Path] = []
    for name, (scene, width) in SCENES.items():
        if not names or name in names:
            await picture(scene(), target := folder / f"{name}.png", width=width, height=2_400)
            written.append(target)
    return written


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    for path in asyncio.run(write(Path(sys.argv[1]), tuple(sys.argv[2:]))):
        sys.stdout.write(f"{path}  {path.stat().st_size // 1024} kB\n")
