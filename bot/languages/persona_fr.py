"""French lines about voices."""

from __future__ import annotations

from bot.languages.spaces import BEFORE_MARKS, bound
from bot.persona_wording import PersonaTexts

_TEXTS = PersonaTexts(
    language="fr",
    usage=(
        "`{command} list`, `{command} on NOM [here|everywhere]`, `{command} off [here|everywhere]`, "
        "`{command} auto [here|everywhere]` ou `{command} vote QUESTION`"
    ),
    personas="Voix : {usage}.",
    unknown_command="La commande {word!r} n’existe pas. Il y a : {usage}.",
    wrong_word="Je ne comprends pas {word!r} à cet endroit. Écris {usage}.",
    which_persona="Quelle voix ? Écris `{command} on NOM` ; `{command} list` montre leurs noms.",
    voice_line="{name} : à la manière de {who} ({mode})",
    modes={
        "rewrite": "réponses reformulées",
        "direct": "d’après les passages",
        "prompt": "par une consigne",
    },
    switched_off="s’est coupée, de retour {when} : {reason}",
    chosen={
        "person": "Ton propre choix : {what}",
        "channel": "Dans ce canal : {what}",
        "all": "Partout : {what}",
    },
    off="sans voix",
    now_on={
        "person": (
            "Tes réponses sont maintenant à la manière de {who} : en message direct, là où toi seul les "
            "vois, et dans les canaux où cette voix est active. Pour y mettre fin : `{command} off`."
        ),
        "channel": (
            "Les réponses dans ce canal sont maintenant à la manière de {who}. Pour y mettre fin : "
            "`{command} off here`."
        ),
        "all": "{name} peut de nouveau parler partout où cette voix est active.",
    },
    now_off={
        "person": "Tes réponses sont désormais sans voix.",
        "channel": "Les réponses dans ce canal sont désormais sans voix.",
        "all": (
            "Les réponses sont désormais sans voix partout. Pour les permettre de nouveau : "
            "`{command} auto everywhere`."
        ),
    },
    forgotten={
        "person": "Ton choix est oublié : c’est ce qui est réglé à chaque endroit qui compte.",
        "channel": "Le choix pour ce canal est oublié : ce sont les réglages qui comptent.",
        "all": "Les voix peuvent de nouveau parler partout où elles sont actives.",
    },
    personas_off="Les personas sont coupés. Qui me fait tourner met [persona] enabled à true.",
    votes_off=(
        "Les personas sont coupés, personne ne peut donc voter en ce moment. Qui me fait tourner met "
        "[persona] enabled à true."
    ),
    none_asked="Aucun persona n’a été demandé.",
    unknown="Le persona {name} n’existe pas. Il y a : {known}.",
    no_model="Le persona {name} n’a pas de modèle. Qui me fait tourner règle son modèle.",
    untrained=(
        "Le persona {name} n’a pas de modèle. Qui me fait tourner en entraîne un (lorekeeper persona "
        "train) ou règle son modèle."
    ),
    unusable="{bad} de ses {number} dernières réponses n’étaient pas utilisables",
    disliked="{bad} des {number} avis sur ses dernières réponses sont mauvais",
    in_the_voice="À la manière de {who}.",
    not_on_here="La voix de {who} n’est pas active ici, voici donc la réponse sans elle.",
    plain_instead="{reason}, voici donc la réponse sans voix (journal {id}).",
    too_slow="la voix a mis trop de temps",
    facts_changed="la voix a changé des faits",
    model_failed="le modèle de la voix n’a pas répondu",
    vote_usage=(
        "`{command} vote QUESTION` en commence un, `{command} vote A`, `{command} vote B` ou "
        "`{command} vote same` vote, `{command} vote close` y met fin"
    ),
    votes="Votes à l’aveugle : {usage}.",
    voted="Ton vote : {pick}. Tu peux le changer jusqu’à la fin du vote.",
    voted_already="Tu avais déjà voté ainsi : {pick}.",
    picks={"first": "A", "second": "B", "neither": "aucune différence"},
    no_vote="Aucun vote n’est en cours ici. {usage}.",
    vote_needs_channel="Un vote a besoin d’un canal. Commence-le là où d’autres peuvent voter.",
    question_too_long="La question est trop longue : {most} caractères au plus.",
    vote_standing="Un vote est déjà en cours ici. Mets-y fin d’abord : `{command} vote close`.",
    vote_begun="Le vote a commencé.",
    vote_ended="Le vote est terminé.",
    which_answer=(
        "**Quelle réponse préfères-tu ?** L’une est sans voix, l’autre à la manière de {who} ; laquelle est "
        "laquelle est dit à la fin."
    ),
    how_to_vote=(
        "Appuie sur un bouton ou écris `{command} vote A`, `{command} vote B` ou `{command} vote same`. Toi "
        "seul vois ton vote, et tu peux en changer."
    ),
    ended="**Le vote est terminé :** {question}",
    side_told="{side} était à la manière de {who}.",
    counted="Pour la voix : {voiced} · pour la réponse sans voix : {plain} · aucune différence : {neither}",
    bad_pick="{pick} n’est pas un vote. Vote A, B ou same.",
    vote_over="Ce vote est terminé. Commences-en un autre avec `{command} vote QUESTION`.",
    vote_unknown="Le vote {ballot} n’existe pas. Commences-en un avec `{command} vote QUESTION`.",
    nothing_found=(
        "Je n’ai pas trouvé cela dans mes documents, il n’y a donc rien à voter. Pose une autre question."
    ),
    may_not_speak=(
        "Le persona ne peut pas parler ici en ce moment, il n’y a donc rien à voter. Voir `{command} list`."
    ),
    not_said="Il n’y a rien à voter : {reason}. Pose une autre question, ou réessaie.",
    both_same="Les deux réponses sont identiques, il n’y a donc rien à voter. Pose une autre question.",
)
TEXTS = bound(_TEXTS, BEFORE_MARKS)
