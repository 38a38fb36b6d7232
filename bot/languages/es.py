"""Spanish."""

from __future__ import annotations

from bot.wording import Texts

TEXTS = Texts(
    language="es",
    thousands=".",
    decimal=",",
    pair="{label}: {value}",
    helpful="Útil",
    not_helpful="No es útil",
    sources="Fuentes",
    person="Necesito a una persona",
    resolved="Resuelto",
    share="Compartir en el canal",
    approve="Aprobar",
    discard="Descartar",
    ask="Preguntar",
    add="Añadir",
    save="Guardar",
    remove="Quitar",
    cancel="Cancelar",
    close="Cerrar",
    send="Enviar",
    refresh="Actualizar",
    sync="Sincronizar",
    stop="Detener",
    open="Abrir",
    working="busca en los documentos…",
    loading=(
        "Leo la pregunta…",
        "Busco en los documentos…",
        "Comparo pasajes…",
        "Compruebo cada frase…",
        "Escribo la respuesta…",
    ),
    nearest="Pasajes más cercanos",
    updated="actualizado {age}",
    draft="Borrador: solo lo ven los revisores hasta que se apruebe.",
    private="Solo tú puedes ver esto.",
    shared_by="Compartido por {name}.",
    shortened="La pregunta es muy larga; he usado sus primeros {number} caracteres.",
    quoted_instead="{reason}, así que aquí están los pasajes mismos (registro {id}).",
    model_failures={
        "the model cannot be reached": "no se puede conectar con el modelo",
        "the model took too long": "el modelo ha tardado demasiado",
        "the model is down": "el modelo no funciona",
        "the model is rate-limited": "el modelo limita el número de peticiones",
        "the model's quota is used up": "la cuota del modelo está agotada",
        "the model has no key": "falta la clave del modelo",
        "the model's key was rejected": "la clave del modelo fue rechazada",
        "the model is not known to its server": "el servidor no conoce el modelo",
        "the model rejected the request": "el modelo rechazó la petición",
        "the question was too long for the model": "la pregunta era demasiado larga para el modelo",
        "the model declined to answer": "el modelo no quiso responder",
        "the model's answer broke off": "la respuesta del modelo se interrumpió",
        "the model's answer could not be read": "la respuesta del modelo no se pudo leer",
        "the model gave no usable answer": "el modelo no dio una respuesta útil",
        "the model's answer could not be verified against the documents": (
            "la respuesta del modelo no se pudo comprobar con los documentos"
        ),
    },
    image_unread="No he leído la imagen {name!r}.",
    file_unread=(
        "No he leído el archivo {name!r}. Envíamelo con las palabras «añade esto» para que lo guarde."
    ),
    stopped="Detenido.",
    nothing_runs="Aquí ya no se está escribiendo ninguna respuesta.",
    not_stopper="Solo quien preguntó o un administrador puede detener esta respuesta.",
    not_found="No he encontrado eso en mis documentos.",
    no_documents=(
        "Todavía no tengo documentos. Añade una fuente con `lorekeeper sources add` y ejecuta después "
        "`lorekeeper sync`."
    ),
    no_documents_here=(
        "Todavía no tengo documentos. `{command} list` muestra las fuentes; añade una con "
        "`{command} add LOCATION`."
    ),
    cannot_search="Ahora mismo no puedo buscar en mis documentos.",
    no_question="No hay ninguna pregunta que responder. ¿Qué quieres saber?",
    answer_follows="Tu respuesta llega aquí abajo, solo para ti.",
    no_documents_from="No tengo documentos de {sources}.",
    busy="Ahora mismo no puedo responder. Vuelve a preguntar en un minuto (registro {id}).",
    failed=(
        "Algo ha ido mal por mi parte. Vuelve a preguntar; si sigue así, avisa a quien me administra "
        "(registro {id})."
    ),
    too_many="Has hecho {questions} en diez minutos. Vuelve a preguntar en {wait}.",
    place_unknown=(
        "Ahora mismo no puedo saber quién puede ver qué aquí, así que no respondo. Vuelve a preguntar en un "
        "minuto (registro {id})."
    ),
    later="No pude abrirlo a tiempo. Inténtalo de nuevo.",
    failures={
        "SourceInvalid": "Esta fuente no puede funcionar así.",
        "SourceUnavailable": "Ahora mismo no puedo leer esta fuente.",
        "FetchError": "No puedo leer esta dirección.",
        "SyncRefused": "Ahora mismo no se puede sincronizar. Inténtalo de nuevo en un minuto.",
        "EmbeddingError": (
            "El modelo con el que busco no funciona ahora mismo. Inténtalo de nuevo en un minuto."
        ),
        "StoreError": "Ahora mismo no puedo acceder a mis datos. Inténtalo de nuevo en un minuto.",
        "StoreFull": "Mi disco está lleno, no puedo guardar nada más. Avisa a quien me administra.",
        "SurfaceBusy": "El chat no acepta eso ahora mismo. Inténtalo de nuevo en un minuto.",
        "SurfaceGone": "El chat no me deja hacer eso aquí. Un admin puede comprobar mis permisos.",
        "Exception": "Eso no ha funcionado. Inténtalo de nuevo; si sigue así, avisa a quien me administra.",
    },
    logged="{line} (registro {id})",
    thanks="Gracias, anotado.",
    sorry="Gracias, anotado. ¿Qué estaba mal?",
    what_was_wrong="¿Qué estaba mal?",
    comment_hint="¿Qué falta o está mal, y dónde está escrito?",
    answer_gone="Ya no tengo esta respuesta. Haz la pregunta otra vez.",
    no_sources="Los pasajes de esta respuesta ya no están, o no puedes verlos.",
    person_called="He llamado a {who}.",
    person_called_already="Ya se ha llamado a {who}.",
    person_unknown=(
        "Aquí no tengo a nadie a quien llamar. Un admin puede designar a alguien: `person` en los "
        "ajustes de este canal."
    ),
    person_needed="{name} quiere que una persona mire esta pregunta.",
    marked_resolved="Marcado como resuelto.",
    shared="Compartido en el canal.",
    share_not_possible=(
        "No puedo compartir esto aquí: no todos en el canal pueden ver en qué se basa la respuesta."
    ),
    share_reviewed=(
        "En este canal las respuestas se revisan antes. Pregunta en el canal y alguien la revisará."
    ),
    approved="Aprobado y publicado.",
    discarded="Descartado.",
    not_reviewer="Solo los revisores de este canal pueden hacer eso.",
    not_asker="Solo {name}, que preguntó, puede hacer eso.",
    draft_gone="Ya se atendió este borrador.",
    draft_sent="Tu pregunta se responderá en cuanto un revisor mire la respuesta.",
    draft_sent_privately=(
        "Alguien revisa antes la respuesta. Si la aprueba, aparecerá aquí para todos; si no, no habrá "
        "respuesta."
    ),
    home_title="Lo que sé",
    greeting="Pregúntame lo que esté escrito en los documentos de tu equipo.",
    what_i_know="Fuentes",
    nothing_yet="Todavía no tengo documentos que puedas ver.",
    suggested="Podrías preguntar",
    suggest_title="¿Qué dicen los documentos sobre {title}?",
    your_questions="Tus últimas preguntas",
    settings="Ajustes",
    troubles="Necesita atención",
    last_synced="última sincronización: {when}",
    next_sync="próxima sincronización: {when}",
    never_synced="nunca sincronizada",
    syncing="sincronizando ahora",
    paused="en pausa",
    held="retenida desde una vuelta atrás",
    due_now="pendiente ahora",
    presence="documentos al día: {when}",
    add_source="Añadir una fuente",
    mode="Responde en los canales",
    modes={
        "mention": "cuando se le menciona",
        "auto": "a las preguntas por sí mismo",
        "private-first": "primero solo a quien pregunta",
        "draft": "tras una aprobación",
        "off": "nunca",
    },
    notices_to="Avisa de sincronizaciones fallidas en",
    threshold="Confianza necesaria sin que se pida",
    follow_ups="Seguimientos sin mención",
    nobody="nadie",
    nowhere="ningún canal",
    yes="sí",
    no="no",
    command_ask="Pregunta a los documentos de tu equipo",
    command_kb="Mira y cambia lo que sé",
    option_question="¿Qué quieres saber?",
    option_persona="La voz de la respuesta",
    option_private="Solo tú ves la respuesta",
    option_location="Una carpeta, una dirección git o web, un canal de noticias",
    option_source="Nombre de una fuente",
    option_file="Un archivo que guardar",
    allow_deletes="Ejecutar los borrados retenidos",
    direct_closed=(
        "No puedo escribirte directamente. Permite mensajes directos de este servidor o pregunta con `/ask`."
    ),
    ask_about="Preguntar sobre esto",
    save_message="Guardar en la base",
    subcommands={
        "add": "Añadir una fuente",
        "list": "Listar las fuentes",
        "show": "Mostrar una fuente, sus últimas sincronizaciones y errores",
        "sync": "Sincronizar una fuente, o todas",
        "remove": "Quitar una fuente y todo lo que viene de ella",
        "pause": "No sincronizar más una fuente según el horario",
        "resume": "Volver a sincronizar una fuente en pausa",
        "status": "Mostrar cómo está todo",
        "help": "Mostrar lo que puedes hacer",
    },
    location="Lugar",
    location_hint="Una dirección git o web, noticias, un gestor de incidencias, un canal, s3://bucket/prefix",
    name="Nombre",
    name_hint="Corto, sin espacios; vacío: se toma del lugar",
    every="Cada cuánto",
    every_hint="30m, 2h, 1d, o cron: 0 3 * * *",
    audience="Quién puede verla",
    audience_hint="Etiquetas separadas por espacios; vacío: todos",
    title="Título",
    text="Texto (Markdown)",
    link="Enlace",
    author="De",
    review="Revisar el",
    review_hint="Día en que alguien debería volver a mirarlo, como 2027-01-31",
    saved="{title!r} está guardado; ya respondo con ello.",
    saved_for_here=("{title!r} está guardado; ya respondo con ello, solo a quienes ven esta conversación."),
    saved_later="{title!r} está guardado; responderé con ello en cuanto {name} esté sincronizada.",
    saved_unread="{title!r} está guardado, pero no encontré texto en él: {reason}",
    saved_again="{title!r} está guardado en lugar de lo que tenía ese nombre.",
    save_note="Respondo con ello como con cualquier otro documento.",
    seen_by="Quién recibe respuestas de ello",
    everyone="Todos",
    only_here="Los miembros de este canal",
    only_me="Solo yo",
    optional="opcional",
    help="""\
`{command} list`: las fuentes y lo recientes que son
`{command} show NAME`: una fuente, sus últimas sincronizaciones y errores
`{command} status`: cómo está todo
`{command} add LOCATION [every 30m] [as NAME] [for TAG…]`: añadir una carpeta, una dirección git o web…
`{command} sync [NAME] [allow deletes]`: sincronizar ahora
`{command} pause NAME`, `{command} resume NAME`: parar y reanudar el horario
`{command} remove NAME`: quitar una fuente y todo lo que viene de ella
Todos pueden mirar; pueden cambiar cosas: {who}.""",
    not_allowed="No puedes cambiar lo que sé. Pueden hacerlo: {who}.",
    who_admins="los admins",
    who_named="los admins y quienes nombran los ajustes ([{platform}] admins y admin_groups)",
    unknown_command="No hay ninguna orden {word!r}.",
    which_source="¿Qué fuente? Escribe `{command} {verb} NAME`.",
    which_location="¿Qué añado? Escribe `{command} add LOCATION [every 30m] [as NAME] [for TAG…]`.",
    wrong_word="No entiendo {word!r} ahí. Escribe `{usage}`.",
    source_unknown="No hay ninguna fuente {name!r}. Mira `{command} list`.",
    name_taken="Ya hay una fuente {name!r}. Da otro nombre a esta: `{command} add … as NAME`.",
    own_machine=(
        "{location!r} se lee con los derechos de la máquina en la que corro. En un chat solo pueden añadirlo "
        "quienes nombran los ajustes ([{platform}] admins y admin_groups); en esa máquina: "
        "`lorekeeper sources add`."
    ),
    history_audience="El historial de un canal solo lo ven sus miembros. Deja fuera `for`.",
    held_back="{name} está retenida desde una vuelta atrás. `{command} resume {name}` la libera.",
    field_empty="Rellena {label!r}.",
    too_long="{label!r} es demasiado largo: {most} caracteres como mucho.",
    bad_day="{value!r} no es un día. Escríbelo como 2027-01-31, o déjalo fuera.",
    bad_name=(
        "{value!r} no puede ser el nombre de una fuente. Usa letras sin acento, cifras, «.», «_» y «-», sin "
        "espacios; 64 como mucho."
    ),
    bad_every=(
        "{value!r} no dice cada cuánto. Escribe `30m`, `2h`, `1d`, o una expresión cron como `0 3 * * *`."
    ),
    bad_file_name=(
        "El archivo {name!r} no se puede guardar con ese nombre. Cámbialo, por ejemplo a notes.md."
    ),
    file_too_large="El archivo {name!r} es demasiado grande: {most} MB como mucho.",
    file_elsewhere="El archivo {name!r} está en otro sitio. Súbelo aquí.",
    file_refused="{platform} no entrega el archivo {name!r} ({reason}). Súbelo otra vez.",
    file_not_fetched=("El archivo {name!r} no se pudo obtener ({reason}). Inténtalo de nuevo en un minuto."),
    cannot_write="{name!r} no se puede escribir ({reason}). Avisa a quien me administra.",
    own_data="{location!r} está en mi propia carpeta de datos. Da otra carpeta.",
    in_settings=(
        "La fuente {name!r} está definida en el archivo de ajustes. Quita de ahí su bloque [[sources]] y "
        "repite esto para quitar lo que hay guardado de ella."
    ),
    sync_waiting="{name} ya se está sincronizando; espero…",
    sync_elsewhere="{name} todavía se está sincronizando. Míralo con `{command} show {name}`.",
    did_you_mean="¿Querías decir `{command}`?",
    no_sources_yet="Todavía no hay fuentes. Añade una: `{command} add LOCATION`",
    added="{name} está añadida. Su primera sincronización ha empezado.",
    sync_began="{name}: empieza la sincronización…",
    sync_listing="{name}: {number} encontrados hasta ahora…",
    sync_going="{name}: {done} de {total} documentos…",
    sync_done="{name}: {changes} en {time}.",
    sync_failed="{name}: ha fallado: {reason}",
    sync_held="{deletions}. Si es correcto: `{command} sync {name} allow deletes`",
    sync_nothing="ningún documento",
    remove_title="Quitar una fuente",
    remove_question="¿Quito {name} ({what}) de lo que sé? Sus archivos no se tocan.",
    removed="{name} está quitada, y con ella {what}.",
    was_paused="{name} está en pausa; `{command} resume {name}` reanuda su horario.",
    was_resumed="{name} vuelve a sincronizarse según el horario.",
    was_not_paused="{name} no estaba en pausa.",
    status_line="{documents} en {sources}, {failed}.",
    models="Vectores: {embedding}. Respuestas: {llm}.",
    runs="Últimas sincronizaciones",
    not_indexed="Sin indexar",
    error="último error: {reason}",
    attention="necesita atención tras {failures} seguidos",
    gone="ya no está configurada, pero sigue guardada",
    stored="{documents}, {nodes}",
    changes={
        "added": ("{} añadido", "{} añadidos"),
        "updated": ("{} cambiado", "{} cambiados"),
        "deleted": ("{} borrado", "{} borrados"),
        "unchanged": ("{} sin cambios", "{} sin cambios"),
        "failed": ("{} sin indexar", "{} sin indexar"),
    },
    statuses={
        "running": "en curso",
        "ok": "bien",
        "partial": "en parte",
        "held": "borrados retenidos",
        "failed": "ha fallado",
        "interrupted": "interrumpida",
    },
    types={
        "folder": "carpeta",
        "git": "git",
        "web": "web",
        "sitemap": "sitemap",
        "feed": "canal de noticias",
        "github": "GitHub",
        "gitlab": "GitLab",
        "slack_history": "historial de Slack",
        "discord_history": "historial de Discord",
        "object_store": "almacén de objetos",
        "reader": "lector",
    },
    unread={
        "empty": "vacío",
        "encrypted": "cifrado",
        "too-large": "demasiado grande",
        "passed-over": "de un tipo sin texto",
        "unsupported": "de un tipo que no leo",
        "unreadable": "no se puede leer",
        "vanished": "ya no está",
    },
    more="y {number} más",
    notice_failing="La sincronización de {name} ha fallado: {reason} Se intenta de nuevo {when}.",
    notice_attention=(
        "{name} necesita atención: su sincronización ha fallado {failures} veces seguidas. {reason}"
    ),
    notice_held="{name}: {deletions}. Si es correcto: `{command} sync {source} allow deletes`",
    notice_well="{name} vuelve a sincronizarse: {changes}.",
    document=("{} documento", "{} documentos"),
    node=("{} pasaje", "{} pasajes"),
    source=("{} fuente", "{} fuentes"),
    question=("{} pregunta", "{} preguntas"),
    deletion=("{} borrado retenido", "{} borrados retenidos"),
    failure=("{} fallo", "{} fallos"),
    minute=("{} minuto", "{} minutos"),
    hour=("{} hora", "{} horas"),
    day=("{} día", "{} días"),
    month=("{} mes", "{} meses"),
    year=("{} año", "{} años"),
    ago="hace {}",
    ahead="en {}",
    just_now="ahora mismo",
    at_once="en menos de un minuto",
    never="nunca",
)
