"""Drafts made from templates with their facts, and what a style model does to them: keeps, drops, changes, invents."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

NAMES = ("Priya", "Marcus", "Yusuf", "Ingrid", "Tomoko", "Leila", "Oskar", "Chidi")
TOOLS = ("Grafana", "Okta", "Jenkins", "Vault", "Terraform", "Kafka", "Jira", "Helm")
UNITS = ("minutes", "hours", "days", "GB", "percent", "replicas", "attempts")
VERBS = (
    "restart the gateway",
    "merge to the main branch",
    "share the recovery codes",
    "delete the staging index",
)
COMMANDS = ("make deploy", "kubectl rollout undo", "lorekeeper sync --all", "systemctl reload nginx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft with its facts, and the same told in a voice by hand."""

    text: str
    kept: str
    number: str
    name: str
    denial: str
    link: str

    @property
    def marker(self) -> str:
        """Its last citation."""
        return "[2]"


def draft(seed: int) -> Draft:
    """Return one of many drafts; the same seed gives the same."""
    dice = random.Random(seed)
    name, tool, unit = dice.choice(NAMES), dice.choice(TOOLS), dice.choice(UNITS)
    number, verb, command = str(dice.randint(3, 98)), dice.choice(VERBS), dice.choice(COMMANDS)
    link = f"https://wiki.example.com/{dice.choice(TOOLS).lower()}/{dice.randint(1, 99)}"
    sentences = dice.choice(
        (
            (
                f"{tool} waits {number} {unit} before it gives up [1]. {name} looks after it: do not {verb} on "
                f"{{day}} [2]. Run `{command}` and read {link} [2].",
                f"Ahoy! {tool} be waitin' {number} {unit} afore it gives up [1]. {name} minds it, matey, so never "
                f"{verb} on a {{day}} [2]. Then run `{command}` and study {link} [2], aye!",
            ),
            (
                f"Requests to {tool} stop after {number} {unit} [1]. You must not {verb} on {{day}}; ask {name} first "
                f"[2]. The command is `{command}`, and {link} explains it [2].",
                f"Listen, friend: after {number} {unit}, requests to {tool} stop [1]. Don't {verb} on {{day}}, and ask "
                f"{name} first [2]. {link} explains it, and `{command}` is the command [2].",
            ),
            (
                f"The limit in {tool} is {number} {unit} [1]. {name} says that you should never {verb} on {{day}} [2]. "
                f"See {link}, then run `{command}` [2].",
                f"Well now, the limit in {tool} be {number} {unit} [1]. Never {verb} on {{day}}, says {name} [2]. "
                f"Have a look at {link} and after that run `{command}` [2]. Cheers!",
            ),
        )
    )
    day = dice.choice(("Monday", "Friday", "Sunday"))
    text, kept = (sentence.replace("{day}", day) for sentence in sentences)
    denial = next(word for word in ("must not ", "do not ", "never ") if word in text)
    return Draft(text=text, kept=kept, number=number, name=name, denial=denial, link=link)


def drops_number(one: Draft) -> str:
    """(b) Leave the number out."""
    return one.kept.replace(f"{one.number} ", "some ")


def changes_name(one: Draft) -> str:
    """(c) Put another person in."""
    other = NAMES[(NAMES.index(one.name) + 1) % len(NAMES)]
    return one.kept.replace(one.name, other)


def flips_denial(one: Draft) -> str:
    """(d) Allow what is denied."""
    for denial, allowed in (("so never ", "so do "), ("Don't ", "Do "), ("Never ", "Always ")):
        if denial in one.kept:
            return one.kept.replace(denial, allowed, 1)
    raise AssertionError(one.kept)


def invents_link(one: Draft) -> str:
    """(e) Add an address."""
    return f"{one.kept} More at https://pirates.example.net/{one.number}."


def removes_citation(one: Draft) -> str:
    """(f) Leave the last passage uncited."""
    return one.kept.replace(" [2]", "")


BREAKS: dict[str, Callable[[Draft], str]] = {
    "drops a number": drops_number,
    "changes a name": changes_name,
    "flips a negation": flips_denial,
    "invents a link": invents_link,
    "removes a citation": removes_citation,
}
