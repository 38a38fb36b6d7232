"""`lorekeeper ask` and `lorekeeper search`."""

from __future__ import annotations

from pathlib import Path

import click

from adapters.cli_options import Place, json_option, place_options

_QUESTIONS = click.option(
    "--questions",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help='JSON lines with "id" and "question" (- reads standard input); prints one JSON line each, in order.',
)
_AUDIENCE = click.option(
    "--audience", metavar="TAG", multiple=True, help="A tag that you hold; may be given several times."
)
_SOURCE = click.option(
    "--source", metavar="NAME", multiple=True, help="Only this source; may be given several times."
)


@click.command(short_help="Answer a question, with citations.")
@click.argument("question", required=False)
@_QUESTIONS
@_AUDIENCE
@_SOURCE
@click.option("--persona", metavar="NAME", help="Answer in this persona's voice.")
@json_option
@place_options
@click.pass_obj
def ask(
    place: Place,
    question: str | None,
    questions: Path | None,
    audience: tuple[str, ...],
    source: tuple[str, ...],
    persona: str | None,
    as_json: bool,
) -> int:
    """Answer QUESTION from the indexed documents, or say that they do not tell."""
    from adapters.asking import Ask, run_ask

    asked = _asked(question, questions)
    request = Ask(question=asked, file=questions, audience=audience, sources=source, as_json=as_json)
    return run_ask(place, request, persona=persona)


@click.command(short_help="List the passages nearest to a question.")
@click.argument("question", required=False)
@click.option("--limit", metavar="N", type=click.IntRange(1, 100), default=10, show_default=True)
@_QUESTIONS
@_AUDIENCE
@_SOURCE
@json_option
@place_options
@click.pass_obj
def search(
    place: Place,
    question: str | None,
    limit: int,
    questions: Path | None,
    audience: tuple[str, ...],
    source: tuple[str, ...],
    as_json: bool,
) -> int:
    """List the passages that stand nearest to QUESTION, without an answer."""
    from adapters.asking import Ask, run_search

    asked = _asked(question, questions)
    request = Ask(question=asked, file=questions, audience=audience, sources=source, as_json=as_json)
    return run_search(place, request, limit=limit)


def _asked(question: str | None, questions: Path | None) -> str:
    if (question is None) == (questions is None):
        raise click.UsageError("Give one QUESTION in quotes, or --questions FILE.")
    if question is not None and not question.strip():
        raise click.UsageError("The question is empty.")
    return question or ""
