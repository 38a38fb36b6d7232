"""What the bot's own words are in any language: one field a word or sentence, no word of any language.

`{name}` in a text is filled in with `str.format`. Two forms are those for one and for many. `failures` go by
the name of an error's class, `unread` by a document's status, `statuses` by a run's, `types` by a source's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Forms = tuple[str, str]

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The bot's own words in one language."""

    language: str
    thousands: str
    decimal: str
    pair: str

    # Buttons and labels; short, for a button holds 75 characters
    helpful: str
    not_helpful: str
    sources: str
    person: str
    resolved: str
    share: str
    approve: str
    discard: str
    ask: str
    add: str
    save: str
    remove: str
    cancel: str
    close: str
    send: str
    refresh: str
    sync: str
    stop: str
    open: str

    # While an answer is made
    working: str
    loading: tuple[str, ...]

    # Around an answer
    nearest: str
    updated: str
    draft: str
    private: str
    shared_by: str
    shortened: str
    quoted_instead: str
    model_failures: Mapping[str, str]
    image_unread: str
    file_unread: str
    stopped: str
    nothing_runs: str
    not_stopper: str

    # Instead of an answer
    not_found: str
    no_documents: str
    no_documents_here: str
    cannot_search: str
    no_question: str
    answer_follows: str
    no_documents_from: str
    busy: str
    failed: str
    too_many: str
    place_unknown: str
    later: str

    # What went wrong; a system's own words follow a failure, for those who can do something about it
    failures: Mapping[str, str]
    logged: str

    # Under an answer
    thanks: str
    sorry: str
    what_was_wrong: str
    comment_hint: str
    answer_gone: str
    no_sources: str
    person_called: str
    person_called_already: str
    person_unknown: str
    person_needed: str
    marked_resolved: str
    shared: str
    share_not_possible: str
    share_reviewed: str
    approved: str
    discarded: str
    not_reviewer: str
    not_asker: str
    draft_gone: str
    draft_sent: str
    draft_sent_privately: str

    # Home and presence
    home_title: str
    greeting: str
    what_i_know: str
    nothing_yet: str
    suggested: str
    suggest_title: str
    your_questions: str
    settings: str
    troubles: str
    last_synced: str
    next_sync: str
    never_synced: str
    syncing: str
    paused: str
    held: str
    due_now: str
    presence: str
    add_source: str
    mode: str
    modes: Mapping[str, str]
    notices_to: str
    threshold: str
    follow_ups: str
    nobody: str
    nowhere: str
    yes: str
    no: str

    # Commands and forms
    command_ask: str
    command_kb: str
    option_question: str
    option_persona: str
    option_private: str
    option_location: str
    option_source: str
    option_file: str
    allow_deletes: str
    direct_closed: str
    ask_about: str
    save_message: str
    subcommands: Mapping[str, str]
    location: str
    location_hint: str
    name: str
    name_hint: str
    every: str
    every_hint: str
    audience: str
    audience_hint: str
    title: str
    text: str
    link: str
    author: str
    review: str
    review_hint: str
    saved: str
    saved_for_here: str
    saved_later: str
    saved_unread: str
    saved_again: str
    save_note: str
    seen_by: str
    everyone: str
    only_here: str
    only_me: str
    optional: str

    # What the commands about the knowledge say
    help: str
    not_allowed: str
    who_admins: str
    who_named: str
    unknown_command: str
    which_source: str
    which_location: str
    wrong_word: str
    source_unknown: str
    name_taken: str
    own_machine: str
    history_audience: str
    held_back: str
    field_empty: str
    too_long: str
    bad_day: str
    bad_name: str
    bad_every: str
    bad_file_name: str
    file_too_large: str
    file_elsewhere: str
    file_refused: str
    file_not_fetched: str
    cannot_write: str
    own_data: str
    in_settings: str
    sync_waiting: str
    sync_elsewhere: str
    did_you_mean: str
    no_sources_yet: str
    added: str
    sync_began: str
    sync_listing: str
    sync_going: str
    sync_done: str
    sync_failed: str
    sync_held: str
    sync_nothing: str
    remove_title: str
    remove_question: str
    removed: str
    was_paused: str
    was_resumed: str
    was_not_paused: str
    status_line: str
    models: str
    runs: str
    not_indexed: str
    error: str
    attention: str
    gone: str
    stored: str
    changes: Mapping[str, Forms]
    statuses: Mapping[str, str]
    types: Mapping[str, str]
    unread: Mapping[str, str]
    more: str

    # Notices
    notice_failing: str
    notice_attention: str
    notice_held: str
    notice_well: str

    # Numbers and times
    document: Forms
    node: Forms
    source: Forms
    question: Forms
    deletion: Forms
    failure: Forms
    minute: Forms
    hour: Forms
    day: Forms
    month: Forms
    year: Forms
    ago: str
    ahead: str
    just_now: str
    at_once: str
    never: str

    def labelled(self, label: str, value: str = "") -> str:
        """Return a label with what it labels; without a value, as what heads the lines below it."""
        return self.pair.format(label=label, value=value).rstrip()

    def count(self, number: int, forms: Forms) -> str:
        """Return a number with its noun: `1 document`, `2,000 documents`."""
        return forms[number != 1].format(self.number(number))

    def number(self, number: int) -> str:
        """Return a whole number with its thousands set apart."""
        return f"{number:,}".replace(",", self.thousands)

    def seconds(self, seconds: float) -> str:
        """Return a short time to a tenth of a second: `1.5 s`."""
        return f"{seconds:.1f} s".replace(".", self.decimal)

    def when(self, moment: float | None, now: float) -> str:
        """Return how long ago a moment was, or how far ahead it lies; `never` for None."""
        if moment is None:
            return self.never
        seconds = now - moment
        span = self.span(abs(seconds))
        if not span:
            return self.just_now if seconds >= 0 else self.at_once
        return (self.ago if seconds > 0 else self.ahead).format(span)

    def age(self, updated: str, now: float) -> str:
        """Return how old what changed at an ISO 8601 moment is, such as `3 days ago`; empty if unknown."""
        try:
            moment = datetime.fromisoformat(updated)
        except ValueError:
            return ""
        at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return self.when(min(at.timestamp(), now), now)

    def span(self, seconds: float) -> str:
        """Return a time in its largest unit, such as `3 days`; empty below a minute."""
        for size, forms in (
            (365 * _DAY, self.year),
            (30 * _DAY, self.month),
            (_DAY, self.day),
            (3600, self.hour),
            (60, self.minute),
        ):
            if seconds >= size:
                return self.count(int(seconds // size), forms)
        return ""
