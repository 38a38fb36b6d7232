"""Names in a text: people, products, teams, acronyms, told from the words that only begin a sentence."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.facts import Found, keys

_WORD = re.compile(r"[^\W\d_][^\W_]*(?:['+&-][^\W_]+)*[+#]*|\d+[^\W\d_][^\W_]*")
_BEGINS = re.compile(
    r"(?:^|[.!?…:;。！？\n(\[\"“„«*_>|~—–]|\s[-•]|''|[^\x00-\u02ff\u2000-\u206f\x01])[\s\"'“„«(\[*_]*\Z"
)
_ALIASES = {
    "postgresql": "postgres",
    "k8s": "kubernetes",
    "javascript": "js",
    "typescript": "ts",
    "golang": "go",
}
_PLAIN_TEXT = """
    i i'm i'll i've i'd ok okay fyi tldr tl dr ps nb btw imo imho lol omg asap aka eg ie etc wow yay hey hi hello howdy
    ahoy arr arrr aye yo yep yes yeah nope no not never always must may should only all any none and or but so very
    really please thanks thank cheers sorry note warning tip heads up important god lord sir madam captain matey mate
    boss team folks friend friends dude y'all ye thou thee thy a an the this that these those it its he she they we you
    my your his her our their who what when where which why how if then than there here now today tomorrow yesterday
    mr mrs ms dr prof st in on at by for from with without to of as is are was were be been do does did has have had
    can cannot could will would shall might nor yet first second third one two three each every both once until
    after before while because although since unless except also just still even again too well let us go get got
    set run use see try ask keep make take put give open close check start stop restart wait call send read write
    remember forget look listen behold lo oh ah uh hmm hm well right alright great good nice sure fine actually
    basically honestly simply quick quickly short long story verily hark alas indeed forsooth
    nothing nobody everyone everybody everything someone anyone anything something people most many some few more less
    another other others either neither nor such same
"""
_PLAIN = frozenset(_PLAIN_TEXT.split())
# Words without an article that begin a sentence and are no names: their endings, and some without one.
_MASS_TEXT = """
    access support traffic data software hardware code work help time money food coffee lunch email mail info billing
    feedback content storage memory space music art water paper staff research evidence progress training travel
    root admin production staging development release backup sync login signup logging leave pay rent text chat
    policy management legal finance security marketing sales engineering law custom tradition history docs manual
    handbook guide logic reason rumor rumour legend word truth rule fate fortune luck magic nature wisdom patience
    silence part proof step everything anybody overtime parking wifi internet maintenance downtime uptime
"""
_MASS = frozenset(_MASS_TEXT.split())
_MASS_ENDINGS = (
    "ing", "tion", "sion", "ment", "ness", "ity", "ance", "ence", "age", "ure", "ship", "ware", "ics", "cy", "sis",
    "dom", "hood", "ism", "ally", "ly",
)  # fmt: skip
_SINGULAR_VERB = re.compile(
    r"\s+(?:(?:also|still|now|always|never|usually|only)\s+)?(?:is|was|has|does|will|can|cannot|can't|may|must|should|could|would|isn't|wasn't|"
    r"hasn't|doesn't|won't|owns|[a-z]{2,}(?<!s)s)\b|'s\b|\s+(?:and|or|&)\s+[A-Z][a-z]"
)
_PAST_VERB = re.compile(
    r"\s+(?:[a-z]{2,}ed|wrote|built|made|took|ran|led|left|got|held|kept|gave|went|said|did|set|put)\s"
)
_GERMAN = re.compile(
    r"\b(?:der|die|das|und|ist|nicht|ein|eine|mit|für|werden|wird|auf|sich|auch|von)\b", re.IGNORECASE
)
_DETERMINED = re.compile(
    r"\b(?:[dm]e[rsnm]|d[ai]e?s?|ein\w{0,2}|kein\w{0,2}|[mdsu]\w{1,4}er?e?\w?|jed\w{1,2}|dies\w{1,2}|alle\w?|zu[mr]|i[nm]s?|am|vom|beim|ans|"
    r"[a-zäöüß]+(?:e|en|er|es|em))\s+\Z"
)
_GERMAN_ENDINGS = ("ung", "heit", "keit", "schaft", "tion", "tät", "ment", "nis", "ungen", "ionen", "en")


@dataclass(frozen=True, slots=True)
class Evidence:
    """How words are written in all texts at hand: `lower` as plain words, `upper` as names."""

    lower: frozenset[str]
    upper: frozenset[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Evidence:
        """Read how each word is written inside sentences."""
        lower, upper = set[str](), set[str]()
        for text in texts:
            for word in _WORD.finditer(text):
                written = word.group()
                if written.islower():
                    lower.add(_key(written))
                elif written[0].isupper() and not _begins(text, word.start()):
                    upper.add(_key(written))
        return cls(frozenset(lower), frozenset(upper))


def names(text: str, others: Sequence[str] = ()) -> list[Found]:
    """Return the names in a text from which literals and dates were taken, and its other words as loose ones.

    `others` are texts about the same: they tell whether a word that begins a sentence is a name.
    """
    evidence = Evidence.of((text, *others))
    german = len(_GERMAN.findall(text)) * 12 > len(text.split())
    return [
        Found(
            shown=word.group(),
            keys=keys(f"name:{_key(word.group())}"),
            at=word.start(),
            strict=_is_name(text, word, evidence, german=german),
        )
        for word in _WORD.finditer(text)
    ]


def _is_name(text: str, match: re.Match[str], evidence: Evidence, *, german: bool) -> bool:
    word = re.sub(r"'s$", "", match.group())
    if (
        len(word) < 2
        or word.casefold() in _PLAIN
        or ("'" in word[1:-1] and word.casefold().split("'")[1] in _CONTRACTED)
    ):
        return False
    if _is_odd(word):
        return True
    if not word[0].isupper():
        return False
    if word.isupper():  # an acronym, or a word said loudly
        return _key(word) not in evidence.lower and (len(word) <= 5 or _key(word) in evidence.upper)
    begins = _begins(text, match.start())
    if german:
        return (
            not begins
            and not _DETERMINED.search(text[: match.start()])
            and not word.endswith(_GERMAN_ENDINGS)
        )
    if not begins:
        return True
    return _name_at_start(text, match, word, evidence)


_CONTRACTED = frozenset({"m", "ll", "ve", "d", "re", "t", "all", "em"})


def _name_at_start(text: str, match: re.Match[str], word: str, evidence: Evidence) -> bool:
    if _key(word) in evidence.upper:
        return True
    if _key(word) in evidence.lower or word.casefold() in _MASS:
        return False
    after = text[match.end() :] if not match.group().endswith("'s") else "'s"
    if (following := re.match(r"\s+(?!I\b)([A-Z][a-z][A-Za-z]*)", after)) is not None:
        return following[1].casefold() not in _PLAIN and not _verbal(word)
    if word.casefold().endswith(_MASS_ENDINGS):
        return False
    plural = word.endswith("s") and not word.endswith("ss")
    return bool(_SINGULAR_VERB.match(after) or (_PAST_VERB.match(after) and not plural)) and not (
        plural and not re.match(r"\s+(?:is|was|has|does)\b", after)
    )


def _verbal(word: str) -> bool:
    """Tell whether a word before a name is likely to ask or to place: "Contact Priya", "During Christmas"."""
    return word.casefold() in _VERBS


_VERBS = frozenset(
    [
        "contact",
        "email",
        "message",
        "ping",
        "tell",
        "talk",
        "visit",
        "install",
        "upgrade",
        "update",
        "enable",
        "disable",
        "configure",
        "deploy",
        "delete",
        "remove",
        "add",
        "create",
        "follow",
        "join",
        "select",
        "click",
        "press",
        "choose",
        "type",
        "enter",
        "review",
        "approve",
        "file",
        "submit",
        "report",
        "escalate",
        "reach",
        "notify",
        "mention",
        "tag",
        "invite",
        "page",
        "find",
        "locate",
        "change",
        "edit",
        "copy",
        "move",
        "download",
        "upload",
        "export",
        "import",
        "connect",
        "log",
        "sign",
        "switch",
        "turn",
        "rotate",
        "renew",
        "reset",
        "revoke",
        "grant",
        "pick",
        "bring",
        "pass",
        "hand",
        "share",
        "post",
        "during",
        "under",
        "over",
        "inside",
        "outside",
        "between",
        "behind",
        "against",
        "about",
        "above",
        "below",
        "near",
        "through",
        "via",
        "per",
        "like",
        "unlike",
        "despite",
        "according",
        "thanks",
        "besides",
        "instead",
        "within",
        "across",
        "throughout",
        "around",
        "along",
        "towards",
        "beyond",
        "upon",
        "per",
        "dear",
        "as-of",
        "use",
        "using",
        "restart",
        "run",
        "speak",
        "prefer",
        "avoid",
        "store",
        "save",
        "back",
        "deploying",
        "running",
        "using",
    ]
)


def _is_odd(word: str) -> bool:
    """Tell whether no plain word is written so: inner capitals, digits among letters, C++."""
    bare = re.sub(r"s$", "", word)
    inner = any(char.isupper() for char in word[1:]) and not bare.isupper() and "-" not in word
    return inner or any(char.isdigit() for char in word) or word[-1] in "+#"


def _begins(text: str, at: int) -> bool:
    """Tell whether a sentence, a line or a quotation begins here."""
    return _BEGINS.search(text[max(0, at - 12) : at]) is not None or not text[:at].strip(" \n*_#>-\"'([")


def _key(word: str) -> str:
    folded = re.sub(r"'s$|'$", "", word.casefold())
    folded = _ALIASES.get(folded, folded).replace("-", "")
    return folded[:-1] if len(folded) > 3 and folded.endswith("s") and not folded.endswith("ss") else folded
