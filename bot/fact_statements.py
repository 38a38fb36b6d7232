"""A text cut into clauses: what each says, denies, demands and allows."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.fact_idioms import IDIOMS
from bot.facts import meaning, root, small
from kb.words import stem

_CJK_NEGATION = re.compile(r"[不没沒無无非未勿別别]|ない|ません|なく|않|안 |없|못")
_THAI = re.compile(r"ไม่")
_BOUNDARY = re.compile(
    r"[.!?;:。！？；()\n|]+(?=\s|$)|[—–→]|\s-\s|[()\n|。！？；]|,(?=\s)|"
    r"\b(?=(?:but|because|although|though|while|whereas|if|when|whenever|unless|except|so that|since|as long as|"
    r"however|otherwise|aber|sondern|wenn|weil|mais|si|pero|porque)\b)|\band(?= (?:then|stay|keep|leave|take|go|it|they|you|we|he|she|the|that|never|not|don't|do|no|is|are|cannot|can|can't|must|may|should|will|won't|does|doesn't)\b)"
)
# What costs nothing, and what says so without a denial.
FREE = re.compile(
    r"\b(?:(?:charges?|charged|costs?|pays?|paid|asks?|takes?|requires?) (?:nothing|no (?:\w+ )?(?:charges?|costs?|fees?|admission|money|entry fee)|zilch|nada|naught|nought)"
    r"|no (?:extra |additional |further )?(?:charges?|costs?|fees?)|for (?:nothing|nought|naught)|(?:free|without|at no) (?:of )?(?:any )?(?:charge|cost|fee|payment))\b"
)
# ", I am glad to say," stands in the middle of a claim and is none.
_ASIDE = re.compile(
    r",\s*(?:(?:i|we)(?:'m|'re| am| are)? (?:\w+ ){0,4}?(?:say|tell|report|fear|think|believe|suppose|trust|hope|confess|add|note|inform you)"
    r"|my (?:\w+ )?(?:friends?|dears?|lords?|lady|love|lad|lass|sir)|of course|please|dear(?: \w+)?|sir|madam|friends?|folks|mate)\s*,"
)
_EXCEPTED = re.compile(
    r"\b(?P<who>(?:any|every)(?:one|body|where|thing)|every [a-z]+|any (?!more\b)[a-z]+|all days) but\b(?! (?:i|you|he|she|it|we|they)\b)"
)
_NOBODY_BUT = re.compile(
    r"\b(?:nobody|no one|none|nothing|no-one|not \w+)\s+(?:else\s+)?(?:but|except(?: for)?|besides|other than|save)\b"
    r"|\b(?:no one|nobody) else\b|\bnowhere (?:else )?but\b"
)
_BOUND_WITH_NO = re.compile(
    r"(?:\b(?:no|not|never|nor|neither|none|nobody|cannot)|\b[a-z]+n't)\s+(?:(?!(?:is|are|was|were|that|those|which|who|if|any more)\b)[\w']+\s+){0,6}?(?:(?:more|less|fewer|[a-z]{3,}er)\s+than|in excess of)\b"
    r"|\bnot yet (?=\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty)\b)"
    r"|\b(?:no|not|never)\s+(?:later|earlier|sooner|(?:below|under|above|over|beyond|past|within) (?=\d))\b|\b(?:must|can|may|should|do|does|shall|will|would)(?:\s?not|n't)\s+exceed\b|\b(?:cannot|never|not)\s+(?:go (?:over|above|below|under)|exceed|surpass)\b"
)
_NOTHING = re.compile(r"nothing|nobody|none|nowhere|nought|naught")
_OF_NOUNS = re.compile(r"no|none|without|neither|nary|nor|except|nothing|nobody")
_GERUND = re.compile(r"\s+\w{3,}ing\b")
_LACKS = re.compile(r"\b(?:without|lack\w*|missing)\b")
_VERBAL = re.compile(r"\b(?:not|never|cannot|[a-z]+n't)\b")
# Words of a voice that tell nothing.
_VOICE_TEXT = """
    ye yer thee thou thy thine arr arrr aye matey mate mates hear hearty hearties lad lass friend friends folks hey oh ah
    yeah yep yup ok okay sure well pls plz tho btw fyi tbh lol simply kindly pray dear sir madam thing things matter
    hast hath doth shalt wilt art dost ya gonna gotta wanna em
"""
_DENIED_LIST = re.compile(r"(?i)\b(don't|do not|never|not allowed|forbidden|not)\s*:[ \t]*([^.!?;:\n]+)")
_VOICE = frozenset(_VOICE_TEXT.split())
_NAME = re.compile(r"(?<=\w\s)[A-Z]\w+|\b[A-Z][a-z]*[A-Z]\w*|\blit[a-z]{8}\b")
NEGATOR = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|without|except|unless|cannot|nary|nay|nought|naught|ne'er|"
    r"can't|cant|dont|doesnt|wont|isnt|arent|shouldnt|mustnt|didnt|ain't|aint|dinna|canna|[a-z]+n't|"
    r"nicht|kein\w{0,2}|nie|niemals|ohne|außer|weder|niemand|nichts|pas|jamais|aucune?|sans|sauf|rien|non|nunca|jamás|sin|ningun[oa]?|ningún|"
    r"nadie|excepto|salvo|tampoco|niet|geen|nooit|zonder|não|nem|sem|senza|nessun\w?|не|нет|ни|без|никогда)\b"
)
# What may stand for a denial in a rewrite.
_HINTS = (
    r"zero|0|doubt\w*|hardly|barely|rarely|seldom|scarcely|little|few|remains?|stays?|hold(?:s)? off|"
    r"regret\w*|afraid|alas|unfortunately|sadly|except(?:ed|ing|ions?)|every other|all other|the rest|else|beyond|besides|wait|yet to|expire\w*|miss(?:es|ed)?|prevent\w*|block\w*|untouched|unchanged|leav\w+|left|had (?:its|their) day|sailed|no more|out of|for later|cancel\w*"
)
# What denies by itself; a rewrite may say it with a "not".
_DENYING = (
    r"forbid\w*|forbade|prohibit\w*|disallow\w*|ban(?:ned|s)?|bar(?:red|s)|unable|impossible|refus\w+|fail(?:s|ed|ing)?|lack\w*|"
    r"missing|absent|unsupported|unavailable|unnecessary|unneeded|disabl\w+|inactive|exclud\w+|skip\w*|avoid\w*|"
    r"drops?|dropped|discontinu\w+|retir(?:e[ds]?|ing)|deprecat\w+|failure|solely|exclusively|alone|declin\w+|"
    r"block\w*|den(?:y|ies|ied)|reject\w*|stop(?:s|ped)?|ceas\w+|(?:is|are|be|turn\w*|switch\w*|leav\w+|left|keep|kept|stays?|it|them) off|out of the question|off[- ]limits|instead of|rather than|free of|"
    r"forget (?:about|it)|steer clear|stay away|hands off|keep (?:away|clear|out|\w+ out)|refrain\w*|only|apart from|aside from|"
    r"other than|but for|barring|all there is|save (?:for|where|if|when|on|in|at|upon|by|with|during)|nope|invalid|illegal|no-go|taboo|verboten|optional|unmöglich|interdit\w*|défendu\w*|"
    r"turn\w* (?:\w+ )?(?:down|away)|sen[dt]\w* (?:\w+ )?back|thrown? (?:\w+ )?out|knock\w* (?:\w+ )?back|bounc\w+|keep\w* (?:[\w']+ ){1,5}(?:away|out|off|clear)|far (?:away )?from|well away|stays? (?:out|away|off|clear)|"
    r"history|dead|tough luck|no dice|prohibid\w*|imposible|imposs\w+|\w+-free|un(?!der|til|ion|it|i[a-z])\w{4,}|non-\w+|deactivat\w+|withdraw\w*|withh[eo]ld\w*|false|wrong|"
    r"in(?:valid|active|accessible|eligible|correct|complete|visible|secure)|exception|exempt\w*|excused|removed|gone|outdated"
)
_SOFT = re.compile(rf"\b(?:{_HINTS}|{_DENYING})\b")
# What ends the words that a "not" denies: "what is not confirmed is blocked".
_PREDICATE = re.compile(r"\b(?:is|are|was|were|gets?|will|must|has|have)\b")
_DENIES_ITSELF = re.compile(rf"\b(?:{_DENYING})\b")
_STRONG_SOFT = re.compile(
    r"\b(?:forbid\w*|forbade|prohibit\w*|disallow\w*|banned|barred|turned (?:down|away)|unable|impossible|refus\w+|blocks?|unsupported|unavailable|unnecessary|disabl\w+|denied|blocked|rejected|"
    r"skip\w*|avoid\w*|off[- ]limits|optional|excluded|deactivat\w+|fail(?:s|ed)? to|false|wrong)\b"
)
_DENIAL = re.compile(
    r"\b(?:that|this|it|which)(?:'s| is| was)\s+(?:not (?:true|right|correct|so|the case)|false|wrong|a lie|untrue|nonsense|incorrect|a myth)\b"
    r"|\b(?:the opposite|not true|the reverse|quite the contrary) (?:is|holds)\b|\bnot really\b|\bjust kidding\b"
)
_MUST = re.compile(
    r"\b(?:must|has to|have to|having to|had to|need to|needs to|needed|required?|requires|mandatory|obligatory|compulsory|shall|got to|gotta|obliged|necessary|muss|müssen|doit|doivent|debe|deben|ought|should|always)\b"
)
MAY = re.compile(
    r"\b(?:may|can|might|could|allowed|permitted|optional(?:ly)?|able|free to|welcome to|up to you|if you (?:like|want|wish)|feel free|darf|dürfen|kann|können|peut|peuvent|puede|pueden)\b"
)
# What a "not" denies on the way to what it is about.
_MODAL_TEXT = """
    allowed permitted allow allows permit permits required require requires necessary needed need needs able possible
    mandatory obligatory compulsory obligation supposed obliged want let lets dare ever
"""
_MODAL = frozenset(_MODAL_TEXT.split())
_HARD_MUST = re.compile(
    r"\b(?:must|has to|have to|need to|needs to|required|requires|mandatory|obligatory|compulsory|shall|got to|gotta|obliged|obligation|duty|duties|(?:bound|expected|supposed) to|"
    r"a must|non-?negotiable|no (?:choice|way around|getting around|getting out of))\b"
)
_NEEDLESS = re.compile(
    r"\b(?:(?:not|n't|never|no) (?:have|need|required|necessary|obliged|mandatory|obligatory|compulsory)|needn't|need not|no need|unnecessary|optional|not need\w*)\b|\b(?:don't|doesn't|do not|does not) (?:have|need)\b"
)
_FORBIDDEN = re.compile(
    r"\b(?:must(?: not|n't| never)|cannot|can't|may not|shall not|forbidden|prohibited|(?:not|n't) (?:allowed|permitted)|shouldn't|should not|off[- ]limits)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause: its words, and what it says of them."""

    text: str
    said: str  # the text in small letters
    stems: frozenset[str]
    names: frozenset[str]  # the roots that are written as names, code included
    lacks: bool  # it tells of what is without something
    verbal: bool  # its verb is denied
    heads: frozenset[str]  # what stands right behind the words that deny
    denied: frozenset[str]  # what they deny: the first of these that is not merely "allowed" or "needed"
    negative: bool  # a word denies it, and no second one takes that back
    soft: bool  # it may deny in other words
    hints: frozenset[str]  # these words
    lacking: bool  # its own words deny, so that they may be said with a "not"
    excepts: bool  # it tells what is an exception
    double: bool  # what denies is denied: "must not be skipped"
    forbids: bool  # it denies in other words, without doubt
    denies: bool  # it takes back what was said before it
    must: bool
    may: bool
    needless: bool
    forbidden: bool


def clauses(text: str) -> list[Clause]:
    """Cut a text into its clauses; those without a word of meaning are left out."""
    text = _replaced(_ASIDE, " ", text)
    text = _replaced(FREE, " free ", text)
    text = _EXCEPTED.sub(r"\g<who> except", text)
    plain = _replaced(_BOUND_WITH_NO, " ", _replaced(_NOBODY_BUT, " only ", _replaced(IDIOMS, " ", text)))
    if ":" in plain:
        plain = _DENIED_LIST.sub(
            lambda match: f"{match[1]} {match[2].replace(', ', f', {match[1]} ')}", plain
        )
    return [_clause(part) for part in _cut(plain) if any(map(str.isalpha, part))]


def _replaced(pattern: re.Pattern[str], by: str, text: str) -> str:
    """Replace what a pattern of small letters finds, whatever its case: ignoring it in the pattern is slow."""
    spans = [match.span() for match in pattern.finditer(small(text))]
    for start, end in reversed(spans):
        text = f"{text[:start]}{by}{text[end:]}"
    return text


def _cut(text: str) -> list[str]:
    parts, start = list[str](), 0
    for match in _BOUNDARY.finditer(small(text)):
        asks = "?" if "?" in match.group() else ""
        parts.append(text[start : match.start()].strip() + asks)
        start = match.end()
    return [*parts, text[start:].strip()]


@lru_cache(maxsize=4096)
def _clause(text: str) -> Clause:
    said = small(text)
    negators = list(NEGATOR.finditer(said))
    double = any(
        _STRONG_SOFT.search(_PREDICATE.split(" ".join(said[one.end() : one.end() + 80].split()[:3]))[0])
        for one in negators
    )
    rest = NEGATOR.sub(" ", said)
    cjk = len(_CJK_NEGATION.findall(text)) + len(_THAI.findall(text))
    return Clause(
        text=" ".join(text.split()),
        said=said,
        stems=frozenset(clause_root(word) for word in meaning(rest) if word not in _VOICE),
        names=frozenset(clause_root(word) for name in _NAME.findall(text) for word in meaning(name)),
        heads=frozenset(
            clause_root(word) for one in negators for word in _denied_words(said, one) if word.isalpha()
        ),
        denied=frozenset(
            clause_root(word)
            for one in negators
            for word in (
                _denied_words(said, one)
                if _OF_NOUNS.fullmatch(one.group()) and not _GERUND.match(said, one.end())
                else _first(_denied_words(said, one))
            )
        ),
        lacks=bool(_LACKS.search(said)),
        verbal=bool(_VERBAL.search(said)),
        negative=(bool(negators) and not double) or cjk % 2 == 1,
        soft=bool(hints := frozenset(clause_root(match.group()) for match in _SOFT.finditer(said))),
        hints=hints,
        lacking=bool(_DENIES_ITSELF.search(said)),
        excepts=bool(negators) and all(one.group() in {"unless", "except"} for one in negators),
        double=double,
        forbids=not negators and bool(_STRONG_SOFT.search(said)),
        denies=bool(_DENIAL.search(said)),
        must=bool(_HARD_MUST.search(said)) and not negators,
        may=bool(MAY.search(said)) and not negators and not _MUST.search(said),
        needless=bool(_NEEDLESS.search(said)),
        forbidden=bool(_FORBIDDEN.search(said)) and not _NEEDLESS.search(said),
    )


@lru_cache(maxsize=65_536)
def clause_root(word: str) -> str:
    """Return a word's stem without a denying prefix, cut so that its relatives meet."""
    cut = stem(stem(word))
    return cut if cut.startswith("lit") or not cut.isascii() else root(word)


def _denied_words(text: str, negator: re.Match[str]) -> tuple[str, ...]:
    """Return what a negator denies: the two words behind it; of "costs nothing" the verb before it too."""
    before = (
        meaning(text[max(0, negator.start() - 80) : negator.start()])[-1:]
        if _NOTHING.fullmatch(negator.group())
        else ()
    )
    return before + meaning(text[negator.end() : negator.end() + 80])[:2]


def _first(words: Sequence[str]) -> Sequence[str]:
    """Return what is denied, with the words before it that only tell how: "not allowed to enter"."""
    return words[: 1 + next((at for at, word in enumerate(words) if word not in _MODAL), len(words))]
