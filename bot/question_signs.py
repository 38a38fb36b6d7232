"""The turns of phrase by which a question is told from other messages, in en, de, fr and es.

They are matched against words alone: lower case, one space between two, no other signs.
"""

from __future__ import annotations

import re


def _phrases(text: str, *, whole: bool = False, start: bool = True) -> re.Pattern[str]:
    """Compile phrases, one or more a line with bars between; `_` is any one word, `()` and `?` as in re."""
    lines = "|".join(line.strip().strip("|") for line in text.strip().splitlines()).replace("_", r"[^ ]+")
    return re.compile(rf"{'' if start else '(?:^|(?<= ))'}(?:{lines}){'$' if whole else '(?= |$)'}")


_GREETINGS_TEXT = """
    hi hey hello hiya yo ok okay so and but well also btw um hm hmm sorry please pls thanks thx guys all folks
    everyone everybody there team man dude just say actually here channel morning question q anyway
    hallo moin servus bitte leute zusammen salut bonjour coucou svp hola buenas oye
"""
GREETINGS = frozenset(_GREETINGS_TEXT.split())

# What begins a question, whether or not it ends in a question mark.
OPENS = _phrases("""
    how|what|what's|whats|why|where|where's|which|who|who's|whom|whose|howto
    (is|are|was|were|am) (there|it|this|that|the|a|an|any|i|we|my|our|these|those)
    (do|does|did) (i|we|the|it|this|that|any|anyone|anybody|someone|you guys|u guys)
    (can|could|may|should|would|will|must|shall) (i|we|it|this|that|the|a|an|any|anyone|anybody|some|someone)
    (can|could|would|will) (you|u|somebody)|(has|have) (any|anyone|anybody|someone|somebody|i|we)
    anyone|anybody|any one|any (idea|ideas|way|chance|tips|help|suggestion|suggestions|reason|advice|clue)
    (someone|somebody) (know|knows|can|here|please|help)|some one (know|knows|can|here)
    (i )?(was )?wonder(ing)? (if|how|what|why|whether|where)
    wie|warum|wieso|weshalb|wo|wohin|woher|wann|welche[rsnm]?|wer|wem|was (ist|sind|muss|mache|kostet|gilt)
    (kann|darf|muss|soll|könnte) (ich|man|mir|jemand)|können wir|gibt es|gibts|ist (es|das|der|die)|sind die
    hat (jemand|wer|man)|weiß (jemand|wer)|weiss (jemand|wer)
    comment|pourquoi|où|quand|quel|quels|quelle|quelles|combien|qui (peut|est|sait)|est-ce|qu'est-ce
    y a-t-il|peut-on|puis-je|quelqu'un (sait|peut|a)
    cómo|como (puedo|se|hago)|qué|por qué|dónde|donde (está|puedo|encuentro)|cuándo|cuál|cuáles|cuánto|cuántos
    quién|alguien (sabe|puede|tiene|conoce)|puedo|se puede|hay (algún|alguna)
""")

# A question word with a verb before its subject: a question without any mark.
WH_INVERTED = _phrases("""
    (how|what|why|where|which|who)( _)?( _)?( _)? (is|are|was|were|do|does|did|can|could|should|would) _
    (how|what|why|where|which|who)( _)?( _)?( _)? (will|has|have|must) _
    when (is|are|was|were|do|does|did|can|could|should|would|will|has|have|must) _
    (how|where) to|(wie|wo|was|wann|warum|wieso|woher|wohin) _ (ich|man|wir|es|der|die|das)|welche[rsnm]? _
    (où|comment|quand|pourquoi) (est|sont|puis|peut|se|trouver|faire|je|on|faut)
    (cómo|dónde|cuándo|qué|cuál) (es|se|puedo|hago|está|pido|encuentro|hay)
""")

INVERTED = _phrases("""
    (is|are|was|were|am|isn't|aren't|do|does|did|don't|doesn't|didn't) _
    (can|can't|could|will|won't|would|should) _
    (shall|must|may|might|has|have|had|hasn't|haven't|ist|sind|hat|haben|kann|können|darf|muss|soll|sollte) _
    (est|sont|peut|doit|faut|está|puede|hay|tiene|debo) _
""")

INSIDE = _phrases(
    """
    how (to|do|can|would|should|could)
    what('s| is| are)? the (best|right|proper|command|difference|way|process)
    (do|does|did|can|could|should|would|is|are|has) (i|anyone|anybody|someone|there)|is it possible
    anyone (know|knows|here|have|has|use|used|got|tried|who)|any(body)? (know|knows)
    (any|some) (idea|ideas|help|clue|suggestion|suggestions|advice)
    (don't|dont|do not|not sure|no idea) (know |understand |see )?(how|what|where|why|which|if|whether)
    weiß jemand|weiss jemand|kann (mir )?jemand|quelqu'un (sait|peut)|alguien sabe
    """,
    start=False,
)

# Somebody asks for help without a question.
HELP = _phrases(
    """
    need (some )?(help|advice|assistance)|help (me|us|needed)|(please|pls|plz) (can you )?help
    help (please|with)
    (can't|cannot|cant|couldn't|can not) (find|figure out|see how|remember how|work out)
    looking for (the|a|our) _
    ich (suche|brauche|finde)|brauche hilfe|je (cherche|voudrais savoir|ne trouve)|besoin d'aide
    necesito (ayuda|saber)
    no encuentro|busco
    """,
    start=False,
)

NEED = _phrases(
    """
    (i|we|i'm|im|i am|we're|we are)( still)? (need|trying|tried|looking for|stuck|wondering)
    having (a |an |some )?(_ )?(problem|problems|issue|issues|trouble|troubles|difficulty)
    i (just|can't|cannot|want to|would like to)|i have (a|an|some|this) (_ )?(problem|question|issue|error)
    (doesn't|dont|don't|doesnt|isn't|won't|wont|not) work(ing)?|fails (to|with)
    ich (bekomme|kann)|funktioniert nicht|n'arrive pas|ne (marche|fonctionne) pas|no (puedo|funciona)
    """,
    start=False,
)

# Questions about the conversation, or to whoever speaks, which no document answers.
SMALL_TALK = _phrases(
    """
    (is )?any(one|body| one) (here|there|around|home|awake|alive|online|on|else)?|lunch anyone
    (are )?(you|u|y'all) (there|here|ok|okay|sure|still|serious|kidding)( _)?
    how('s| is| are)? (it going|you|u|everyone|things|everybody|life)( _)?( _)?|what's (up|new|happening)
    wassup|sup
    (can|may|could) i ask( _)?( _)?( _)?( _)?|mind if i( _)*|any news|like what|says who|who cares
    (why|what|really|huh|eh|so|who|when|where|how|which|wie|was|warum|quoi|comment|qué)
    (why|what|who|when|where|how|which) (so|not|then|now|is that|for|else|about you)
    what (do|did|does) (you|u|he|she|it) (mean|say|think)|wie geht's|wie geht es( _)?|alles klar
    jemand (da|hier)
    ça va|qué tal
    """,
    whole=True,
)

TO_YOU = _phrases(
    """
    (did|are|were|have|had|do|does|is|was)( not|n't)? (you|u|ya|your)(?! guys| all| know | please| have any)
    (can|will|would|could) (you|u) (?!guys|all|please|help|tell|explain|recommend|point)
    what('s| is| does| do| did| are| version| kind)?( _)? (you|u|your|ur)
    (you|u) (mean|sure|want|tried|try|using|use|got|running|need|have|could|can|should|might|may)
    (why|how|where) (do|did|are|would|have|don't) (you|u)|hast du|bist du|as-tu
    """,
    start=False,
)

_TAGS_TEXT = "right eh no ok okay yes huh correct oder verdad innit"
TAGS = frozenset(_TAGS_TEXT.split())

VAGUE = _phrases("""
    (is|was|does|did|do|are|were|can|will|would|could|should) (it|that|this|he|she|they|those|these)
    (what|why|how|where)('s| is| about| does| do| did| are| would| can)? (it|that|this|they|those|these)
""")

REPLIES = _phrases("""
    yes|yeah|yep|no|nope|ok|okay|thanks|thx|ty|thank you|lol|haha|ah|oh|hmm|try|then|because|maybe|you|u
    that's|thats
    that|it's|its|it|they|he|she|see|use|just|not|but|also|well|sure|cool|right|why not|what if|how about
    ja|nein|danke|oui|non|merci|sí|gracias
""")

_NO_NAMES_TEXT = """
    if when after before since because as in on at for with however then now yes no yeah nope today yesterday
    i error issue problem note reminder update heads-up fyi ps wenn ich frage si je pregunta duda help
"""
NO_NAMES = frozenset(_NO_NAMES_TEXT.split())
