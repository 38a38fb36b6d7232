"""What a text denies, demands and allows, clause by clause, and whether a rewrite changed it.

Words are free, so a clause is known again by the words it shares. What is denied must stay denied, whatever
word denies it; what must be done must not become what may be done.
"""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.grounding import content_words
from kb.words import stem

NEAR = 0.5  # share of a clause's words that another must have to be the same claim
_CJK_NEGATION = re.compile(r"[不没沒無无非未勿別别]|ない|ません|なく|않|안 |없|못")
_THAI = re.compile(r"ไม่")
_BOUNDARY = re.compile(
    r"[.!?;:。！？；()\n|]+(?=\s|$)|[—–]|\s-\s|[()\n|。！？；]|,(?=\s)|"
    r"\b(?=(?:but|because|although|though|while|whereas|if|when|whenever|unless|except|so that|since|as long as|"
    r"however|otherwise|aber|sondern|wenn|weil|mais|si|pero|porque)\b)|\band(?= (?:then|it|they|you|we|he|she|the|that|never|not|don't|do|no|is|are|cannot|can|can't|must|may|should|will|won't|does|doesn't)\b)",
    re.IGNORECASE,
)
# Turns of phrase with a "no" in them that deny nothing of what is told.
_IDIOMS = re.compile(
    r"\b(?:no (?:worries|worry|problem|problemo|sweat|biggie|doubt|kidding|joke|lie|fuss|frills|drama|stress|matter|wonder|"
    r"surprises?|big deal|questions? asked|ifs|buts|cap|less important|offen[cs]e|need to (?:worry|panic|fret|fear))|never (?:fear|mind|you mind)|"
    r"fear not|worry not|fret not|without (?:fail|doubt|a doubt|question|further ado|delay|ado)|not only|not just|not to mention|not to worry|"
    r"why not|if not|or not|as not|(?:do not|don't|dinna|dunna|don't ye|don't you) (?:worry|panic|fret|fear|be (?:shy|afraid|alarmed|fooled)|sweat it|you worry|ye worry|forget|miss out)|"
    r"(?:do not|don't) you (?:know|forget)|(?:isn't|ain't|aren't|doesn't|don't|won't|wasn't|can't) (?:it|they|he|she|you|we|ye|that)(?=\s*[?,.!])|"
    r"(?:can't|cannot|can not) (?:go wrong|miss it|help but|wait)|nothing (?:fancy|to it|to worry about|to fear|more|simpler|easier)|ain't nothing to it|"
    r"ain't (?:gonna lie|rocket science)|not gonna lie|not rocket science|won't bite|believe it or not|more often than not|last but not least|nevertheless|nonetheless|"
    r"none other than|need (?:i|we) not say|can't (?:stress|emphasi[sz]e) (?:this|it|that) enough|(?:do not|don't|never|not) (?:fail|neglect) to|"
    r"never skips? a beat|not a moment (?:too soon|to lose)|like no other|no less|no sooner said|whether or not|you won't regret it|sin embargo|pas mal)\b",
    re.IGNORECASE,
)
_NOBODY_BUT = re.compile(
    r"\b(?:nobody|no one|none|nothing|no-one|not \w+)\s+(?:else\s+)?(?:but|except(?: for)?|besides|other than|save)\b"
    r"|\b(?:no one|nobody) else\b|\bnowhere (?:else )?but\b",
    re.IGNORECASE,
)
_BOUND_WITH_NO = re.compile(
    r"(?:\b(?:no|not|never|nor|cannot)|\b[a-z]+n't)\s+(?:\w+\s+){0,3}?(?:more|less|fewer|later|earlier|longer|sooner|greater|higher|lower|larger|smaller|over|above|below|under|exceed\w*|beyond)\s+than\b"
    r"|\b(?:no|not|never)\s+(?:later|earlier|sooner)\b|\b(?:must|can|may|should|do|does|shall|will|would)(?:\s?not|n't)\s+exceed\b|\b(?:cannot|never|not)\s+(?:go (?:over|above|below|under)|exceed|surpass)\b",
    re.IGNORECASE,
)
_NEGATOR = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|without|except|unless|cannot|nary|nay|nought|naught|ne'er|"
    r"can't|cant|dont|doesnt|wont|isnt|arent|shouldnt|mustnt|didnt|ain't|aint|dinna|canna|[a-z]+n't|"
    r"nicht|kein\w{0,2}|nie|niemals|ohne|außer|weder|niemand|nichts|pas|jamais|aucune?|sans|sauf|rien|non|nunca|jamás|sin|ningun[oa]?|ningún|"
    r"nadie|excepto|salvo|tampoco|niet|geen|nooit|zonder|não|nem|sem|senza|nessun\w?|не|нет|ни|без|никогда)\b",
    re.IGNORECASE,
)
# What may stand for a denial in a rewrite.
_HINTS = (
    r"if|zero|0|doubt\w*|hardly|barely|rarely|seldom|scarcely|little|few|remains?|stays?|hold(?:s)? off|wait\w*|until|"
    r"expire\w*|miss(?:es|ed)?|prevent\w*|block\w*|untouched|unchanged|leav\w+ \w+ (?:alone|out)|left (?:out|alone)|cancel\w*"
)
# What denies by itself; a rewrite may say it with a "not".
_DENYING = (
    r"forbid\w*|forbade|prohibit\w*|disallow\w*|ban(?:ned|s)?|bar(?:red|s)|unable|impossible|refus\w+|fail(?:s|ed|ing)?|lack\w*|"
    r"missing|absent|unsupported|unavailable|unnecessary|unneeded|disabl\w+|inactive|exclud\w+|skip\w*|avoid\w*|"
    r"block\w*|den(?:y|ies|ied)|reject\w*|stop(?:s|ped)?|ceas\w+|off|out of the question|off[- ]limits|instead of|rather than|free of|"
    r"forget (?:about|it)|steer clear|stay away|hands off|keep (?:away|clear|out|\w+ out)|refrain\w*|only|apart from|aside from|"
    r"other than|but for|barring|save for|nope|invalid|illegal|no-go|taboo|verboten|optional|unmöglich|interdit\w*|défendu\w*|"
    r"prohibid\w*|imposible|imposs\w+|\w+-free|un(?!der|til|ion|it|i[a-z])\w{4,}|non-\w+|deactivat\w+|withdraw\w*|withh[eo]ld\w*|false|wrong|"
    r"in(?:valid|active|accessible|eligible|correct|complete|visible|secure)|exception|exempt\w*|excused|removed|gone|outdated"
)
_SOFT = re.compile(rf"\b(?:{_HINTS}|{_DENYING})\b", re.IGNORECASE)
_DENIES_ITSELF = re.compile(rf"\b(?:{_DENYING})\b", re.IGNORECASE)
_STRONG_SOFT = re.compile(
    r"\b(?:forbid\w*|forbade|prohibit\w*|disallow\w*|banned|barred|unable|impossible|refus\w+|unsupported|unavailable|unnecessary|disabl\w+|denied|blocked|rejected|"
    r"skip\w*|avoid\w*|off[- ]limits|optional|excluded|deactivat\w+|fail(?:s|ed)? to|false|wrong)\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"\b(?:that|this|it|which)(?:'s| is| was)\s+(?:not (?:true|right|correct|so|the case)|false|wrong|a lie|untrue|nonsense|incorrect|a myth)\b"
    r"|\b(?:the opposite|not true|the reverse|quite the contrary) (?:is|holds)\b|\bnot really\b|\bjust kidding\b",
    re.IGNORECASE,
)
_MUST = re.compile(
    r"\b(?:must|has to|have to|having to|had to|need to|needs to|needed|required?|requires|mandatory|obligatory|compulsory|shall|got to|gotta|obliged|necessary|muss|müssen|doit|doivent|debe|deben|ought|should|always)\b",
    re.IGNORECASE,
)
_MAY = re.compile(
    r"\b(?:may|can|might|could|allowed|permitted|optional(?:ly)?|able|free to|welcome to|up to you|if you (?:like|want|wish)|feel free|darf|dürfen|kann|können|peut|peuvent|puede|pueden)\b",
    re.IGNORECASE,
)
_HARD_MUST = re.compile(
    r"\b(?:must|has to|have to|need to|needs to|required|requires|mandatory|obligatory|compulsory|shall|got to|gotta|obliged)\b",
    re.IGNORECASE,
)
_NEEDLESS = re.compile(
    r"\b(?:(?:not|n't|never|no) (?:have|need|required|necessary|obliged|mandatory|obligatory|compulsory)|needn't|no need|unnecessary|optional|not need\w*)\b|\b(?:don't|doesn't|do not|does not) (?:have|need)\b",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(
    r"\b(?:must(?: not|n't| never)|cannot|can't|may not|shall not|forbidden|prohibited|(?:not|n't) (?:allowed|permitted)|shouldn't|should not|off[- ]limits)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Denials and demands of the draft that are lost, and those that are new."""

    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause: its words, and what it says of them."""

    text: str
    stems: frozenset[str]
    negative: bool  # a word denies it, and no second one takes that back
    soft: bool  # it may deny in other words
    lacking: bool  # its own words deny, so that they may be said with a "not"
    double: bool  # what denies is denied: "must not be skipped"
    forbids: bool  # it denies in other words, without doubt
    denies: bool  # it takes back what was said before it
    must: bool
    may: bool
    needless: bool
    forbidden: bool


def changed_clauses(draft: str, written: str) -> Changed:
    """Compare two texts from which literals, numbers and markers were taken or not."""
    before, after = clauses(draft), clauses(written)
    lost = [f"not: {_short(one.text)}" for one in before if not _kept(one, before, after)]
    invented = [f"not: {_short(one.text)}" for one in after if _new(one, before, after)]
    strength = [_strength(one, after) for one in before]
    return Changed(lost=(*lost, *filter(None, strength)), invented=tuple(invented))


def clauses(text: str) -> list[Clause]:
    """Cut a text into its clauses; those without a word of meaning are left out."""
    plain = _BOUND_WITH_NO.sub(" ", _NOBODY_BUT.sub(" only ", _IDIOMS.sub(" ", text)))
    parts = [part.strip() for part in _BOUNDARY.split(plain)]
    return [_clause(part) for part in parts if any(map(str.isalpha, part))]


@lru_cache(maxsize=4096)
def _clause(text: str) -> Clause:
    negators = list(_NEGATOR.finditer(text))
    double = any(_STRONG_SOFT.search(" ".join(text[one.end() :].split()[:3])) for one in negators)
    rest = _NEGATOR.sub(" ", text)
    cjk = len(_CJK_NEGATION.findall(text)) + len(_THAI.findall(text))
    return Clause(
        text=" ".join(text.split()),
        stems=frozenset(map(_root, content_words(rest))),
        negative=(bool(negators) and not double) or cjk % 2 == 1,
        soft=bool(_SOFT.search(text)),
        lacking=bool(_DENIES_ITSELF.search(text)),
        double=double,
        forbids=not negators and bool(_STRONG_SOFT.search(text)),
        denies=bool(_DENIAL.search(text)),
        must=bool(_HARD_MUST.search(text)) and not negators,
        may=bool(_MAY.search(text)) and not negators and not _MUST.search(text),
        needless=bool(_NEEDLESS.search(text)),
        forbidden=bool(_FORBIDDEN.search(text)) and not _NEEDLESS.search(text),
    )


def _root(word: str) -> str:
    """Return a word's stem without a denying prefix, cut so that its relatives meet."""
    cut = stem(stem(word))
    return cut if cut.startswith("lit") or not cut.isascii() else cut[:6]


def _kept(denied: Clause, before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether what a clause denies is still denied."""
    near = _nearest(denied, after)
    if denied.double:
        return not near or not all(one.forbids or (one.negative and one.soft) for one in near)
    if not (denied.negative or denied.forbids):
        return True
    if not near:
        return sum(one.negative or one.soft for one in after) >= sum(one.negative for one in before)
    return any((one.negative or one.soft) and not one.double for one in _with_neighbours(denied, near, after))


def _with_neighbours(denied: Clause, near: Iterable[Clause], every: Sequence[Clause]) -> list[Clause]:
    """Add the clauses beside: "Fridays? Never." denies in one of its own, "A test server? No fee." in one that goes on."""
    found: list[Clause] = []
    for one in near:
        at = every.index(one)
        found.append(one)
        beside = [other for other in every[max(0, at - 1) : at + 2] if other is not one]
        rest = denied.stems - one.stems
        found += [other for other in beside if len(other.stems) <= 1 or other.stems & rest]
    return found


def _new(clause: Clause, before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether a clause denies what the draft does not."""
    if clause.denies:
        return not any(one.denies for one in before)
    if not (clause.negative or clause.forbids):
        return False
    near = _nearest(clause, before)
    if not near:
        short = not clause.stems and not any(one.negative or one.soft for one in before)
        return short and _answers(clause)
    if any(one.negative or one.lacking or one.double for one in near):
        return False
    overlap = max(
        len(one.stems & clause.stems) / max(1, min(len(one.stems), len(clause.stems))) for one in near
    )
    return overlap >= NEAR or (not clause.soft and overlap > 1 / 3)


def _answers(clause: Clause) -> bool:
    """Tell whether a clause of nothing but a denial takes back what stands before it: "Not.", "Never!"."""
    return re.fullmatch(r"\W*(?:not|never|no way|not at all)\W*", clause.text, re.IGNORECASE) is not None


def _nearest(clause: Clause, others: Sequence[Clause]) -> list[Clause]:
    """Return the clauses that share most words with one; none when nothing is shared."""
    shared = [(len(one.stems & clause.stems), one) for one in others]
    most = max((count for count, _ in shared), default=0)
    return [one for count, one in shared if count == most] if most else []


def _strength(clause: Clause, after: Sequence[Clause]) -> str:
    """Tell how a demand was weakened or a permission made a demand; empty when neither."""
    near = [one for one in _nearest(clause, after) if len(one.stems & clause.stems) * 2 >= len(clause.stems)]
    if not near:
        return ""
    if clause.must and all(one.may for one in near):
        return f"must: {_short(clause.text)}"
    if clause.may and all(one.must for one in near):
        return f"may: {_short(clause.text)}"
    if clause.needless and all(one.forbidden for one in near):
        return f"need not: {_short(clause.text)}"
    if clause.forbidden and all(one.needless for one in near):
        return f"must not: {_short(clause.text)}"
    return ""


def _short(text: str) -> str:
    clean = " ".join(text.replace("\x01", "").split())
    return clean if len(clean) <= 80 else f"{clean[:79].rstrip()}…"
