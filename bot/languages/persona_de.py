"""German lines about voices."""

from __future__ import annotations

from bot.persona_wording import PersonaTexts

TEXTS = PersonaTexts(
    language="de",
    usage=(
        "`{command} list`, `{command} on NAME [here|everywhere]`, `{command} off [here|everywhere]`, "
        "`{command} auto [here|everywhere]` oder `{command} vote FRAGE`"
    ),
    personas="Stimmen: {usage}.",
    unknown_command="Den Befehl {word!r} gibt es nicht. Es gibt: {usage}.",
    wrong_word="{word!r} verstehe ich dort nicht. Schreib {usage}.",
    which_persona="Welche Stimme? Schreib `{command} on NAME`; die Namen zeigt `{command} list`.",
    voice_line="{name}: in der Stimme von {who} ({mode})",
    modes={"rewrite": "umformulierte Antworten", "direct": "aus den Textstellen", "prompt": "per Prompt"},
    switched_off="hat sich abgeschaltet, wieder an {when}: {reason}",
    chosen={
        "person": "Deine eigene Wahl: {what}",
        "channel": "In diesem Kanal: {what}",
        "all": "Überall: {what}",
    },
    off="aus",
    now_on={
        "person": (
            "Deine Antworten kommen jetzt in der Stimme von {who}: in Direktnachrichten, dort, wo nur du sie "
            "siehst, und in Kanälen, in denen diese Stimme eingeschaltet ist. Beenden: `{command} off`."
        ),
        "channel": (
            "Antworten in diesem Kanal kommen jetzt in der Stimme von {who}. Beenden: `{command} off here`."
        ),
        "all": "{name} darf wieder überall sprechen, wo die Stimme eingeschaltet ist.",
    },
    now_off={
        "person": "Deine Antworten kommen ab jetzt ohne Stimme.",
        "channel": "Antworten in diesem Kanal kommen ab jetzt ohne Stimme.",
        "all": (
            "Antworten kommen ab jetzt überall ohne Stimme. Wieder erlauben: `{command} auto everywhere`."
        ),
    },
    forgotten={
        "person": "Deine Wahl ist vergessen: Es gilt, was am jeweiligen Ort eingestellt ist.",
        "channel": "Die Wahl für diesen Kanal ist vergessen: Es gelten die Einstellungen.",
        "all": "Stimmen dürfen wieder überall sprechen, wo sie eingeschaltet sind.",
    },
    personas_off="Personas sind abgeschaltet. Wer mich betreibt, setzt [persona] enabled auf true.",
    votes_off=(
        "Personas sind abgeschaltet, deshalb kann gerade niemand abstimmen. Wer mich betreibt, setzt "
        "[persona] enabled auf true."
    ),
    none_asked="Es wurde keine Persona verlangt.",
    unknown="Eine Persona {name} gibt es nicht. Es gibt: {known}.",
    no_model="Die Persona {name} hat kein Modell. Wer mich betreibt, stellt ihr Modell ein.",
    untrained=(
        "Die Persona {name} hat kein Modell. Wer mich betreibt, trainiert eines (lorekeeper persona train) "
        "oder stellt es ein."
    ),
    unusable="{bad} ihrer letzten {number} Antworten waren nicht brauchbar",
    disliked="{bad} von {number} Urteilen über ihre letzten Antworten sind schlecht",
    in_the_voice="In der Stimme von {who}.",
    not_on_here="Die Stimme von {who} ist hier nicht eingeschaltet, deshalb hier die Antwort ohne sie.",
    plain_instead="{reason}, deshalb hier die Antwort ohne Stimme (Log {id}).",
    too_slow="die Stimme hat zu lange gebraucht",
    facts_changed="die Stimme hat Tatsachen verändert",
    model_failed="das Modell der Stimme hat nicht geantwortet",
    vote_usage=(
        "`{command} vote FRAGE` beginnt eine, mit `{command} vote A`, `{command} vote B` oder "
        "`{command} vote same` stimmst du ab, `{command} vote close` beendet sie"
    ),
    votes="Blindabstimmungen: {usage}.",
    voted="Du hast gestimmt: {pick}. Ändern kannst du es, bis die Abstimmung endet.",
    voted_already="Du hattest schon so gestimmt: {pick}.",
    picks={"first": "A", "second": "B", "neither": "kein Unterschied"},
    no_vote="Hier wird über nichts abgestimmt. {usage}.",
    vote_needs_channel="Eine Abstimmung braucht einen Kanal. Beginne sie dort, wo andere abstimmen können.",
    question_too_long="Die Frage ist zu lang: höchstens {most} Zeichen.",
    vote_standing="Hier läuft schon eine Abstimmung. Beende sie zuerst: `{command} vote close`.",
    vote_begun="Die Abstimmung hat begonnen.",
    vote_ended="Die Abstimmung ist beendet.",
    which_answer=(
        "**Welche Antwort gefällt dir besser?** Eine kommt ohne Stimme, eine in der Stimme von {who}; "
        "welche, erfahrt ihr am Ende."
    ),
    how_to_vote=(
        "Drücke einen Knopf oder schreibe `{command} vote A`, `{command} vote B` oder `{command} vote same`. "
        "Wie du stimmst, siehst nur du, und du darfst es ändern."
    ),
    ended="**Die Abstimmung ist beendet:** {question}",
    side_told="{side} war in der Stimme von {who}.",
    counted="Für die Stimme: {voiced} · für die Antwort ohne Stimme: {plain} · kein Unterschied: {neither}",
    bad_pick="{pick} ist keine Wahl. Stimme für A, B oder same.",
    vote_over="Diese Abstimmung ist vorbei. Beginne eine neue mit `{command} vote FRAGE`.",
    vote_unknown="Eine Abstimmung {ballot} gibt es nicht. Beginne eine mit `{command} vote FRAGE`.",
    nothing_found=(
        "Das habe ich in meinen Dokumenten nicht gefunden, also gibt es nichts abzustimmen. Stell eine "
        "andere Frage."
    ),
    may_not_speak=(
        "Die Persona darf hier gerade nicht sprechen, also gibt es nichts abzustimmen. Siehe `{command} "
        "list`."
    ),
    not_said="Es gibt nichts abzustimmen: {reason}. Stell eine andere Frage oder versuch es noch einmal.",
    both_same="Beide Antworten sind gleich, also gibt es nichts abzustimmen. Stell eine andere Frage.",
)
