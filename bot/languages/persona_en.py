"""English lines about voices: the language of all that has no other."""

from __future__ import annotations

from bot.persona_wording import PersonaTexts

TEXTS = PersonaTexts(
    language="en",
    usage=(
        "`{command} list`, `{command} on NAME [here|everywhere]`, `{command} off [here|everywhere]`, "
        "`{command} auto [here|everywhere]` or `{command} vote QUESTION`"
    ),
    personas="Voices: {usage}.",
    unknown_command="There is no command {word!r}. There are: {usage}.",
    wrong_word="I do not understand {word!r} there. Write {usage}.",
    which_persona="Which voice? Write `{command} on NAME`; `{command} list` shows their names.",
    voice_line="{name}: in the voice of {who} ({mode})",
    modes={"rewrite": "rewritten answers", "direct": "from the passages", "prompt": "by a prompt"},
    switched_off="switched off by itself, on again {when}: {reason}",
    chosen={
        "person": "Your own choice: {what}",
        "channel": "In this channel: {what}",
        "all": "Everywhere: {what}",
    },
    off="off",
    now_on={
        "person": (
            "Your answers are now in the voice of {who}: in direct messages, where only you see them, and in "
            "channels where this voice is on. To end it: `{command} off`."
        ),
        "channel": (
            "Answers in this channel are now in the voice of {who}. To end it: `{command} off here`."
        ),
        "all": "{name} may speak again wherever it is on.",
    },
    now_off={
        "person": "Your answers are plain from now on.",
        "channel": "Answers in this channel are plain from now on.",
        "all": (
            "Answers are plain everywhere from now on. To allow voices again: `{command} auto everywhere`."
        ),
    },
    forgotten={
        "person": "Your choice is forgotten: what is set for each place counts.",
        "channel": "What was chosen for this channel is forgotten: the settings count.",
        "all": "Voices may speak again wherever they are on.",
    },
    personas_off="Personas are switched off. Set [persona] enabled to true.",
    votes_off=(
        "Personas are switched off, so nobody can vote now. Whoever runs me sets [persona] enabled to true."
    ),
    none_asked="No persona was asked for.",
    unknown="There is no persona {name}. There are: {known}.",
    no_model="The persona {name} has no model. Set its model.",
    untrained="The persona {name} has no model. Train one: lorekeeper persona train, or set its model.",
    unusable="{bad} of its last {number} answers could not be used",
    disliked="{bad} of {number} opinions on its last answers are bad",
    in_the_voice="In the voice of {who}.",
    not_on_here="The voice of {who} is not on here, so here is the plain answer.",
    plain_instead="{reason}, so here is the plain answer (log {id}).",
    too_slow="the voice took too long",
    facts_changed="the voice changed facts",
    model_failed="the voice's model did not answer",
    vote_usage=(
        "`{command} vote QUESTION` begins one, `{command} vote A`, `{command} vote B` or `{command} vote "
        "same` votes, `{command} vote close` ends it"
    ),
    votes="Blind votes: {usage}.",
    voted="Your vote is {pick}. You may change it until the vote ends.",
    voted_already="You had voted {pick} already.",
    picks={"first": "A", "second": "B", "neither": "no difference"},
    no_vote="Nothing is voted on here. {usage}.",
    vote_needs_channel="A vote needs a channel. Begin it where others can vote.",
    question_too_long="The question is too long. Use at most {most} characters.",
    vote_standing="A vote is under way here. End it first: `{command} vote close`.",
    vote_begun="The vote has begun.",
    vote_ended="The vote has ended.",
    which_answer=(
        "**Which answer do you prefer?** One is plain, one is in the voice of {who}; you learn which when "
        "the vote ends."
    ),
    how_to_vote=(
        "Press a button, or type `{command} vote A`, `{command} vote B` or `{command} vote same`. Only "
        "you see "
        "your vote, and you may change it."
    ),
    ended="**The vote has ended:** {question}",
    side_told="{side} was in the voice of {who}.",
    counted="For the voice: {voiced} · for the plain answer: {plain} · no difference: {neither}",
    bad_pick="{pick} is no vote. Vote A, B or same.",
    vote_over="This vote is over. Begin a new one with `{command} vote QUESTION`.",
    vote_unknown="There is no vote {ballot}. Begin one with `{command} vote QUESTION`.",
    nothing_found=(
        "I could not find this in my documents, so there is nothing to vote on. Ask another question."
    ),
    may_not_speak="The persona may not speak here now, so there is nothing to vote on. See `{command} list`.",
    not_said="There is nothing to vote on: {reason}. Ask another question, or try again.",
    both_same="Both answers are the same, so there is nothing to vote on. Ask another question.",
)
