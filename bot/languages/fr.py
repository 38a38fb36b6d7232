"""French."""

from __future__ import annotations

from bot.languages.spaces import BEFORE_MARKS, bound
from bot.wording import Texts

_TEXTS = Texts(
    language="fr",
    thousands="\u202f",
    decimal=",",
    pair="{label} : {value}",
    helpful="Utile",
    not_helpful="Pas utile",
    sources="Sources",
    person="J’ai besoin de quelqu’un",
    resolved="Résolu",
    share="Partager dans le canal",
    approve="Approuver",
    discard="Rejeter",
    ask="Demander",
    add="Ajouter",
    save="Enregistrer",
    remove="Retirer",
    cancel="Annuler",
    close="Fermer",
    send="Envoyer",
    refresh="Actualiser",
    sync="Synchroniser",
    stop="Arrêter",
    open="Ouvrir",
    working="parcourt les documents…",
    loading=(
        "Je lis la question…",
        "Je parcours les documents…",
        "Je compare les passages…",
        "Je vérifie chaque phrase…",
        "J’écris la réponse…",
    ),
    nearest="Passages les plus proches",
    updated="mis à jour {age}",
    draft="Brouillon : visible des seuls relecteurs jusqu’à son approbation.",
    private="Visible de toi seul.",
    shared_by="Partagé par {name}.",
    shortened="La question est très longue ; j’en ai pris les {number} premiers caractères.",
    quoted_instead="{reason} : voici donc les passages eux-mêmes (journal {id}).",
    model_failures={
        "the model cannot be reached": "le modèle est injoignable",
        "the model took too long": "le modèle a mis trop de temps",
        "the model is down": "le modèle est en panne",
        "the model is rate-limited": "le modèle limite le nombre de demandes",
        "the model's quota is used up": "le quota du modèle est épuisé",
        "the model has no key": "il manque la clé du modèle",
        "the model's key was rejected": "la clé du modèle a été refusée",
        "the model is not known to its server": "le serveur ne connaît pas le modèle",
        "the model rejected the request": "le modèle a refusé la demande",
        "the question was too long for the model": "la question était trop longue pour le modèle",
        "the model declined to answer": "le modèle n’a pas voulu répondre",
        "the model's answer broke off": "la réponse du modèle s’est interrompue",
        "the model's answer could not be read": "la réponse du modèle était illisible",
        "the model gave no usable answer": "le modèle n’a pas donné de réponse utilisable",
        "the model's answer could not be verified against the documents": (
            "la réponse du modèle n’a pas pu être vérifiée dans les documents"
        ),
    },
    image_unread="Je n’ai pas lu l’image {name!r}.",
    file_unread=(
        "Je n’ai pas lu le fichier {name!r}. Envoie-le-moi avec les mots « ajoute ceci » pour que je le "
        "garde."
    ),
    stopped="Arrêté.",
    nothing_runs="Aucune réponse n’est plus en cours ici.",
    not_stopper="Seuls la personne qui a demandé ou un admin peuvent arrêter cette réponse.",
    not_found="Je n’ai pas trouvé cela dans mes documents.",
    no_documents=(
        "Je n’ai pas encore de documents. Ajoute une source avec `lorekeeper sources add`, puis lance "
        "`lorekeeper sync`."
    ),
    no_documents_here=(
        "Je n’ai pas encore de documents. `{command} list` montre les sources ; ajoutes-en une avec "
        "`{command} add LOCATION`."
    ),
    cannot_search="Je ne peux pas chercher dans mes documents en ce moment.",
    no_question="Il n’y a pas de question à laquelle répondre. Que veux-tu savoir ?",
    answer_follows="Ta réponse arrive ci-dessous, visible par toi seul.",
    no_documents_from="Je n’ai pas de documents de {sources}.",
    busy="Je ne peux pas répondre en ce moment. Redemande dans une minute (journal {id}).",
    failed=(
        "Quelque chose s’est mal passé de mon côté. Redemande ; si cela persiste, préviens qui me fait "
        "tourner "
        "(journal {id})."
    ),
    too_many="Tu as posé {questions} en dix minutes. Redemande dans {wait}.",
    place_unknown=(
        "Je ne peux pas savoir en ce moment qui a le droit de voir quoi ici, donc je ne réponds pas. "
        "Redemande "
        "dans une minute (journal {id})."
    ),
    later="Je n’ai pas pu ouvrir cela à temps. Réessaie.",
    failures={
        "SourceInvalid": "Cette source ne peut pas fonctionner ainsi.",
        "SourceUnavailable": "Je ne peux pas lire cette source en ce moment.",
        "FetchError": "Je ne peux pas lire cette adresse.",
        "SyncRefused": "La synchronisation n’est pas possible en ce moment. Réessaie dans une minute.",
        "EmbeddingError": (
            "Le modèle avec lequel je cherche ne fonctionne pas en ce moment. Réessaie dans une minute."
        ),
        "StoreError": "Je n’accède pas à mes données en ce moment. Réessaie dans une minute.",
        "StoreFull": "Mon disque est plein, je ne peux plus rien garder. Préviens qui me fait tourner.",
        "SurfaceBusy": "La messagerie refuse cela en ce moment. Réessaie dans une minute.",
        "SurfaceGone": "La messagerie ne me laisse pas faire cela ici. Un admin peut vérifier mes droits.",
        "Exception": "Cela n’a pas marché. Réessaie ; si cela persiste, préviens qui me fait tourner.",
    },
    logged="{line} (journal {id})",
    thanks="Merci, c’est noté.",
    sorry="Merci, c’est noté. Qu’est-ce qui n’allait pas ?",
    what_was_wrong="Qu’est-ce qui n’allait pas ?",
    comment_hint="Qu’est-ce qui manque ou est faux, et où est-ce écrit ?",
    answer_gone="Je n’ai plus cette réponse. Repose la question.",
    no_sources="Les passages de cette réponse n’existent plus, ou tu n’as pas le droit de les voir.",
    person_called="J’ai appelé {who}.",
    person_called_already="{who} a déjà reçu un appel.",
    person_unknown=(
        "Je n’ai personne à appeler ici. Un admin peut désigner quelqu’un : `person` dans les réglages "
        "de ce canal."
    ),
    person_needed="{name} voudrait que quelqu’un regarde cette question.",
    marked_resolved="Marqué comme résolu.",
    shared="Partagé dans le canal.",
    share_not_possible=(
        "Je ne peux pas partager cela ici : tous les membres du canal n’ont pas le droit de voir ses sources."
    ),
    share_reviewed=(
        "Dans ce canal, les réponses sont d’abord relues. Pose la question dans le canal, on la relira."
    ),
    approved="Approuvé et publié.",
    discarded="Rejeté.",
    not_reviewer="Seuls les relecteurs de ce canal peuvent faire cela.",
    not_asker="Seul {name}, qui a demandé, peut faire cela.",
    draft_gone="Quelqu’un s’est déjà occupé de ce brouillon.",
    draft_sent="Ta question aura sa réponse dès qu’un relecteur l’aura vérifiée.",
    draft_sent_privately=(
        "Quelqu’un relit d’abord la réponse. Si elle est approuvée, elle paraîtra ici pour tous ; sinon, il "
        "n’y aura pas de réponse."
    ),
    home_title="Ce que je sais",
    greeting="Demande-moi ce qui est écrit dans les documents de ton équipe.",
    what_i_know="Sources",
    nothing_yet="Je n’ai pas encore de documents que tu aies le droit de voir.",
    suggested="Tu pourrais demander",
    suggest_title="Que disent les documents sur {title} ?",
    your_questions="Tes dernières questions",
    settings="Réglages",
    troubles="À surveiller",
    last_synced="dernière synchro : {when}",
    next_sync="prochaine synchro : {when}",
    never_synced="jamais synchronisée",
    syncing="synchronisation en cours",
    paused="en pause",
    held="bloquée depuis un retour en arrière",
    due_now="prévue maintenant",
    presence="documents à jour : {when}",
    add_source="Ajouter une source",
    mode="Répond dans les canaux",
    modes={
        "mention": "quand on le mentionne",
        "auto": "de lui-même aux questions",
        "private-first": "d’abord à qui demande",
        "draft": "après approbation",
        "off": "jamais",
    },
    notices_to="Signale les synchros ratées dans",
    threshold="Confiance requise sans demande",
    follow_ups="Suites sans mention",
    nobody="personne",
    nowhere="aucun canal",
    yes="oui",
    no="non",
    command_ask="Interroge les documents de ton équipe",
    command_kb="Vois et change ce que je sais",
    option_question="Que veux-tu savoir ?",
    option_persona="La voix de la réponse",
    option_private="Toi seul vois la réponse",
    option_location="Un dossier, une adresse git ou web, un flux",
    option_source="Nom d’une source",
    option_file="Un fichier à garder",
    allow_deletes="Exécuter les suppressions retenues",
    direct_closed=(
        "Je ne peux pas t’écrire directement. Autorise les messages privés de ce serveur ou passe par `/ask`."
    ),
    ask_about="Demander à ce sujet",
    save_message="Enregistrer dans la base",
    subcommands={
        "add": "Ajouter une source",
        "list": "Lister les sources",
        "show": "Montrer une source, ses dernières synchros et ses erreurs",
        "sync": "Synchroniser une source, ou toutes",
        "remove": "Retirer une source et tout ce qui en vient",
        "pause": "Ne plus synchroniser une source selon l’horaire",
        "resume": "Synchroniser de nouveau une source en pause",
        "status": "Montrer où en est tout",
        "help": "Montrer ce que tu peux faire",
    },
    location="Emplacement",
    location_hint="Une adresse git ou web, un flux, un suivi de tickets, un canal, s3://bucket/prefix",
    name="Nom",
    name_hint="Court, sans espaces ; vide : tiré de l’emplacement",
    every="Fréquence",
    every_hint="30m, 2h, 1d, ou cron : 0 3 * * *",
    audience="Qui peut la voir",
    audience_hint="Étiquettes séparées par des espaces ; vide : tout le monde",
    title="Titre",
    text="Texte (Markdown)",
    link="Lien",
    author="De la main de",
    review="À relire le",
    review_hint="Jour où quelqu’un devrait le revoir, comme 2027-01-31",
    saved="{title!r} est enregistré ; j’en tire désormais des réponses.",
    saved_for_here=(
        "{title!r} est enregistré ; j’en tire désormais des réponses, pour ceux qui voient cette "
        "conversation."
    ),
    saved_later="{title!r} est enregistré ; j’en tirerai des réponses dès que {name} sera synchronisée.",
    saved_unread="{title!r} est enregistré, mais je n’y ai trouvé aucun texte : {reason}",
    saved_again="{title!r} est enregistré et remplace ce qui portait ce nom.",
    save_note="J’en tire des réponses comme de tout autre document.",
    seen_by="Qui en reçoit des réponses",
    everyone="Tout le monde",
    only_here="Les membres de ce canal",
    only_me="Moi seul",
    optional="facultatif",
    help="""\
`{command} list` : les sources et leur fraîcheur
`{command} show NAME` : une source, ses dernières synchros et ses erreurs
`{command} status` : où en est tout
`{command} add LOCATION [every 30m] [as NAME] [for TAG…]` : ajouter un dossier, une adresse git ou web…
`{command} sync [NAME] [allow deletes]` : synchroniser maintenant
`{command} pause NAME`, `{command} resume NAME` : arrêter et reprendre l’horaire
`{command} remove NAME` : retirer une source et tout ce qui en vient
Tout le monde peut regarder ; peuvent changer : {who}.""",
    not_allowed="Tu n’as pas le droit de changer ce que je sais. Le peuvent : {who}.",
    who_admins="les admins",
    who_named="les admins et ceux que nomment les réglages ([{platform}] admins et admin_groups)",
    unknown_command="Il n’y a pas de commande {word!r}.",
    which_source="Quelle source ? Écris `{command} {verb} NAME`.",
    which_location="Que dois-je ajouter ? Écris `{command} add LOCATION [every 30m] [as NAME] [for TAG…]`.",
    wrong_word="Je ne comprends pas {word!r} à cet endroit. Écris `{usage}`.",
    source_unknown="Il n’y a pas de source {name!r}. Voir `{command} list`.",
    name_taken=(
        "Il y a déjà une source {name!r}. Donne un autre nom à celle-ci : `{command} add … as NAME`."
    ),
    own_machine=(
        "{location!r} est lu avec les droits de la machine où je tourne. Dans une discussion, seuls ceux que "
        "nomment les réglages ([{platform}] admins et admin_groups) peuvent l’ajouter ; sur cette machine : "
        "`lorekeeper sources add`."
    ),
    history_audience="L’historique d’un canal n’est vu que de ses membres. Laisse `for` de côté.",
    held_back="{name} est bloquée depuis un retour en arrière. `{command} resume {name}` la libère.",
    field_empty="Remplis {label!r}.",
    too_long="{label!r} est trop long : {most} caractères au plus.",
    bad_day="{value!r} n’est pas un jour. Écris-le comme 2027-01-31, ou laisse-le vide.",
    bad_name=(
        "{value!r} ne peut pas être le nom d’une source. Prends des lettres sans accent, des chiffres, "
        "« . », « _ » et « - », sans espaces ; 64 au plus."
    ),
    bad_every=(
        "{value!r} ne dit pas à quelle fréquence. Écris `30m`, `2h`, `1d`, ou une expression cron comme "
        "`0 3 * * *`."
    ),
    bad_file_name=(
        "Le fichier {name!r} ne peut pas être gardé sous ce nom. Renomme-le, par exemple notes.md."
    ),
    file_too_large="Le fichier {name!r} est trop gros : {most} Mo au plus.",
    file_elsewhere="Le fichier {name!r} se trouve ailleurs. Envoie-le ici.",
    file_refused="{platform} ne donne pas le fichier {name!r} ({reason}). Envoie-le de nouveau.",
    file_not_fetched=("Le fichier {name!r} n’a pas pu être récupéré ({reason}). Réessaie dans une minute."),
    cannot_write="{name!r} ne peut pas être écrit ({reason}). Préviens qui me fait tourner.",
    own_data="{location!r} est dans mon propre dossier de données. Donne un autre dossier.",
    in_settings=(
        "La source {name!r} est définie dans le fichier de réglages. Retires-y son bloc [[sources]], puis "
        "recommence pour retirer ce qui en est stocké."
    ),
    sync_waiting="{name} est déjà en cours de synchronisation ; j’attends…",
    sync_elsewhere="{name} est encore en cours de synchronisation. Regarde avec `{command} show {name}`.",
    did_you_mean="Voulais-tu dire `{command}` ?",
    no_sources_yet="Il n’y a pas encore de sources. Ajoutes-en une : `{command} add LOCATION`",
    added="{name} est ajoutée. Sa première synchronisation a commencé.",
    sync_began="{name} : la synchronisation commence…",
    sync_listing="{name} : {number} trouvés jusqu’ici…",
    sync_going="{name} : {done} documents sur {total}…",
    sync_done="{name} : {changes} en {time}.",
    sync_failed="{name} : échec : {reason}",
    sync_held="{deletions}. Si c’est juste : `{command} sync {name} allow deletes`",
    sync_nothing="aucun document",
    remove_title="Retirer une source",
    remove_question="Dois-je oublier {name} ({what}) ? Les fichiers eux-mêmes restent intacts.",
    removed="{name} est retirée, et avec elle {what}.",
    was_paused="{name} est en pause ; `{command} resume {name}` reprend son horaire.",
    was_resumed="{name} est de nouveau synchronisée selon l’horaire.",
    was_not_paused="{name} n’était pas en pause.",
    status_line="{documents} dans {sources}, {failed}.",
    models="Plongements : {embedding}. Réponses : {llm}.",
    runs="Dernières synchros",
    not_indexed="Non indexés",
    error="dernière erreur : {reason}",
    attention="à surveiller après {failures} de suite",
    gone="n’est plus configurée, mais encore stockée",
    stored="{documents}, {nodes}",
    changes={
        "added": ("{} ajouté", "{} ajoutés"),
        "updated": ("{} modifié", "{} modifiés"),
        "deleted": ("{} supprimé", "{} supprimés"),
        "unchanged": ("{} inchangé", "{} inchangés"),
        "failed": ("{} non indexé", "{} non indexés"),
    },
    statuses={
        "running": "en cours",
        "ok": "réussie",
        "partial": "réussie en partie",
        "held": "suppressions retenues",
        "failed": "échouée",
        "interrupted": "interrompue",
    },
    types={
        "folder": "dossier",
        "git": "git",
        "web": "web",
        "sitemap": "sitemap",
        "feed": "flux",
        "github": "GitHub",
        "gitlab": "GitLab",
        "slack_history": "historique Slack",
        "discord_history": "historique Discord",
        "object_store": "stockage d’objets",
        "reader": "lecteur",
    },
    unread={
        "empty": "vide",
        "encrypted": "chiffré",
        "too-large": "trop gros",
        "passed-over": "d’un type sans texte",
        "unsupported": "un type que je ne lis pas",
        "unreadable": "illisible",
        "vanished": "disparu",
    },
    more="et {number} de plus",
    notice_failing="La synchronisation de {name} a échoué : {reason} Nouvel essai : {when}.",
    notice_attention=(
        "{name} est à surveiller : sa synchronisation a échoué {failures} fois de suite. {reason}"
    ),
    notice_held="{name} : {deletions}. Si c’est juste : `{command} sync {source} allow deletes`",
    notice_well="{name} se synchronise de nouveau : {changes}.",
    document=("{} document", "{} documents"),
    node=("{} passage", "{} passages"),
    source=("{} source", "{} sources"),
    question=("{} question", "{} questions"),
    deletion=("{} suppression retenue", "{} suppressions retenues"),
    failure=("{} échec", "{} échecs"),
    minute=("{} minute", "{} minutes"),
    hour=("{} heure", "{} heures"),
    day=("{} jour", "{} jours"),
    month=("{} mois", "{} mois"),
    year=("{} an", "{} ans"),
    ago="il y a {}",
    ahead="dans {}",
    just_now="à l’instant",
    at_once="dans moins d’une minute",
    never="jamais",
)
TEXTS = bound(_TEXTS, BEFORE_MARKS)
