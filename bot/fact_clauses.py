"""What a text denies, demands and allows, clause by clause, and whether a rewrite changed it.

Words are free, so a clause is known again by the words it shares. What is denied must stay denied, whatever
word denies it; what must be done must not become what may be done.
"""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.fact_idioms import IDIOMS
from bot.fact_opposites import denied_opposites, opposed
from bot.facts import meaning, small
from kb.words import stem

NEAR = 0.5  # share of a clause's words that another must have to be the same claim
_CJK_NEGATION = re.compile(r"[不没沒無无非未勿別别]|ない|ません|なく|않|안 |없|못")
_THAI = re.compile(r"ไม่")
_BOUNDARY = re.compile(
    r"[.!?;:。！？；()\n|]+(?=\s|$)|[—–→]|\s-\s|[()\n|。！？；]|,(?=\s)|"
    r"\b(?=(?:but|because|although|though|while|whereas|if|when|whenever|unless|except|so that|since|as long as|"
    r"however|otherwise|aber|sondern|wenn|weil|mais|si|pero|porque)\b)|\band(?= (?:then|it|they|you|we|he|she|the|that|never|not|don't|do|no|is|are|cannot|can|can't|must|may|should|will|won't|does|doesn't)\b)"
)
_NOBODY_BUT = re.compile(
    r"\b(?:nobody|no one|none|nothing|no-one|not \w+)\s+(?:else\s+)?(?:but|except(?: for)?|besides|other than|save)\b"
    r"|\b(?:no one|nobody) else\b|\bnowhere (?:else )?but\b"
)
_BOUND_WITH_NO = re.compile(
    r"(?:\b(?:no|not|never|nor|cannot)|\b[a-z]+n't)\s+(?:(?!(?:is|are|was|were|that|those|which|who|if|any more)\b)\w+\s+){0,6}?(?:(?:more|less|fewer|[a-z]{3,}er)\s+than|in excess of)\b"
    r"|\bnot yet (?=\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty)\b)"
    r"|\b(?:no|not|never)\s+(?:later|earlier|sooner)\b|\b(?:must|can|may|should|do|does|shall|will|would)(?:\s?not|n't)\s+exceed\b|\b(?:cannot|never|not)\s+(?:go (?:over|above|below|under)|exceed|surpass)\b"
)
_UNTIL = re.compile(r"\b(?:wait\w*|once|only (?:after|when|once))\b")
_NOT_YET = re.compile(r"\b(?:until|till|before|yet|unless|prior)\b")
_BEFORE = re.compile(r"\b(?:before|until|till|prior to|ahead of)\b")
# A number that says which one: port 22, account 4700.
_NUMBERED = re.compile(
    r"\b(?!(?:within|after|for|than|over|under|above|below|until|before|from|every|exceed|least|most|and)\b)[a-z]{3,} (\d+)\b(?!\s*[a-z%$€£])"
)
_NOTHING = re.compile(r"nothing|nobody|none|nowhere|nought|naught")
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
_ALL_BUT = re.compile(
    r"\b(?:everyone|everybody|anyone|anybody|all|everything)\s+(?:\w+\s+)?(?:but|except(?: for)?|besides|other than|save|apart from)\b"
)
_ONLY = re.compile(r"\b(?:only|solely|exclusively|alone|just|nothing but)\b")
_ALWAYS = re.compile(r"\b(?:always|ever|in (?:any|every|all) cases?|any|all|every\w*)\b")
_BOUNDED = re.compile(
    r"\b(?:more|less|fewer|larger|smaller|bigger|longer|shorter|higher|lower|older|later|over|under|above|below|up to|at most|at least|"
    r"within|beyond|exceed\w*|maximum|minimum|max|min|limit\w*)\b|[<>≤≥]"
)
_AFFIRMED = re.compile(
    r"\b(?:yes|yeah|sure|of course|absolutely|always|ever\w+|fine|ok(?:ay)?|welcome|freely?|go ahead|too|also|still|all|valid|safe(?:ly)?|"
    r"any\w*|definitely|certainly|possible|good to go)\b"
)
_NEGATOR = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|without|except|unless|cannot|nary|nay|nought|naught|ne'er|"
    r"can't|cant|dont|doesnt|wont|isnt|arent|shouldnt|mustnt|didnt|ain't|aint|dinna|canna|[a-z]+n't|"
    r"nicht|kein\w{0,2}|nie|niemals|ohne|außer|weder|niemand|nichts|pas|jamais|aucune?|sans|sauf|rien|non|nunca|jamás|sin|ningun[oa]?|ningún|"
    r"nadie|excepto|salvo|tampoco|niet|geen|nooit|zonder|não|nem|sem|senza|nessun\w?|не|нет|ни|без|никогда)\b"
)
# What may stand for a denial in a rewrite.
_HINTS = (
    r"zero|0|doubt\w*|hardly|barely|rarely|seldom|scarcely|little|few|remains?|stays?|hold(?:s)? off|"
    r"expire\w*|miss(?:es|ed)?|prevent\w*|block\w*|untouched|unchanged|leav\w+ \w+ (?:alone|out)|left (?:out|alone)|cancel\w*"
)
# What denies by itself; a rewrite may say it with a "not".
_DENYING = (
    r"forbid\w*|forbade|prohibit\w*|disallow\w*|ban(?:ned|s)?|bar(?:red|s)|unable|impossible|refus\w+|fail(?:s|ed|ing)?|lack\w*|"
    r"missing|absent|unsupported|unavailable|unnecessary|unneeded|disabl\w+|inactive|exclud\w+|skip\w*|avoid\w*|"
    r"drops?|dropped|discontinu\w+|retir(?:e[ds]?|ing)|deprecat\w+|failure|solely|exclusively|alone|declin\w+|"
    r"block\w*|den(?:y|ies|ied)|reject\w*|stop(?:s|ped)?|ceas\w+|(?:is|are|be|turn\w*|switch\w*|leav\w+|left|keep|kept|stays?|it|them) off|out of the question|off[- ]limits|instead of|rather than|free of|"
    r"forget (?:about|it)|steer clear|stay away|hands off|keep (?:away|clear|out|\w+ out)|refrain\w*|only|apart from|aside from|"
    r"other than|but for|barring|save for|nope|invalid|illegal|no-go|taboo|verboten|optional|unmöglich|interdit\w*|défendu\w*|"
    r"history|dead|tough luck|no dice|prohibid\w*|imposible|imposs\w+|\w+-free|un(?!der|til|ion|it|i[a-z])\w{4,}|non-\w+|deactivat\w+|withdraw\w*|withh[eo]ld\w*|false|wrong|"
    r"in(?:valid|active|accessible|eligible|correct|complete|visible|secure)|exception|exempt\w*|excused|removed|gone|outdated"
)
_SOFT = re.compile(rf"\b(?:{_HINTS}|{_DENYING})\b")
# What ends the words that a "not" denies: "what is not confirmed is blocked".
_PREDICATE = re.compile(r"\b(?:is|are|was|were|gets?|will|must|has|have)\b")
_DENIES_ITSELF = re.compile(rf"\b(?:{_DENYING})\b")
_STRONG_SOFT = re.compile(
    r"\b(?:forbid\w*|forbade|prohibit\w*|disallow\w*|banned|barred|unable|impossible|refus\w+|unsupported|unavailable|unnecessary|disabl\w+|denied|blocked|rejected|"
    r"skip\w*|avoid\w*|off[- ]limits|optional|excluded|deactivat\w+|fail(?:s|ed)? to|false|wrong)\b"
)
_DENIAL = re.compile(
    r"\b(?:that|this|it|which)(?:'s| is| was)\s+(?:not (?:true|right|correct|so|the case)|false|wrong|a lie|untrue|nonsense|incorrect|a myth)\b"
    r"|\b(?:the opposite|not true|the reverse|quite the contrary) (?:is|holds)\b|\bnot really\b|\bjust kidding\b"
)
_MUST = re.compile(
    r"\b(?:must|has to|have to|having to|had to|need to|needs to|needed|required?|requires|mandatory|obligatory|compulsory|shall|got to|gotta|obliged|necessary|muss|müssen|doit|doivent|debe|deben|ought|should|always)\b"
)
_MAY = re.compile(
    r"\b(?:may|can|might|could|allowed|permitted|optional(?:ly)?|able|free to|welcome to|up to you|if you (?:like|want|wish)|feel free|darf|dürfen|kann|können|peut|peuvent|puede|pueden)\b"
)
_HARD_MUST = re.compile(
    r"\b(?:must|has to|have to|need to|needs to|required|requires|mandatory|obligatory|compulsory|shall|got to|gotta|obliged)\b"
)
_NEEDLESS = re.compile(
    r"\b(?:(?:not|n't|never|no) (?:have|need|required|necessary|obliged|mandatory|obligatory|compulsory)|needn't|need not|no need|unnecessary|optional|not need\w*)\b|\b(?:don't|doesn't|do not|does not) (?:have|need)\b"
)
_FORBIDDEN = re.compile(
    r"\b(?:must(?: not|n't| never)|cannot|can't|may not|shall not|forbidden|prohibited|(?:not|n't) (?:allowed|permitted)|shouldn't|should not|off[- ]limits)\b"
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
    said: str  # the text in small letters
    stems: frozenset[str]
    names: frozenset[str]  # the roots that are written as names, code included
    lacks: bool  # it tells of what is without something
    verbal: bool  # its verb is denied
    heads: frozenset[str]  # what stands right behind the words that deny
    negative: bool  # a word denies it, and no second one takes that back
    soft: bool  # it may deny in other words
    hints: frozenset[str]  # these words
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
    turned = [f"not: {_short(one.text)}" for one in before if _opposite(one, after) or _widened(one, after)]
    if bool(_NOBODY_BUT.search(small(draft))) != bool(_NOBODY_BUT.search(small(written))):
        turned += [match.group() for match in _ALL_BUT.finditer(small(f"{draft}\n{written}"))]
    return Changed(lost=(*lost, *filter(None, strength), *turned), invented=tuple(invented))


def _widened(clause: Clause, after: Sequence[Clause]) -> bool:
    """Tell whether what was only so is always or for all so."""
    if not _ONLY.search(clause.said):
        return False
    near = [one for one in _nearest(clause, after) if len(one.stems & clause.stems) > 1]
    return bool(near) and all(_ALWAYS.search(one.said) and not _ONLY.search(one.said) for one in near)


def _opposite(clause: Clause, after: Sequence[Clause]) -> bool:
    """Tell whether what is said of the same is the opposite now, without a denial: accepted, not declined."""
    if clause.negative or clause.double:
        return False
    least = min(2, len(clause.stems) // 2)
    told = frozenset[str]().union(*(one.stems for one in after))
    # "Over 5 MB is rejected" and "up to 5 MB is accepted" are one.
    return any(
        len(one.stems & clause.stems) >= least and opposed(clause.stems, one.stems, told)
        for one in after
        if not (one.negative or one.double or _BOUNDED.search(one.said))
    )


def clauses(text: str) -> list[Clause]:
    """Cut a text into its clauses; those without a word of meaning are left out."""
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
        parts.append(text[start : match.start()].strip())
        start = match.end()
    return [*parts, text[start:].strip()]


@lru_cache(maxsize=4096)
def _clause(text: str) -> Clause:
    said = small(text)
    negators = list(_NEGATOR.finditer(said))
    double = any(
        _STRONG_SOFT.search(_PREDICATE.split(" ".join(said[one.end() : one.end() + 80].split()[:3]))[0])
        for one in negators
    )
    rest = _NEGATOR.sub(" ", said)
    cjk = len(_CJK_NEGATION.findall(text)) + len(_THAI.findall(text))
    return Clause(
        text=" ".join(text.split()),
        said=said,
        stems=frozenset(_root(word) for word in meaning(rest) if word not in _VOICE),
        names=frozenset(_root(word) for name in _NAME.findall(text) for word in meaning(name)),
        heads=frozenset(
            _root(word) for one in negators for word in _denied_words(said, one) if word.isalpha()
        ),
        lacks=bool(_LACKS.search(said)),
        verbal=bool(_VERBAL.search(said)),
        negative=(bool(negators) and not double) or cjk % 2 == 1,
        soft=bool(hints := frozenset(_root(match.group()) for match in _SOFT.finditer(said))),
        hints=hints,
        lacking=bool(_DENIES_ITSELF.search(said)),
        double=double,
        forbids=not negators and bool(_STRONG_SOFT.search(said)),
        denies=bool(_DENIAL.search(said)),
        must=bool(_HARD_MUST.search(said)) and not negators,
        may=bool(_MAY.search(said)) and not negators and not _MUST.search(said),
        needless=bool(_NEEDLESS.search(said)),
        forbidden=bool(_FORBIDDEN.search(said)) and not _NEEDLESS.search(said),
    )


@lru_cache(maxsize=65_536)
def _root(word: str) -> str:
    """Return a word's stem without a denying prefix, cut so that its relatives meet."""
    cut = stem(stem(word))
    return cut if cut.startswith("lit") or not cut.isascii() else cut[:6]


_EXCEPTION_WORDS = "only|alone|solely|exclusively|apart from|aside from|other than|but for|barring|save for"
_EXCEPTIONS = frozenset(map(_root, _EXCEPTION_WORDS.split("|")))


def _denied_words(text: str, negator: re.Match[str]) -> tuple[str, ...]:
    """Return what a negator denies: the two words behind it; of "costs nothing" the verb before it too."""
    before = (
        meaning(text[max(0, negator.start() - 80) : negator.start()])[-1:]
        if _NOTHING.fullmatch(negator.group())
        else ()
    )
    return before + meaning(text[negator.end() : negator.end() + 80])[:2]


def _kept(denied: Clause, before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether what a clause denies is still denied."""
    near = _nearest(denied, after)
    if denied.negative and any(denied_opposites(denied.said) & one.stems for one in near):
        return True
    if denied.double:
        return not near or not all(one.forbids or (one.negative and one.soft) for one in near)
    if not (denied.negative or denied.forbids):
        return True
    if not near and denied.lacks and not denied.stems and any(_NOT_YET.search(one.said) for one in after):
        return True  # "without it" is "until that is done"
    if not near:
        return sum(one.negative or one.soft for one in after) >= sum(one.negative for one in before)
    if _still_denied(denied, before, after):
        return True
    beside = _with_neighbours(denied, near, after, before)
    known = denied.hints
    if any(one.hints & _EXCEPTIONS for one in before):
        known |= _EXCEPTIONS
    if _rephrased(denied, beside, after) or any(_waits(denied, one) for one in after):
        return True
    return any(
        (one.negative or one.hints - known or (one.soft and not denied.negative) or _later(denied, one))
        and not one.double
        for one in beside
    )


def _still_denied(denied: Clause, before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether as many clauses deny the same words as in the draft."""

    def count(clauses: Sequence[Clause]) -> int:
        return sum(one.negative and bool(denied.heads & (one.stems | one.heads)) for one in clauses)

    allowed = any(
        one.may or _AFFIRMED.search(one.said) for one in _nearest(denied, after) if not one.negative
    )
    return len(denied.heads) > 0 and not allowed and count(after) >= count(before)


def _later(denied: Clause, one: Clause) -> bool:
    """Tell whether what is not so before something is told as waiting for it."""
    return bool(_UNTIL.search(one.said)) and bool(_NOT_YET.search(denied.said))


def _waits(denied: Clause, one: Clause) -> bool:
    """Tell whether "no start before a check" is said as "a check before the start"."""
    no, yes = _BEFORE.split(denied.said, maxsplit=1), _BEFORE.split(one.said, maxsplit=1)
    if not denied.negative or one.negative or len(no) < 2 or len(yes) < 2:
        return False
    late, first, sooner, later = (frozenset(map(_root, meaning(part))) for part in (*no, *yes))
    return bool(late & later and first & sooner) and not (late & sooner or first & later)


def _rephrased(denied: Clause, near: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether what is denied is nowhere told, so that other words must stand for it: "silent" for no answer.

    It is not where something near is allowed or affirmed instead.
    """
    told = frozenset[str]().union(*(one.stems for one in after))
    allowed = any(one.may or _AFFIRMED.search(one.said) for one in near if not one.negative)
    demanded = denied.needless and any(one.must for one in near)
    known = denied.heads.union(_NUMBERED.findall(denied.said))
    return bool(denied.heads) and not known & told and not (allowed or demanded or denied.forbidden)


def _with_neighbours(
    denied: Clause, near: Iterable[Clause], every: Sequence[Clause], before: Sequence[Clause]
) -> list[Clause]:
    """Add the clauses beside: "Fridays? Never." denies in one of its own, "A test server? No fee." in one that goes on."""
    found: list[Clause] = []
    own = frozenset[str]().union(*(one.stems for one in before)) - denied.stems
    for one in near:
        at = every.index(one)
        found.append(one)
        beside = [*every[max(0, at - 1) : at], *_following(every, at)]
        rest = denied.stems - one.stems
        found += [
            other
            for other in beside
            if (len(other.stems) <= 1 and not other.stems & own and (other.verbal or not other.lacks))
            or other.stems & rest
        ]
    return found


def _following(every: Sequence[Clause], at: int) -> Iterator[Clause]:
    """Yield what follows a clause: the next, and one more behind a mere "Yeah," or "Cute."."""
    for number, other in enumerate(every[at + 1 : at + 3]):
        if number and len(every[at + 1].stems) > 1:
            return
        yield other


def _new(clause: Clause, before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether a clause denies what the draft does not."""
    if clause.denies:
        return not any(one.denies for one in before)
    if not (clause.negative or clause.forbids):
        return False
    near = _nearest(clause, before)
    if any(_waits(clause, one) for one in before):
        return False
    if any(one.negative and not one.stems for one in before):
        return False  # "Don't: …" denies all that is listed behind it
    if any(denied_opposites(clause.said) & one.stems for one in near):
        return False
    if not near:
        short = not clause.stems and not any(one.negative or one.soft for one in before)
        return short and _answers(clause)
    if _of_another(clause, before):
        return True
    if clause.verbal and clause.lacks and all(one.lacks and not one.verbal for one in near):
        return True  # "without it you get none" was "without it you get one"
    if any(one.negative or one.lacking or one.double for one in near) or _told(clause, near, before, after):
        return False
    overlap = max(
        len(one.stems & clause.stems) / max(1, min(len(one.stems), len(clause.stems))) for one in near
    )
    return overlap >= NEAR or (not clause.soft and overlap > 1 / 3)


def _of_another(clause: Clause, before: Sequence[Clause]) -> bool:
    """Tell whether a named one is denied what the draft tells of it and denies others."""
    first = frozenset(map(_root, meaning(" ".join(clause.text.split()[:2]))))
    for name in clause.names & first:
        about = [one for one in before if name in one.names]
        told = any(len(one.stems & clause.stems) > 1 for one in about)
        if told and not any(one.negative or one.soft for one in about):
            return True
    return False


def _told(clause: Clause, near: Sequence[Clause], before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether a denial of the draft that no other clause of the rewrite denies is what this one says.

    It must have words of that denial that the clauses it is most like do not have.
    """
    plain = frozenset[str]().union(*(one.stems for one in near))
    for denied in before:
        if not denied.negative or not denied.stems & clause.stems - plain:
            continue
        others = [one for one in after if one is not clause and (one.negative or one.forbids)]
        if not any(len(one.stems & denied.stems) * 2 >= len(denied.stems) for one in others):
            return True
    return False


def _answers(clause: Clause) -> bool:
    """Tell whether a clause of nothing but a denial takes back what stands before it: "Not.", "Never!"."""
    return re.fullmatch(r"\W*(?:not|never|no way|not at all)\W*", clause.said) is not None


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
    if clause.may and any(one.may for one in _with_neighbours(clause, near, after, ())):
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
