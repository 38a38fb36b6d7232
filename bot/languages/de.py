"""German."""

from __future__ import annotations

from bot.languages.spaces import BEFORE_DOTS, bound
from bot.wording import Texts

_TEXTS = Texts(
    language="de",
    thousands=".",
    decimal=",",
    pair="{label}: {value}",
    helpful="Hilfreich",
    not_helpful="Nicht hilfreich",
    sources="Quellen",
    person="Ich brauche einen Menschen",
    resolved="Erledigt",
    share="Im Kanal teilen",
    approve="Freigeben",
    discard="Verwerfen",
    ask="Fragen",
    add="Hinzufügen",
    save="Speichern",
    remove="Entfernen",
    cancel="Abbrechen",
    close="Schließen",
    send="Senden",
    refresh="Neu laden",
    sync="Jetzt abgleichen",
    stop="Anhalten",
    open="Öffnen",
    working="sieht die Dokumente durch …",
    loading=(
        "Ich lese die Frage …",
        "Ich sehe die Dokumente durch …",
        "Ich vergleiche Textstellen …",
        "Ich prüfe jeden Satz …",
        "Ich schreibe die Antwort …",
    ),
    nearest="Die nächstliegenden Textstellen",
    updated="Stand: {age}",
    draft="Entwurf: Nur die Prüfenden sehen ihn, bis er freigegeben ist.",
    private="Nur für dich sichtbar.",
    shared_by="Geteilt von {name}.",
    shortened="Die Frage ist sehr lang; ich habe ihre ersten {number} Zeichen verwendet.",
    quoted_instead="{reason}, deshalb hier die Textstellen selbst (Log {id}).",
    model_failures={
        "the model cannot be reached": "das Modell ist nicht erreichbar",
        "the model took too long": "das Modell hat zu lange gebraucht",
        "the model is down": "das Modell ist ausgefallen",
        "the model is rate-limited": "das Modell nimmt gerade nicht mehr Anfragen an",
        "the model's quota is used up": "das Kontingent des Modells ist aufgebraucht",
        "the model has no key": "für das Modell fehlt der Schlüssel",
        "the model's key was rejected": "der Schlüssel des Modells wurde abgelehnt",
        "the model is not known to its server": "der Server kennt das Modell nicht",
        "the model rejected the request": "das Modell hat die Anfrage abgelehnt",
        "the question was too long for the model": "die Frage war für das Modell zu lang",
        "the model declined to answer": "das Modell wollte nicht antworten",
        "the model's answer broke off": "die Antwort des Modells brach ab",
        "the model's answer could not be read": "die Antwort des Modells war nicht lesbar",
        "the model gave no usable answer": "das Modell gab keine brauchbare Antwort",
        "the model's answer could not be verified against the documents": (
            "die Antwort des Modells ließ sich nicht an den Dokumenten prüfen"
        ),
    },
    image_unread="Das Bild {name!r} habe ich nicht gelesen.",
    file_unread=(
        "Die Datei {name!r} habe ich nicht gelesen. Schick sie mir mit den Worten „füge das hinzu“, dann "
        "nehme ich "
        "sie auf."
    ),
    stopped="Angehalten.",
    nothing_runs="Hier wird gerade keine Antwort mehr geschrieben.",
    not_stopper="Diese Antwort dürfen nur Fragende selbst oder Admins anhalten.",
    not_found="Das habe ich in meinen Dokumenten nicht gefunden.",
    no_documents=(
        "Ich habe noch keine Dokumente. Füge mit `lorekeeper sources add` eine Quelle hinzu und starte dann "
        "`lorekeeper sync`."
    ),
    no_documents_here=(
        "Ich habe noch keine Dokumente. `{command} list` zeigt die Quellen; füge eine hinzu mit "
        "`{command} add LOCATION`."
    ),
    cannot_search="Ich kann meine Dokumente gerade nicht durchsuchen.",
    no_question="Da ist keine Frage, die ich beantworten könnte. Was möchtest du wissen?",
    answer_follows="Deine Antwort kommt hier darunter, nur für dich.",
    no_documents_from="Ich habe keine Dokumente aus {sources}.",
    busy="Ich kann gerade nicht antworten. Bitte frag in einer Minute noch einmal (Log {id}).",
    failed=(
        "Bei mir ist etwas schiefgegangen. Bitte frag noch einmal; hilft das nicht, sag denen Bescheid, die "
        "mich betreiben (Log {id})."
    ),
    too_many="Du hast in zehn Minuten {questions} gestellt. Frag in {wait} wieder.",
    place_unknown=(
        "Ich kann gerade nicht feststellen, wer hier was sehen darf, und antworte deshalb nicht. Bitte frag "
        "in einer Minute noch einmal (Log {id})."
    ),
    later="Das konnte ich nicht rechtzeitig öffnen. Versuch es noch einmal.",
    failures={
        "SourceInvalid": "So kann diese Quelle nicht funktionieren.",
        "SourceUnavailable": "Diese Quelle lässt sich gerade nicht lesen.",
        "FetchError": "Diese Adresse lässt sich nicht lesen.",
        "SyncRefused": "Das lässt sich gerade nicht abgleichen. Versuch es in einer Minute noch einmal.",
        "EmbeddingError": (
            "Das Modell, mit dem ich suche, funktioniert gerade nicht. Versuch es in einer Minute noch "
            "einmal."
        ),
        "StoreError": "Ich komme gerade nicht an meine Daten. Versuch es in einer Minute noch einmal.",
        "StoreFull": (
            "Mein Speicherplatz ist voll, ich kann nichts mehr aufnehmen. Sag denen Bescheid, die mich "
            "betreiben."
        ),
        "SurfaceBusy": "Der Chat nimmt das gerade nicht an. Versuch es in einer Minute noch einmal.",
        "SurfaceGone": "Der Chat lässt mich das hier nicht tun. Admins können prüfen, was ich hier darf.",
        "Exception": (
            "Das hat nicht geklappt. Versuch es noch einmal; hilft das nicht, sag denen Bescheid, die mich "
            "betreiben."
        ),
    },
    logged="{line} (Log {id})",
    thanks="Danke, ist notiert.",
    sorry="Danke, ist notiert. Was war falsch?",
    what_was_wrong="Was war falsch?",
    comment_hint="Was fehlt oder stimmt nicht, und wo steht es richtig?",
    answer_gone="Diese Antwort habe ich nicht mehr. Stell die Frage noch einmal.",
    no_sources="Die Textstellen dieser Antwort gibt es nicht mehr, oder du darfst sie nicht sehen.",
    person_called="Ich habe {who} gerufen.",
    person_called_already="{who} wurde schon gerufen.",
    person_unknown=(
        "Hier ist niemand benannt, den ich rufen könnte. Admins tragen dafür in den Einstellungen dieses "
        "Kanals `person` ein."
    ),
    person_needed="{name} möchte, dass sich ein Mensch diese Frage ansieht.",
    marked_resolved="Als erledigt vermerkt.",
    shared="Im Kanal geteilt.",
    share_not_possible=(
        "Das kann ich hier nicht teilen: Nicht alle im Kanal dürfen sehen, worauf die Antwort beruht."
    ),
    share_reviewed=(
        "Antworten in diesem Kanal werden erst geprüft. Stell die Frage dort, dann sieht sie jemand durch."
    ),
    approved="Freigegeben und gezeigt.",
    discarded="Verworfen.",
    not_reviewer="Das dürfen nur die Prüfenden dieses Kanals.",
    not_asker="Das darf nur {name}, von dort kam die Frage.",
    draft_gone="Um diesen Entwurf hat sich schon jemand gekümmert.",
    draft_sent="Deine Frage wird beantwortet, sobald jemand die Antwort geprüft hat.",
    draft_sent_privately=(
        "Jemand prüft die Antwort zuerst. Wird sie freigegeben, steht sie hier für alle; wenn nicht, kommt "
        "keine Antwort."
    ),
    home_title="Was ich weiß",
    greeting="Frag mich, was in den Dokumenten deines Teams steht.",
    what_i_know="Quellen",
    nothing_yet="Ich habe noch keine Dokumente, die du sehen darfst.",
    suggested="Frag zum Beispiel",
    suggest_title="Was steht in den Dokumenten über {title}?",
    your_questions="Deine letzten Fragen",
    settings="Einstellungen",
    troubles="Braucht Aufmerksamkeit",
    last_synced="zuletzt abgeglichen: {when}",
    next_sync="nächster Abgleich: {when}",
    never_synced="noch nie abgeglichen",
    syncing="wird gerade abgeglichen",
    paused="ruht",
    held="seit einer Rücksetzung festgehalten",
    due_now="jetzt fällig",
    presence="Dokumente vom Stand: {when}",
    add_source="Quelle hinzufügen",
    mode="Antwortet in Kanälen",
    modes={
        "mention": "wenn es erwähnt wird",
        "auto": "auf Fragen von selbst",
        "private-first": "erst nur denen, die fragen",
        "draft": "nach einer Freigabe",
        "off": "nie",
    },
    notices_to="Meldet misslungene Abgleiche in",
    threshold="Nötige Sicherheit ungefragter Antworten",
    follow_ups="Nachfragen ohne Erwähnung",
    nobody="niemand",
    nowhere="keinem Kanal",
    yes="ja",
    no="nein",
    command_ask="Frag die Dokumente deines Teams",
    command_kb="Sieh und ändere, was ich weiß",
    option_question="Was möchtest du wissen?",
    option_persona="In welcher Stimme geantwortet wird",
    option_private="Nur du siehst die Antwort",
    option_location="Ein Ordner, eine Git- oder Webadresse, ein Feed",
    option_source="Name einer Quelle",
    option_file="Eine Datei, die ich aufnehme",
    allow_deletes="Zurückgehaltene Löschungen ausführen",
    direct_closed=(
        "Ich darf dir nicht direkt schreiben. Erlaube Direktnachrichten von diesem Server oder frag mit "
        "`/ask`."
    ),
    ask_about="Danach fragen",
    save_message="In der Wissensbasis speichern",
    subcommands={
        "add": "Eine Quelle hinzufügen",
        "list": "Die Quellen zeigen",
        "show": "Eine Quelle, ihre letzten Abgleiche und Fehler zeigen",
        "sync": "Eine Quelle oder alle abgleichen",
        "remove": "Eine Quelle und alles daraus entfernen",
        "pause": "Eine Quelle nicht mehr nach Plan abgleichen",
        "resume": "Eine ruhende Quelle wieder abgleichen",
        "status": "Zeigen, wie alles steht",
        "help": "Zeigen, was du tun kannst",
    },
    location="Ort",
    location_hint="Eine Git- oder Webadresse, ein Feed, ein Issue-Tracker, ein Kanal, s3://bucket/prefix",
    name="Name",
    name_hint="Kurz, ohne Leerzeichen; leer: aus dem Ort gebildet",
    every="Wie oft",
    every_hint="30m, 2h, 1d oder cron: 0 3 * * *",
    audience="Wer es sehen darf",
    audience_hint="Marken, mit Leerzeichen getrennt; leer: alle",
    title="Titel",
    text="Text (Markdown)",
    link="Link",
    author="Verfasst von",
    review="Wieder prüfen am",
    review_hint="Tag, an dem jemand noch einmal darauf sehen sollte, etwa 2027-01-31",
    saved="{title!r} ist gespeichert; ich antworte jetzt auch daraus.",
    saved_for_here=(
        "{title!r} ist gespeichert; ich antworte jetzt auch daraus, aber nur denen, die dieses Gespräch "
        "sehen."
    ),
    saved_later="{title!r} ist gespeichert; ich antworte daraus, sobald {name} abgeglichen ist.",
    saved_unread="{title!r} ist gespeichert, aber ich fand darin keinen Text: {reason}",
    saved_again="{title!r} ist gespeichert und ersetzt, was unter diesem Namen da war.",
    save_note="Ich antworte daraus wie aus jedem anderen Dokument.",
    seen_by="Wer Antworten daraus bekommt",
    everyone="Alle",
    only_here="Wer in diesem Kanal ist",
    only_me="Nur ich",
    optional="freiwillig",
    help="""\
`{command} list`: die Quellen und wie frisch sie sind
`{command} show NAME`: eine Quelle, ihre letzten Abgleiche und Fehler
`{command} status`: wie alles steht
`{command} add LOCATION [every 30m] [as NAME] [for TAG…]`: Ordner, Git-, Webadresse … hinzufügen
`{command} sync [NAME] [allow deletes]`: jetzt abgleichen
`{command} pause NAME`, `{command} resume NAME`: den Plan anhalten und fortsetzen
`{command} remove NAME`: eine Quelle und alles daraus entfernen
Ansehen dürfen alle; ändern dürfen {who}.""",
    not_allowed="Du darfst nicht ändern, was ich weiß; das dürfen {who}.",
    who_admins="Admins",
    who_named="Admins und alle, die in den Einstellungen stehen ([{platform}] admins und admin_groups)",
    unknown_command="Den Befehl {word!r} gibt es nicht.",
    which_source="Welche Quelle? Schreib `{command} {verb} NAME`.",
    which_location=(
        "Was soll ich hinzufügen? Schreib `{command} add LOCATION [every 30m] [as NAME] [for TAG…]`."
    ),
    wrong_word="{word!r} verstehe ich dort nicht. Schreib `{usage}`.",
    source_unknown="Eine Quelle {name!r} gibt es nicht. Siehe `{command} list`.",
    name_taken=(
        "Eine Quelle {name!r} gibt es schon. Gib dieser einen anderen Namen: `{command} add … as NAME`."
    ),
    own_machine=(
        "{location!r} wird mit den Rechten des Rechners gelesen, auf dem ich laufe. Im Chat dürfen das "
        "nur die "
        "hinzufügen, die in den Einstellungen stehen ([{platform}] admins und admin_groups); an jenem "
        "Rechner: `lorekeeper sources add`."
    ),
    history_audience="Den Verlauf eines Kanals sehen nur seine Mitglieder. Lass `for` weg.",
    held_back="{name} wird seit einer Rücksetzung festgehalten. `{command} resume {name}` gibt sie frei.",
    field_empty="Bitte {label!r} ausfüllen.",
    too_long="{label!r} ist zu lang: höchstens {most} Zeichen.",
    bad_day="{value!r} ist kein Tag. Schreib ihn wie 2027-01-31 oder lass ihn weg.",
    bad_name=(
        "{value!r} kann nicht der Name einer Quelle sein. Nimm Buchstaben von a bis z, Ziffern, „.“, „_“ und "
        "„-“, ohne Leerzeichen; höchstens 64."
    ),
    bad_every=(
        "{value!r} sagt nicht, wie oft. Schreib `30m`, `2h`, `1d` oder einen Cron-Ausdruck wie `0 3 * * *`."
    ),
    bad_file_name=(
        "Die Datei {name!r} kann unter diesem Namen nicht aufgenommen werden. Benenne sie um, etwa notes.md."
    ),
    file_too_large="Die Datei {name!r} ist zu groß: höchstens {most} MB.",
    file_elsewhere="Die Datei {name!r} liegt woanders. Lade sie hier hoch.",
    file_refused="{platform} gibt die Datei {name!r} nicht heraus ({reason}). Lade sie noch einmal hoch.",
    file_not_fetched=(
        "Die Datei {name!r} konnte nicht geholt werden ({reason}). Versuch es in einer Minute noch einmal."
    ),
    cannot_write="{name!r} lässt sich nicht schreiben ({reason}). Sag denen Bescheid, die mich betreiben.",
    own_data="{location!r} liegt in meinem eigenen Datenordner. Nenne einen anderen Ordner.",
    in_settings=(
        "Die Quelle {name!r} steht in der Einstellungsdatei. Nimm dort ihren Block [[sources]] heraus und "
        "wiederhole dies, um zu entfernen, was davon gespeichert ist."
    ),
    sync_waiting="{name} wird schon abgeglichen; ich warte darauf …",
    sync_elsewhere="{name} wird noch abgeglichen. Sieh nach mit `{command} show {name}`.",
    did_you_mean="Meintest du `{command}`?",
    no_sources_yet="Es gibt noch keine Quellen. Füge eine hinzu: `{command} add LOCATION`",
    added="{name} ist hinzugefügt. Der erste Abgleich hat begonnen.",
    sync_began="{name}: Der Abgleich beginnt …",
    sync_listing="{name}: bisher {number} gefunden …",
    sync_going="{name}: {done} von {total} Dokumenten …",
    sync_done="{name}: {changes} in {time}.",
    sync_failed="{name}: misslungen: {reason}",
    sync_held="{deletions} zurückgehalten. Wenn das stimmt: `{command} sync {name} allow deletes`",
    sync_nothing="keine Dokumente",
    remove_title="Quelle entfernen",
    remove_question="Soll ich {name} ({what}) vergessen? Die Dateien selbst bleiben unberührt.",
    removed="{name} ist entfernt, und damit {what}.",
    was_paused="{name} ruht; `{command} resume {name}` setzt den Plan fort.",
    was_resumed="{name} wird wieder nach Plan abgeglichen.",
    was_not_paused="{name} ruhte nicht.",
    status_line="{documents} in {sources}, {failed}.",
    models="Einbettung: {embedding}. Antworten: {llm}.",
    runs="Letzte Abgleiche",
    not_indexed="Nicht aufgenommen",
    error="letzter Fehler: {reason}",
    attention="braucht Aufmerksamkeit nach {failures} hintereinander",
    gone="nicht mehr eingerichtet, aber noch gespeichert",
    stored="{documents}, {nodes}",
    changes={
        "added": ("{} neu", "{} neu"),
        "updated": ("{} geändert", "{} geändert"),
        "deleted": ("{} gelöscht", "{} gelöscht"),
        "unchanged": ("{} unverändert", "{} unverändert"),
        "failed": ("{} nicht aufgenommen", "{} nicht aufgenommen"),
    },
    statuses={
        "running": "läuft",
        "ok": "gelungen",
        "partial": "teilweise gelungen",
        "held": "Löschungen zurückgehalten",
        "failed": "misslungen",
        "interrupted": "abgebrochen",
    },
    types={
        "folder": "Ordner",
        "git": "Git",
        "web": "Web",
        "sitemap": "Sitemap",
        "feed": "Feed",
        "github": "GitHub",
        "gitlab": "GitLab",
        "slack_history": "Slack-Verlauf",
        "discord_history": "Discord-Verlauf",
        "object_store": "Objektspeicher",
        "reader": "Reader",
    },
    unread={
        "empty": "leer",
        "encrypted": "verschlüsselt",
        "too-large": "zu groß",
        "passed-over": "eine Art ohne Text",
        "unsupported": "eine Art, die ich nicht lese",
        "unreadable": "nicht lesbar",
        "vanished": "nicht mehr da",
    },
    more="und {number} weitere",
    notice_failing="Der Abgleich von {name} ist misslungen: {reason} Nächster Versuch: {when}.",
    notice_attention=(
        "{name} braucht Aufmerksamkeit: Der Abgleich ist {failures}-mal hintereinander misslungen. {reason}"
    ),
    notice_held=(
        "{name}: {deletions} zurückgehalten. Wenn das stimmt: `{command} sync {source} allow deletes`"
    ),
    notice_well="{name} wird wieder abgeglichen: {changes}.",
    document=("{} Dokument", "{} Dokumente"),
    node=("{} Textstelle", "{} Textstellen"),
    source=("{} Quelle", "{} Quellen"),
    question=("{} Frage", "{} Fragen"),
    deletion=("{} Löschung wird", "{} Löschungen werden"),
    failure=("{} Fehlschlag", "{} Fehlschlägen"),
    minute=("{} Minute", "{} Minuten"),
    hour=("{} Stunde", "{} Stunden"),
    day=("{} Tag", "{} Tagen"),
    month=("{} Monat", "{} Monaten"),
    year=("{} Jahr", "{} Jahren"),
    ago="vor {}",
    ahead="in {}",
    just_now="gerade eben",
    at_once="in weniger als einer Minute",
    never="nie",
)
TEXTS = bound(_TEXTS, BEFORE_DOTS)
