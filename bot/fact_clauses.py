"""What a text denies, demands and allows, and whether a rewrite contradicts it.

Words are free, so a clause is known again by the words it shares. A denial is lost where the rewrite says
what was denied, or allows it; it is new where the rewrite denies what the draft says.
"""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.fact_opposites import denied_opposites, opposed
from bot.fact_statements import FREE, MAY, NEGATOR, Clause, clause_root, clauses
from bot.facts import meaning, small

NEAR = 0.5  # share of a clause's words that another must have to be the same claim
_GRATIS = re.compile(
    r"\bfree\b|\bgratis\b|on the house|\bcomplimentary\b|\bunpaid\b|(?:n't|not|without) pay|\bno \w+|n't"
)
_OMITS = re.compile(r"\b(?:lea(?:ves?|ving) (?:\w+ ){1,3}?out|omit\w*|exclud\w+|left out|lacks?|drops?)\b")
_HELD = frozenset(map(clause_root, ["included", "contained", "covered", "shown", "listed", "counted"]))
_TAKES = re.compile(
    r"\b(?:takes?|needs?|requires?|calls? for|demands?|wants?|comes? first|only (?:with|if|when|once|after))\b"
)
_LATER = re.compile(r"\b(?:until|till)\b")
_UNTIL = re.compile(r"\b(?:wait\w*|once|only (?:after|when|once))\b")
_NOT_YET = re.compile(r"\b(?:until|till|before|yet|unless|prior)\b")
_BEFORE = re.compile(r"\b(?:before|until|till|prior to|ahead of)\b")
# A number that says which one: port 22, account 4700.
_NUMBERED = re.compile(
    r"\b(?!(?:within|after|for|than|over|under|above|below|until|before|from|every|exceed|least|most|and)\b)[a-z]{3,} (\d+)\b(?!\s*[a-z%$€£])"
)
_UNSAID = re.compile(r"\b(?:un|in)([a-z]{4,})\b")
_NOT_ONLY = re.compile(r"\bnot (?:only|just) (?:on |in |by |with |for |the |a )?(\w+)")
_STILL = re.compile(
    r"\b(?:still|nevertheless|nonetheless|even so|all the same|regardless|feel free|by all means|go ahead)\b"
)
_NO_MORE = re.compile(r"\b(?:any ?more|no longer|no more)\b")
_MOVED = re.compile(r"\b(?:moved?|moves|from|replaced?|replaces|formerly|instead|switch\w*|became|renamed)\b")
# What comes of it is told as a warning, and a warning may be given as a "don't".
_WARNS = re.compile(r"\b(?:grounds|risk\w*|danger\w*|violat\w+|breach\w*|penalt\w+|harm\w*|punish\w*)\b")
_BARE_NO = re.compile(r"(?:so |then )?(?:no|without)\b")
_UNLESS = re.compile(r"\b(?:until|till|unless)\b")
_CONDITION = re.compile(
    r"\b(?:only|before|after|once|until|till|unless|otherwise|without|needs?|requires?|required|needed|must)\b"
)
_ONLY = re.compile(
    r"\b(?:only|solely|exclusively|alone|just|nothing but|all (?:there|you|ye|it|they)|single)\b"
)
_ALWAYS = re.compile(r"\b(?:always|ever|in (?:any|every|all) cases?|any|all|every\w*)\b")
_EVEN_IF = re.compile(r"\b(?:even without|even$|even if|regardless|no matter)\b")
_BOUNDED = re.compile(
    r"\b(more|larger|bigger|longer|higher|older|later|over|above|at least|beyond|exceed\w*|past|after)\b|[>≥]"
    r"|\b(?:less|fewer|smaller|shorter|lower|under|below|up to|at most|within|maximum|minimum|max|min|limit\w*)\b|[<≤]"
)
_AFFIRMED = re.compile(
    r"\b(?:yes|yeah|sure|of course|absolutely|always|every(?:one|body|where)|fine|ok(?:ay)?|welcome|freely?|go ahead|too|also|as well|still|valid|"
    r"any(?:one|body|where|time)|definitely|certainly|lets? \w+ (?:in|through|pass)|possible|good to go)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Denials and demands of the draft that are lost, and those that are new."""

    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()


def changed_clauses(draft: str, written: str) -> Changed:
    """Compare two texts from which literals, numbers and markers were taken or not."""
    before = clauses(draft)
    unsaid = frozenset(
        clause_root(match[1]) for one in before if one.negative for match in _UNSAID.finditer(one.said)
    )
    after = [_without_accounted(one, unsaid) for one in clauses(written)]
    lost = [f"not: {_short(one.text)}" for one in before if not _kept(one, before, after)]
    invented = [f"not: {_short(one.text)}" for one in after if _new(one, before, after)]
    if FREE.search(small(draft)) and not (FREE.search(small(written)) or _GRATIS.search(small(written))):
        lost += [f"not: {match.group()}" for match in FREE.finditer(small(draft))]
    strength = [_strength(one, after) for one in before]
    turned = [f"not: {_short(one.text)}" for one in before if _opposite(one, after) or _widened(one, after)]
    turned += _not_only(before, written)
    turned += [f"not: {_short(one.text)}" for one in before if _goes_on(one, before, after)]
    return Changed(lost=(*lost, *filter(None, strength), *turned), invented=tuple(invented))


def _without_accounted(clause: Clause, unsaid: frozenset[str]) -> Clause:
    """Take the denial from a clause whose "don't spend" is an "unspent" of the draft: what else it says is said."""
    verbs = clause.denied & unsaid
    if not (clause.negative and verbs and clause.denied == verbs and clause.stems - clause.heads):
        return clause
    rest = clause.heads - verbs
    return replace(
        clause, negative=False, verbal=False, heads=frozenset(), denied=frozenset(), stems=clause.stems | rest
    )


def _widened(clause: Clause, after: Sequence[Clause]) -> bool:
    """Tell whether what was only so is always or for all so."""
    if not _ONLY.search(clause.said):
        return False
    near = [one for one in _nearest(clause, after) if len(one.stems & clause.stems) > 1]
    return (
        bool(near)
        and (all(_ALWAYS.search(one.said) for one in near) or any(_EVEN_IF.search(one.said) for one in near))
        and not any(_ONLY.search(one.said) for one in after)
    )


def _not_only(before: Sequence[Clause], written: str) -> Iterator[str]:
    """Yield what was only so and is "not only" so."""
    more = frozenset(clause_root(match[1]) for match in _NOT_ONLY.finditer(small(written)))
    for one in before:
        if more & one.stems and _ONLY.search(one.said):
            yield f"not: {_short(one.text)}"


def _goes_on(ended: Clause, before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether what is denied or has ended is so "still", which the draft does not say of anything."""
    if not (ended.negative or ended.lacking) or any(_STILL.search(one.said) for one in before):
        return False
    return any(
        _STILL.search(one.said)
        and (
            one.stems & ended.denied
            or (ended.lacking and len(one.stems & ended.stems) > 1)
            or opposed(ended.stems, one.stems, frozenset())
        )
        for one in after
        if not (one.negative or one.soft)
    )


def _opposite(clause: Clause, after: Sequence[Clause]) -> bool:
    """Tell whether what is said of the same is the opposite now, without a denial: accepted, not declined."""
    if clause.negative or clause.double:
        return False
    least = min(2, (len(clause.stems) + 1) // 2)
    told = frozenset[str]().union(*(one.stems for one in after))
    # "Over 5 MB is rejected" and "up to 5 MB is accepted" are one.
    return any(
        len(one.stems & clause.stems) >= least and opposed(clause.stems, one.stems, told)
        for one in after
        if not (one.negative or one.double or _otherwise_bound(clause, one))
    )


def _otherwise_bound(clause: Clause, other: Clause) -> bool:
    """Tell whether a clause is bounded, and not the same way as another: over one, and up to one."""
    was, now = ({"up" if m[1] else "down" for m in _BOUNDED.finditer(one.said)} for one in (clause, other))
    return bool(now) and (was != now or len(now) > 1)


_EXCEPTION_TEXT = """
    excepted,excepting,excluded,excludes,excluding,every other,all other,the rest,else,beyond,besides,only,alone,solely,exclusively,apart from,aside from,other than,but for,
    barring,all there is,save for,save where,save if,save when,save on,save in,save at,save upon,save by,save with,save during
"""
_EXCEPTIONS = frozenset(map(clause_root, map(str.strip, _EXCEPTION_TEXT.split(","))))


def _shares(roots: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether a word of these, or one of its family, is among the others: "renewed" and "renewal"."""
    return any(
        one == other or (min(len(one), len(other)) > 2 and (one.startswith(other) or other.startswith(one)))
        for one in roots
        for other in others
    )


def _allows(clause: Clause) -> bool:
    """Tell whether a clause says that something may be, is so all the same, or is so for all."""
    return not clause.negative and (clause.may or _AFFIRMED.search(clause.said) is not None)


def _kept(denied: Clause, before: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether what a clause denies is still denied."""
    near = _nearest(denied, after)
    if denied.negative and any(denied_opposites(denied.said) & one.stems for one in near):
        return True
    if denied.excepts and any(
        one.excepts or one.hints & _EXCEPTIONS or (one.negative and one in near) for one in after
    ):
        return True
    if denied.double:
        return not near or not all(one.forbids or (one.negative and one.soft) for one in near)
    if not denied.negative:
        near = _with_neighbours(denied, near, after, before)
        return (
            not denied.forbids
            or not any(_allows(one) for one in near)
            or any(one.negative or one.soft for one in near)
        )
    if not near and denied.lacks and not denied.stems and any(_NOT_YET.search(one.said) for one in after):
        return True  # "without it" is "until that is done"
    if not near:
        return sum(one.negative or one.soft for one in after) >= sum(one.negative for one in before)
    if _still_denied(denied, before, after):
        return True
    near += [
        one for one in after if one.stems & denied.denied and one.hints and not (one.negative or one.may)
    ]
    beside = _with_neighbours(denied, near, after, before)
    known = denied.hints
    if any(one.hints & _EXCEPTIONS for one in before):
        known |= _EXCEPTIONS
    if denied.lacks and any(
        (one.must or _TAKES.search(one.said)) and one.stems & denied.heads for one in after
    ):
        return True  # nobody without it: it takes one
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

    allowed = any(map(_allows, _nearest(denied, after)))
    return len(denied.heads) > 0 and not allowed and count(after) >= count(before)


def _later(denied: Clause, one: Clause) -> bool:
    """Tell whether what is not so before something is told as waiting for it."""
    return bool(_UNTIL.search(one.said)) and bool(_NOT_YET.search(denied.said))


def _waits(denied: Clause, one: Clause) -> bool:
    """Tell whether "no start before a check" is said as "a check before the start"."""
    no, yes = _BEFORE.split(denied.said, maxsplit=1), _BEFORE.split(one.said, maxsplit=1)
    if not denied.negative or one.negative or len(no) < 2 or len(yes) < 2:
        return False
    late, first, sooner, later = (frozenset(map(clause_root, meaning(part))) for part in (*no, *yes))
    return bool(late & later and first & sooner) and not (late & sooner or first & later)


def _rephrased(denied: Clause, near: Sequence[Clause], after: Sequence[Clause]) -> bool:
    """Tell whether what is denied is nowhere told, so that other words must stand for it: "silent" for no answer.

    It is not where something near is allowed or affirmed instead.
    """
    told = frozenset[str]().union(*(one.stems for one in after))
    allowed = any(map(_allows, near))
    demanded = denied.needless and any(one.must for one in near)
    known = denied.denied.union(_NUMBERED.findall(denied.said))
    return bool(denied.heads) and not _shares(known, told) and not (allowed or demanded)


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
            if (one.text.endswith("?") and other in every[at + 1 : at + 2])
            or (len(other.stems) <= 2 and not other.stems & own and (other.verbal or not other.lacks))
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
    if clause.excepts and any(one.excepts or one.hints & _EXCEPTIONS for one in before):
        return False
    near = _nearest(clause, before)
    if _denied_alike(clause, before):
        return False
    if clause.denied & _HELD and any(_OMITS.search(one.said) for one in before):
        return False  # what is left out is not included
    if clause.negative and _LATER.search(clause.said) and not any(_LATER.search(one.said) for one in near):
        return False  # "not till Monday" is "on Monday", whose date is looked at by itself
    told = frozenset[str]().union(*(one.stems - one.denied if one.verbal else one.stems for one in before))
    if clause.negative and clause.stems and not _shares(clause.denied | clause.heads & clause.names, told):
        return False  # nothing that the draft says is denied
    if any(_waits(clause, one) for one in before):
        return False
    if any(_WARNS.search(one.said) for one in near):
        return False
    if clause.text.endswith("?") and any(_CONDITION.search(one.said) for one in before):
        return False  # "Not fixed? Deleted." is "if it is not"
    if _NO_MORE.search(clause.said) and any(_MOVED.search(one.said) for one in before):
        return False
    if _demands(clause, after) and any(one.must or _CONDITION.search(one.said) for one in before):
        return False
    if any(one.negative and not one.stems for one in before):
        return False  # "Don't: …" denies all that is listed behind it
    if any(denied_opposites(clause.said) & one.stems for one in near):
        return False
    if not near:
        short = not clause.stems and not any(one.negative or one.soft for one in before)
        return short and _answers(clause)
    if (
        clause.lacks
        and not clause.verbal
        and MAY.search(clause.said)
        and not any(one.negative or one.needless for one in near)
    ):
        return True
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


def _denied_alike(clause: Clause, before: Sequence[Clause]) -> bool:
    """Tell whether the draft denies what a clause denies, and nowhere says it."""
    if not clause.negative:
        return False
    denied = frozenset[str]().union(*(one.denied for one in before if one.negative and not one.lacks))
    told = frozenset[str]().union(*(one.stems - one.denied for one in before))
    return bool(clause.denied & denied - told)


def _demands(clause: Clause, every: Sequence[Clause]) -> bool:
    """Tell whether two denials make a demand: "no entry without a badge", "no badge, no entry", "not until"."""
    at = every.index(clause)
    pair = every[max(0, at - 1) : at + 2]
    bare = [one for one in pair if one.negative and _BARE_NO.match(one.said)]
    twice = (clause.lacks and len(NEGATOR.findall(clause.said)) > 1) or (
        clause.verbal and bool(_UNLESS.search(clause.said))
    )
    return len(bare) > 1 or twice or any(_UNLESS.match(one.said) for one in every[at + 1 : at + 2])


def _of_another(clause: Clause, before: Sequence[Clause]) -> bool:
    """Tell whether a named one is denied what the draft tells of it and denies others."""
    first = frozenset(map(clause_root, meaning(" ".join(clause.text.split()[:2]))))
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
    near = [
        one
        for one in _nearest(clause, after)
        if len(one.stems & clause.stems) * 2 >= min(len(clause.stems), max(2, len(one.stems)))
    ]
    if not near:
        return ""
    if clause.may and any(one.may for one in _with_neighbours(clause, near, after, ())):
        return ""
    if clause.must and all(one.may for one in near):
        return f"must: {_short(clause.text)}"
    if clause.may and not _ONLY.search(clause.said) and all(one.must for one in near):
        return f"may: {_short(clause.text)}"
    if clause.must and any(one.needless for one in near) and not any(one.must for one in near):
        return f"must: {_short(clause.text)}"
    if clause.needless and all(one.forbidden for one in near):
        return f"need not: {_short(clause.text)}"
    if clause.forbidden and all(one.needless for one in near):
        return f"must not: {_short(clause.text)}"
    return ""


def _short(text: str) -> str:
    clean = " ".join(text.replace("\x01", "").split())
    return clean if len(clean) <= 80 else f"{clean[:79].rstrip()}…"
