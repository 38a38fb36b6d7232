"""`lorekeeper persona`: a voice from a person's own messages, its training, its evidence, its switch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from adapters.cli_options import Place, json_option, place_options

_NAME = click.argument("name")
_DATASET = click.option(
    "--dataset",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the data set. Default: the one that `persona dataset` wrote for NAME.",
)
_CHANNEL = click.option("--channel", metavar="ID", help="Only in this channel: slack:T0123:C0456.")
_PERSON = click.option("--person", metavar="ID", help="Only for this person: slack:T0123:U0789.")


@click.group(short_help="Train a voice, compare it, switch it on and off.", no_args_is_help=True)
@place_options
def persona() -> None:
    """Give checked answers in a trained voice, with the facts locked. docs/persona.md is the guide."""


@persona.command(short_help="Make training data from exports.")
@click.option(
    "--speaker", "speakers", metavar="NAME|ID", multiple=True, required=True,
    help="Whose voice; may be given several times, for one person's names in several exports.",
)  # fmt: skip
@click.option(
    "--from", "exports", metavar="EXPORT", multiple=True, required=True,
    help="Slack export zip, DiscordChatExporter JSON, mbox, plain transcript, a folder of these, or the word "
    "ledger: this bot's well-rated answers. Several may follow.",
)  # fmt: skip
@click.option(
    "--consent", metavar="FILE", type=click.Path(path_type=Path), required=True,
    help="Who agreed that their messages are used: one name or id a line.",
)  # fmt: skip
@click.option("--persona", "name", metavar="NAME", help="Which persona it is for. Default: [persona] name.")
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path),
    help="Where the files go. Default: personas/NAME/dataset in the data folder.",
)  # fmt: skip
@click.option(
    "--others", type=click.Choice(("leave-out", "unnamed")), default="leave-out", show_default=True,
    help="Words of people who did not agree, as context: leave them out, or keep them without names.",
)  # fmt: skip
@click.option(
    "--drafts", type=click.Choice(("plain", "model")), default="plain", show_default=True,
    help="Who writes the plain drafts of rewrite pairs: rules, or the model of [llm].",
)  # fmt: skip
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=0), default=5000, show_default=True,
    help="At most so many replies, spread over all; 0: all.",
)  # fmt: skip
@click.option(
    "--validation", metavar="SHARE", type=click.FloatRange(0.01, 0.5), default=0.1, show_default=True,
    help="Share of the replies, by whole conversations, that is kept for validation.",
)  # fmt: skip
@click.option(
    "--region", metavar="CC", default="US", show_default=True,
    help="Country of phone numbers without a country code, such as DE.",
)  # fmt: skip
@click.option(
    "--price", metavar="X", type=click.FloatRange(min=0), default=5.0, show_default=True,
    help="Price of a million training tokens, for the estimate.",
)  # fmt: skip
@click.option(
    "--epochs", metavar="N", type=click.IntRange(1, 50), default=3, show_default=True,
    help="Passes over the data, for the estimate.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over an earlier data set.")
@click.argument("more", metavar="[EXPORT]...", nargs=-1)
@json_option
@place_options
@click.pass_obj
def dataset(
    place: Place,
    /,
    speakers: tuple[str, ...],
    exports: tuple[str, ...],
    more: tuple[str, ...],
    consent: Path,
    name: str | None,
    out: Path | None,
    limit: int,
    as_json: bool,
    **options: object,
) -> int:
    """Make training data in the voice of one person from exported conversations.

    Only what people who are named in the consent file said is used. Mentions, links, secrets and personal
    data are taken out. Writes train.jsonl, validation.jsonl, replies.jsonl, report.txt and report.json.
    """
    from adapters.persona_dataset import Asked, run_dataset

    asked = Asked(
        speakers=speakers,
        exports=(*exports, *more),
        consent=consent,
        persona=name,
        out=out,
        limit=limit,
        **options,  # type: ignore[arg-type] # click checked the types of the others
    )
    return run_dataset(place, asked, as_json=as_json)


@persona.command(short_help="Train a voice on its data set.")
@_NAME
@click.option(
    "--backend", type=click.Choice(("openai", "lora")), default="openai", show_default=True,
    help="A fine-tuning job at the API, or a LoRA adapter on this machine.",
)  # fmt: skip
@click.option("--base", metavar="MODEL", help="The model to start from: a name, a path or an id.")
@_DATASET
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path),
    help="Where the adapter goes (lora). Default: personas/NAME/adapter in the data folder.",
)  # fmt: skip
@click.option("--epochs", metavar="N", type=click.IntRange(1, 50), help="Passes over the data.")
@click.option("--resume", is_flag=True, help="Follow the job that was started before, start none.")
@json_option
@place_options
@click.pass_obj
def train(
    place: Place,
    /,
    name: str,
    backend: Literal["openai", "lora"],
    base: str | None,
    dataset: Path | None,
    out: Path | None,
    epochs: int | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Train the persona NAME and write its model's id to it. Ctrl-C leaves a job running: --resume."""
    from adapters.persona_training import run_train

    return run_train(
        place,
        name,
        backend=backend,
        base=base,
        dataset=dataset,
        out=out,
        epochs=epochs,
        resume=resume,
        as_json=as_json,
    )


@persona.command(short_help="Cancel a training job.")
@_NAME
@json_option
@place_options
@click.pass_obj
def cancel(place: Place, name: str, as_json: bool) -> int:
    """Cancel the training job of the persona NAME."""
    from adapters.persona_training import run_cancel

    return run_cancel(place, name, as_json=as_json)


@persona.command(short_help="Compare answers with and without the voice.")
@click.argument("questions", type=click.Path(path_type=Path))
@click.option("--persona", "name", metavar="NAME", help="Which persona. Default: [persona] name.")
@_DATASET
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page with charts.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N questions.")
@json_option
@place_options
@click.pass_obj
def compare(
    place: Place,
    questions: Path,
    name: str | None,
    dataset: Path | None,
    html: Path | None,
    limit: int | None,
    as_json: bool,
) -> int:
    """Answer QUESTIONS (JSON lines with question and answers) in every way and say which to choose."""
    from adapters.persona_comparing import run_compare

    return run_compare(
        place, questions, persona=name, dataset=dataset, html=html, limit=limit, as_json=as_json
    )


@persona.command(short_help="Show the blind votes.")
@click.option("--persona", "name", metavar="NAME", help="Which persona. Default: [persona] name.")
@json_option
@place_options
@click.pass_obj
def vote(place: Place, name: str | None, as_json: bool) -> int:
    """Show how people voted between answers with and without the voice, not knowing which was which."""
    from adapters.persona_comparing import run_vote

    return run_vote(place, persona=name, as_json=as_json)


@persona.command("list", short_help="List the voices.")
@json_option
@place_options
@click.pass_obj
def list_personas(place: Place, as_json: bool) -> int:
    """List the personas: their models, where they are on, how they do."""
    from adapters.persona_switching import run_list

    return run_list(place, as_json=as_json)


@persona.command(short_help="Switch a voice on.")
@_NAME
@_CHANNEL
@_PERSON
@json_option
@place_options
@click.pass_obj
def on(place: Place, name: str, channel: str | None, person: str | None, as_json: bool) -> int:
    """Switch the persona NAME on: in a channel, for a person, or again after it was switched off."""
    from adapters.persona_switching import run_on

    return run_on(place, name, channel=channel, person=person, as_json=as_json)


@persona.command(short_help="Switch all voices off.")
@_CHANNEL
@_PERSON
@json_option
@place_options
@click.pass_obj
def off(place: Place, channel: str | None, person: str | None, as_json: bool) -> int:
    """Switch all personas off: in a channel, for a person, or everywhere."""
    from adapters.persona_switching import run_off

    return run_off(place, channel=channel, person=person, as_json=as_json)
