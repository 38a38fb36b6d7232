"""Spanish lines about voices."""

from __future__ import annotations

from bot.persona_wording import PersonaTexts

TEXTS = PersonaTexts(
    language="es",
    usage=(
        "`{command} list`, `{command} on NOMBRE [here|everywhere]`, `{command} off [here|everywhere]`, "
        "`{command} auto [here|everywhere]` o `{command} vote PREGUNTA`"
    ),
    personas="Voces: {usage}.",
    unknown_command="No existe la orden {word!r}. Hay: {usage}.",
    wrong_word="Ahí no entiendo {word!r}. Escribe {usage}.",
    which_persona="¿Qué voz? Escribe `{command} on NOMBRE`; `{command} list` muestra los nombres.",
    voice_line="{name}: con la voz de {who} ({mode})",
    modes={
        "rewrite": "respuestas reformuladas",
        "direct": "a partir de los pasajes",
        "prompt": "con una indicación",
    },
    switched_off="se ha apagado, vuelve {when}: {reason}",
    chosen={
        "person": "Tu propia elección: {what}",
        "channel": "En este canal: {what}",
        "all": "En todas partes: {what}",
    },
    off="sin voz",
    now_on={
        "person": (
            "Tus respuestas llegan ahora con la voz de {who}: en mensajes directos, donde solo tú las "
            "ves, y en los canales donde esta voz está activada. Para terminar: `{command} off`."
        ),
        "channel": (
            "Las respuestas de este canal llegan ahora con la voz de {who}. Para terminar: "
            "`{command} off here`."
        ),
        "all": "{name} puede volver a hablar donde esté activada.",
    },
    now_off={
        "person": "Tus respuestas llegan sin voz desde ahora.",
        "channel": "Las respuestas de este canal llegan sin voz desde ahora.",
        "all": (
            "Las respuestas llegan sin voz en todas partes desde ahora. Para volver a permitirlas: "
            "`{command} auto everywhere`."
        ),
    },
    forgotten={
        "person": "Tu elección queda olvidada: cuenta lo que esté fijado en cada sitio.",
        "channel": "Lo elegido para este canal queda olvidado: cuentan los ajustes.",
        "all": "Las voces pueden volver a hablar donde estén activadas.",
    },
    personas_off="Las personas están desactivadas. Quien me administra pone [persona] enabled en true.",
    votes_off=(
        "Las personas están desactivadas, así que ahora nadie puede votar. Quien me administra pone "
        "[persona] enabled en true."
    ),
    none_asked="No se ha pedido ninguna persona.",
    unknown="No existe la persona {name}. Hay: {known}.",
    no_model="La persona {name} no tiene modelo. Quien me administra fija su modelo.",
    untrained=(
        "La persona {name} no tiene modelo. Quien me administra entrena uno (lorekeeper persona train) o "
        "fija su modelo."
    ),
    unusable="{bad} de sus últimas {number} respuestas no se pudieron usar",
    disliked="{bad} de {number} opiniones sobre sus últimas respuestas son malas",
    in_the_voice="Con la voz de {who}.",
    not_on_here="La voz de {who} no está activada aquí, así que esta es la respuesta sin ella.",
    plain_instead="{reason}, así que aquí está la respuesta sin voz (registro {id}).",
    too_slow="la voz ha tardado demasiado",
    facts_changed="la voz ha cambiado datos",
    model_failed="el modelo de la voz no ha respondido",
    vote_usage=(
        "`{command} vote PREGUNTA` empieza una, `{command} vote A`, `{command} vote B` o "
        "`{command} vote same` vota, `{command} vote close` la termina"
    ),
    votes="Votaciones a ciegas: {usage}.",
    voted="Tu voto: {pick}. Puedes cambiarlo hasta que termine la votación.",
    voted_already="Ya habías votado así: {pick}.",
    picks={"first": "A", "second": "B", "neither": "ninguna diferencia"},
    no_vote="Aquí no se vota nada. {usage}.",
    vote_needs_channel="Una votación necesita un canal. Empiézala donde otros puedan votar.",
    question_too_long="La pregunta es demasiado larga: {most} caracteres como máximo.",
    vote_standing="Aquí ya hay una votación en curso. Termínala primero: `{command} vote close`.",
    vote_begun="La votación ha empezado.",
    vote_ended="La votación ha terminado.",
    which_answer=(
        "**¿Qué respuesta prefieres?** Una llega sin voz y otra con la voz de {who}; cuál es cuál se dice al "
        "final."
    ),
    how_to_vote=(
        "Pulsa un botón o escribe `{command} vote A`, `{command} vote B` o `{command} vote same`. Solo "
        "tú ves "
        "tu voto y puedes cambiarlo."
    ),
    ended="**La votación ha terminado:** {question}",
    side_told="{side} era con la voz de {who}.",
    counted="Por la voz: {voiced} · por la respuesta sin voz: {plain} · ninguna diferencia: {neither}",
    bad_pick="{pick} no es un voto. Vota A, B o same.",
    vote_over="Esta votación ya ha terminado. Empieza otra con `{command} vote PREGUNTA`.",
    vote_unknown="No existe la votación {ballot}. Empieza una con `{command} vote PREGUNTA`.",
    nothing_found=(
        "No he encontrado esto en mis documentos, así que no hay nada que votar. Haz otra pregunta."
    ),
    may_not_speak=(
        "La persona no puede hablar aquí ahora, así que no hay nada que votar. Mira `{command} list`."
    ),
    not_said="No hay nada que votar: {reason}. Haz otra pregunta o inténtalo de nuevo.",
    both_same="Las dos respuestas son iguales, así que no hay nada que votar. Haz otra pregunta.",
)
