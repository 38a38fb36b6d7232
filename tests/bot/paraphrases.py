"""Drafts and rewrites that say the same, and rewrites that do not: written by us, by hand and from templates."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import itertools
from collections.abc import Iterator

SAME: tuple[tuple[str, str], ...] = (
    ("Backups are kept for 30 days [1].", "We hang on to backups for thirty days [1]."),
    ("Backups are kept for 30 days [1].", "Thirty days: that's how long we keep backups [1]!"),
    ("The API allows 1,000 requests per minute [1].", "You get 1000 requests a minute out of the API [1]."),
    ("Uploads are limited to 25 MB [1].", "You can upload files of up to 25 MB [1]."),
    ("Uploads must not exceed 25 MB [1].", "Keep uploads at 25 MB at most, please [1]."),
    ("At least 3 reviewers must approve [1].", "You need a minimum of three reviewers to approve [1]."),
    ("At least 3 reviewers must approve [1].", "Three or more reviewers have to approve it [1]."),
    ("No more than 5 retries are made [1].", "It retries five times at most [1]."),
    ("Do not deploy on Fridays [1].", "Friday deploys? Never! [1]"),
    ("Do not deploy on Fridays [1].", "Deploying on a Friday is off limits [1]."),
    ("Do not deploy on Fridays [1].", "Please avoid deploying on Fridays [1]."),
    ("Do not deploy on Fridays [1].", "Never deploy on a Friday, matey [1]!"),
    ("You cannot restore deleted accounts [1].", "Deleted accounts can't be restored [1]."),
    ("You cannot restore deleted accounts [1].", "It is impossible to restore a deleted account [1]."),
    ("You cannot restore deleted accounts [1].", "Once an account is deleted, nobody can restore it [1]."),
    ("Guests are not allowed in the lab [1].", "The lab is forbidden ground for guests [1]."),
    ("Guests are not allowed in the lab [1].", "No guests in the lab [1]."),
    ("Guests are not allowed in the lab [1].", "The lab ain't for guests, folks [1]."),
    ("The service runs without a database [1].", "No database is needed to run the service [1]."),
    ("The service runs without a database [1].", "The service doesn't need a database to run [1]."),
    ("Everyone except contractors gets a badge [1].", "Badges go to everyone but not to contractors [1]."),
    ("Everyone except contractors gets a badge [1].", "Apart from contractors, everyone gets a badge [1]."),
    ("The job fails unless the token is set [1].", "If the token isn't set, the job fails [1]."),
    ("The job fails unless the token is set [1].", "Without the token set, the job will fail [1]."),
    ("Restart the worker after the migration [1].", "Once the migration is done, restart the worker [1]."),
    ("Restart the worker after the migration [1].", "After the migration, give the worker a restart [1]."),
    ("Run the migration before the restart [1].", "Before you restart, run the migration [1]."),
    ("Run the migration before the restart [1].", "Restart only after you have run the migration [1]."),
    ("Priya Shah owns billing [1].", "Billing is owned by Priya Shah [1]."),
    ("Priya Shah owns billing [1].", "For billing, talk to Priya Shah [1]."),
    ("Alice owns billing and Bob owns search [1].", "Search is Bob's, billing is Alice's [1]."),
    ("Alice owns billing and Bob owns search [1].", "Billing and search belong to Alice and Bob respectively [1]."),
    ("The office opens at 9:00 and closes at 18:00 [1].", "Doors open at 9 am and close at 6 pm [1]."),
    ("The release is on 3 March 2025 [1].", "Mark March 3, 2025 in your calendar: release day [1]!"),
    ("The release is on 2025-03-03 [1].", "We ship on Monday, March 3rd, 2025 [1]."),
    ("The stand-up is at noon [1].", "Stand-up happens at 12:00 [1]."),
    ("Logs are deleted after 24 hours [1].", "After a day, the logs are gone [1]."),
    ("Logs are deleted after 24 hours [1].", "Logs get deleted once 24 hours have passed [1]."),
    ("The cache lives for 60 minutes [1].", "The cache sticks around for one hour [1]."),
    ("Half of the budget goes to travel [1].", "50% of the budget is spent on travel [1]."),
    ("VAT is 19 % [1].", "VAT comes to nineteen percent [1]."),
    ("VAT is 19 % [1].", "Nineteen per cent is the VAT [1]."),
    ("Run `make test` before you push [1].", "Before pushing, run `make test` [1]."),
    ("Run `make test` before you push [1].", "Ahoy! `make test` must run afore ye push [1]."),
    ("Set LOREKEEPER_CONFIG to the file's path [1].", "The path of the file goes into `LOREKEEPER_CONFIG` [1]."),
    ("See https://docs.example.com/start [1].", "All is told at https://docs.example.com/start [1]."),
    ("Write to help@example.com [1].", "Drop a line to help@example.com, friend [1]."),
    ("You must change the password every 90 days [1].", "Passwords have to be changed every ninety days [1]."),
    ("You must change the password every 90 days [1].", "Change your password every 90 days [1]."),
    ("You may carry over 5 days of leave [1].", "Five days of leave can be carried over [1]."),
    ("You may carry over up to 5 days of leave [1].", "You're allowed to carry over at most five days of leave [1]."),
    ("Visitors must sign in [1]. They must wear a badge [2].", "Visitors have to sign in [1] and wear a badge [2]."),
    ("Tea is free [1]. Coffee costs 1 euro [2].", "Free tea for all [1]! For coffee, pay €1 [2]."),
    ("Tea is free [1]. Coffee costs 1 euro [2].", "A coffee is 1 euro [2], while tea is free [1]."),
    ("The gateway listens on port 8443 [1].", "Port 8443 is where the gateway listens [1]."),
    ("Use Python 3.11 or later [1].", "You need Python 3.11 or newer [1]."),
    ("There is no charge for students [1].", "Students don't pay a charge [1]."),
    ("There is no charge for students [1].", "Students ride free of charge [1]."),
    ("The lift does not stop on floor 4 [1].", "Floor 4 is skipped by the lift [1]."),
    ("It takes 5-10 minutes [1].", "Give it five to ten minutes [1]."),
    ("It takes between 5 and 10 minutes [1].", "5 to 10 minutes is what it takes [1]."),
    ("Contact Marcus on Slack [1].", "Give Marcus a shout on Slack [1]."),
    ("The token expires in 15 minutes [1].", "You've got a quarter of an hour, that's 15 minutes, with that token [1]."),
    ("Two-factor login is not optional [1].", "Two-factor login is mandatory, not optional [1]."),
    ("Interns are not paid for overtime [1].", "Interns get no pay for overtime [1]."),
    ("Interns are not paid for overtime [1].", "Overtime is unpaid for interns, I'm afraid: they are not paid [1]."),
    ("Keys are never logged [1].", "Keys don't ever end up in the logs [1]."),
    ("Keys are never logged [1].", "Rest easy: no keys are logged, ever [1]."),
    ("Only admins can delete a source [1].", "Nobody but admins can delete a source [1]."),
    ("Only admins can delete a source [1].", "Deleting a source is for admins only [1]."),
    ("The index is rebuilt nightly [1].", "Every night the index gets rebuilt [1]."),
    ("The report is due on the 3rd of each month [1].", "Each month's report is due on the third [1]."),
    ("Version 2.4.1 fixes the crash [1].", "The crash is gone in 2.4.1: it fixes that [1]."),
    ("A dozen servers run in Frankfurt [1].", "12 servers hum along in Frankfurt [1]."),
    ("The budget is $2,500 [1].", "We have 2500 dollars to spend: that is the budget [1]."),
    ("The file is 1.5 GB [1].", "It's a hefty file of 1.5 gigabytes [1]."),
    ("Kubernetes restarts the pod [1].", "The pod gets restarted by kubernetes [1]."),
    ("The VPN is needed outside the office [1].", "Out of the office? Then you need the VPN [1]."),
    ("Feature flags live in LaunchDarkly [1].", "LaunchDarkly is home to our feature flags [1]."),
    ("Expenses above 100 EUR need approval [1].", "Anything over 100 euros needs to be approved before you expense it [1]."),
)  # fmt: skip

DIFFERENT: tuple[tuple[str, str], ...] = (
    ("Backups are kept for 30 days [1].", "We hang on to backups for 30 hours [1]."),
    ("Backups are kept for 30 days [1].", "We hang on to backups for thirteen days [1]."),
    ("Backups are kept for 30 days [1].", "We hang on to backups for a good while [1]."),
    ("Backups are kept for 30 days [1].", "We hang on to 7 backups for 30 days [1]."),
    ("Uploads are limited to 25 MB [1].", "You can upload at least 25 MB [1]."),
    ("At least 3 reviewers must approve [1].", "At most three reviewers must approve [1]."),
    ("At least 3 reviewers must approve [1].", "At least 3 reviewers may approve [1]."),
    ("No more than 5 retries are made [1].", "No fewer than 5 retries are made [1]."),
    ("Do not deploy on Fridays [1].", "Do deploy on Fridays [1]!"),
    ("Do not deploy on Fridays [1].", "Deploy on Fridays, no worries [1]!"),
    ("You may deploy on Fridays [1].", "You may not deploy on Fridays [1]."),
    ("You may deploy on Fridays [1].", "You must deploy on Fridays [1]."),
    ("Guests are not allowed in the lab [1].", "Guests are allowed in the lab [1]."),
    ("Guests are forbidden in the lab [1].", "Guests are welcome in the lab [1]."),
    ("Guests are allowed in the lab [1].", "Guests are forbidden in the lab [1]."),
    ("Do not skip the tests [1].", "Skip the tests [1]."),
    ("Backups cannot be disabled [1].", "Backups can be disabled [1]."),
    ("The service runs without a database [1].", "The service runs with a database [1]."),
    ("Everyone except contractors gets a badge [1].", "Everyone gets a badge, contractors too [1]."),
    ("The job fails unless the token is set [1].", "The job fails when the token is set [1]."),
    ("Restart the worker after the migration [1].", "Restart the worker before the migration [1]."),
    ("Priya Shah owns billing [1].", "Marcus Shah owns billing [1]."),
    ("Priya Shah owns billing [1].", "Priya owns billing [1]."),
    ("Alice owns billing and Bob owns search [1].", "Bob owns billing and Alice owns search [1]."),
    ("Alice reports to Bob [1].", "Bob reports to Alice [1]."),
    ("Use 3 replicas and 5 shards [1].", "Use 5 replicas and 3 shards [1]."),
    ("The office opens at 9:00 [1].", "The office opens at 9 pm [1]."),
    ("The release is on 3 March 2025 [1].", "The release is on 3 May 2025 [1]."),
    ("The release is on 3 March 2025 [1].", "The release is on Friday, 3 March 2025 [1]."),
    ("Run `make test` before you push [1].", "Run `make tests` before you push [1]."),
    ("Run `make test` before you push [1].", "Run the tests before you push [1]."),
    ("See https://docs.example.com/start [1].", "See https://docs.example.com/stop [1]."),
    ("See https://docs.example.com/start [1].", "See the docs [1]."),
    ("Write to help@example.com [1].", "Write to help@example.org [1]."),
    ("Tea is free [1]. Coffee costs 1 euro [2].", "Tea is free [2]. Coffee costs 1 euro [1]."),
    ("Tea is free [1]. Coffee costs 1 euro [2].", "Tea is free. Coffee costs 1 euro [2]."),
    ("Tea is free [1].", "Tea is free [1][2]."),
    ("VAT is 19 % [1].", "VAT is 19 [1]."),
    ("VAT is 19 % [1].", "VAT is 19 %. That is not true [1]."),
    ("You don't have to register [1].", "You must not register [1]."),
    ("Keys are never logged [1].", "Keys are always logged [1]."),
    ("Ask @helpdesk [1].", "Ask @pirates [1]."),
    ("Kafka feeds the index [1].", "RabbitMQ feeds the index [1]."),
    ("Set `retries` to 3 [1].", "Set `retries` to -3 [1]."),
)  # fmt: skip

_CLAIMS = (
    ("{tool} keeps logs for {n} days", "{w} days of logs are kept by {tool}"),
    ("{name} approves requests over {n} euros", "requests above {n} € are approved by {name}"),
    ("{tool} is not reachable from {place}", "from {place} you can't reach {tool}"),
    ("the {place} office has {n} desks", "you'll find {w} desks in the {place} office"),
    ("{name} must confirm each change in {tool}", "each change in {tool} has to be confirmed by {name}"),
    ("{tool} retries at most {n} times", "{tool} won't retry more than {w} times"),
)
_VOICES = (
    "Ahoy, matey! {0} [1]. And mark me words: {1} [2]!",
    "Well, well. {0} [1]. Also, {1} [2]. Cheers!",
    "Right then: {0} [1] - and {1} [2]. No worries!",
    "Hey! Quick one: {0} [1]. Oh, and {1} [2] :)",
)
_VALUES = (
    {"tool": "Grafana", "name": "Priya", "n": "14", "w": "fourteen", "place": "Berlin"},
    {"tool": "Okta", "name": "Marcus", "n": "30", "w": "thirty", "place": "Lisbon"},
    {"tool": "Jenkins", "name": "Yusuf", "n": "12", "w": "twelve", "place": "Oslo"},
)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def templated() -> Iterator[tuple[str, str]]:
    """Yield pairs made from two claims each, told in one of the voices."""
    pairs = itertools.permutations(_CLAIMS, 2)
    for number, (one, two) in enumerate(pairs):
        for at, values in enumerate(_VALUES):
            voice = _VOICES[(number + at) % len(_VOICES)]
            draft = f"{_sentence(one[0].format(**values))} [1]. {_sentence(two[0].format(**values))} [2]."
            first, second = one[1].format(**values), two[1].format(**values)
            begins = voice.startswith(("Ahoy", "Well"))
            yield draft, voice.format(_sentence(first) if begins else first, second)
            yield draft, f"{_sentence(second)} [2]. {_sentence(first)} [1]."
