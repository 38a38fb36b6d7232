"""The style measure: how much texts sound like one person, as a number that says how far it can be trusted.

Method: a logistic regression tells the person's replies from other people's by three kinds of features:
sequences of 2 to 5 characters inside words; whole words and punctuation; and function words and
punctuation, alone and in pairs (every other word counts as the same blank), which authorship studies have
found to carry the hand of a writer rather than the topic. How much each kind weighs was chosen on speakers
that no figure is reported of. Code, links, numbers and citation markers are taken out first. A single
message says little about its writer, so that texts are judged in groups of five, joined. How well that
works for this person is cross-validated, on replies that the model has not seen, and checked against
shuffled labels, which must give chance (AUROC 0.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bot.errors import CommandError
from bot.resampling import SEED, Interval

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Counts = list[Any]  # sparse matrices of scipy, which ships no types: one a kind of features

GROUP = 5  # replies that are judged together
FEWEST = 20  # replies of either side that the measure needs
ENOUGH = 50  # of the person's: with fewer the measure, and what it says of itself, depend on which they are
MOST = 1_000  # of either side: more cost time and change little

_FOLDS = 5
_SMALLEST_FOLD = 8
_RAREST = 2  # texts that a feature must be in to count
_WEIGHTS = (1.0, 0.5, 0.3)  # of characters, words and function words
_LEARNT = 200  # groups of either side to learn from
_JUDGED = 300  # groups of either side that a fold is judged by
_SHUFFLES = 2

_FUNCTION_WORDS_TEXT = """
    a about above after again against ain't all almost along already also although always am among an and
    another any anyone anything are aren't around as at away back be because been before behind being below
    between both but by can can't cannot could couldn't did didn't do does doesn't doing don't done down
    during each either else enough even ever every everyone everything few for from further get go going
    gonna got had has hasn't have haven't having he her here hers herself him himself his how however i i'd
    i'll i'm i've if in indeed into is isn't it it's its itself just least less let let's lot many may maybe
    me might mine more most much must my myself neither never no nobody none nor not nothing now of off
    often on once one only onto or other others ought our ours ourselves out over own perhaps please pretty
    quite rather really same shall she should shouldn't since so some someone something soon still such than
    that that's the thee their theirs them themselves then there there's these they they're this those thou
    though through thus thy till to together too toward towards under unless until unto up upon us very was
    wasn't way we we're well were weren't what what's whatever when whenever where whether which while who
    whom whose why will with within without won't would wouldn't ye yeah yes yet you you'd you'll you're
    your yours yourself hath doth thine art hast aber als am an auch auf aus bei bin bis da das dass dem den
    der des die doch du ein eine einen er es für hat ich ihr im ist ja kein man mal mich mir mit nach nicht
    noch nur ob oder schon sehr sich sie sind so über um und uns von vor war was wenn wer wie wir wo zu zum
    zur au aux avec c'est ce ces cette dans de des donc du elle en est et eux il ils je la le les leur lui
    mais même ne nous on ou où par pas pour qu que qui sa se ses si son sur te tu un une vous y al como con
    cuando del desde el ella ellos era es esta este ha hay la las lo los más me mi muy no nos o para pero
    por porque que se ser si sin sobre su sus también te tiene un una ya yo
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORDS_TEXT.split())
_BLANK = "_"
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_LINK = re.compile(r"<?\b[a-z][a-z0-9+.-]*://[^\s<>)\]]+>?|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_MARKER = re.compile(r"\s*\[\^?\d{1,2}\]")
_NUMBER = re.compile(r"\d[\d,.:/-]*")
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How well the measure tells replies that it has not seen. AUROC 1.0 is always, 0.5 is by chance.

    `single` judges one reply, `grouped` groups of `group`, `right` is the share of groups that fall on their
    side; each is a mean over the folds with its worst and best fold. `shuffled` is `grouped` with labels that
    mean nothing.
    """

    own: int
    others: int
    folds: int
    group: int
    single: Interval
    grouped: Interval
    right: Interval
    shuffled: Interval

    @property
    def steady(self) -> bool:
        """Whether it had so many replies of the person that others would have given nearly the same."""
        return self.own >= ENOUGH

    @property
    def trusted(self) -> bool:
        """Whether the measure tells this person from others well enough to judge by."""
        return self.grouped.value >= 0.9 and self.grouped.value - self.shuffled.value >= 0.25


class StyleMeasure:
    """What tells one person's replies from others'. `accuracy` says how well."""

    def __init__(self, hand: _Hand, telling: _Telling, scale: _Scale, accuracy: Accuracy) -> None:
        self._hand = hand
        self._telling = telling
        self._scale = scale
        self.accuracy = accuracy

    @classmethod
    def train(
        cls, own: Sequence[str], others: Sequence[str], *, talks: Sequence[str] = (), seed: int = SEED
    ) -> StyleMeasure:
        """Learn from a person's replies and other people's; it computes for seconds, so not on the loop.

        `talks` name the conversation of each text, own ones first: texts of one conversation are then never
        on both sides of a fold. Raise CommandError when there are too few texts or scikit-learn is missing.
        """
        _require_library()
        import numpy as np

        texts, labels, named = _prepared(own, others, talks, seed)
        hand = _Hand(texts)
        tried = _cross_validated(hand.known, labels, named, seed)
        telling = _Telling(hand.known, labels, np.random.default_rng(seed))
        return cls(hand, telling, _Scale(tried), _accuracy(tried, labels))

    def score(self, replies: Iterable[str]) -> float:
        """Return how surely these texts, taken together, are the person's: 0 to 1; 0.5 without words."""
        return self.scores([tuple(replies)])[0]

    def scores(self, groups: Sequence[Sequence[str]]) -> list[float]:
        """Return the score of each group of texts."""
        members, at = [], 0
        for group in groups:
            members.append(range(at, at + len(group)))
            at += len(group)
        return self.scores_of([text for group in groups for text in group], members)

    def scores_of(self, texts: Sequence[str], groups: Sequence[Sequence[int]]) -> list[float]:
        """Return the score of each group, given as positions in `texts`; a text may be in many."""
        cleaned = [bare(text) for text in texts]
        if not any(cleaned):
            return [0.5] * len(groups)
        told = self._scale.probabilities(self._telling.leanings(_summed(self._hand.counts(cleaned), groups)))
        return [
            float(score) if any(cleaned[one] for one in group) else 0.5
            for score, group in zip(told, groups, strict=True)
        ]


def bare(text: str) -> str:
    """Return a text without what says nothing about its writer."""
    text = _CODE.sub(" ", text.replace("’", "'").replace("‘", "'"))
    text = _NUMBER.sub("0", _LINK.sub(" ", _MARKER.sub("", text)))
    return " ".join(text.split())


def function_words(text: str) -> list[str]:
    """Return function words and punctuation of a text, alone and in pairs; other words are blanks."""
    tokens = [_function_word(token) for token in words(text)]
    pairs = [f"{one} {next_one}" for one, next_one in pairwise(tokens)]
    return [token for token in tokens if token != _BLANK] + pairs


def words(text: str) -> list[str]:
    """Return the words and punctuation of a text."""
    return _TOKEN.findall(text.lower())


def _function_word(token: str) -> str:
    return token if token in _FUNCTION_WORDS or not token[0].isalnum() else _BLANK


class _Hand:
    """Counts of each kind of features, one matrix each; a group's are the sums of its texts'."""

    def __init__(self, texts: NDArray[Any]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self._counters = [
            CountVectorizer(analyzer="char_wb", ngram_range=(2, 5), lowercase=False, min_df=2),
            CountVectorizer(analyzer=words, min_df=2),
            CountVectorizer(analyzer=function_words, min_df=2),
        ]
        self.known: Counts = [counter.fit_transform(texts) for counter in self._counters]

    def counts(self, texts: Sequence[str]) -> Counts:
        """Return the counts of other texts."""
        return [counter.transform(texts) for counter in self._counters]


class _Telling:
    """One trained model. What it knows of any text, it knows from the rows that it learnt from."""

    def __init__(self, counts: Counts, labels: NDArray[Any], random: Generator) -> None:
        from sklearn.feature_extraction.text import TfidfTransformer

        self._kept = [((part > 0).sum(axis=0).A1 >= _RAREST).nonzero()[0] for part in counts]
        self._weights = [
            TfidfTransformer(sublinear_tf=True).fit(part[:, kept])
            for part, kept in zip(counts, self._kept, strict=True)
        ]
        self.relearn(counts, labels, random)

    def relearn(self, counts: Counts, labels: NDArray[Any], random: Generator) -> None:
        """Learn from single texts and from groups of each side."""
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        drawn = [_drawn(counts, np.flatnonzero(labels == side), random, _LEARNT) for side in (1, 0)]
        rows = _stacked([counts, *drawn])
        sides = np.repeat((1, 0), _LEARNT)
        self._classifier = LogisticRegression(
            class_weight="balanced",
            C=3.0,
            solver="liblinear",
            dual=True,
            tol=1e-3,
            max_iter=2_000,
            random_state=0,
        )
        self._classifier.fit(self._weighed(rows), np.concatenate([labels, sides]))

    def leanings(self, counts: Counts) -> NDArray[Any]:
        """Return how far each row leans towards the person: log odds that no one has calibrated."""
        told: NDArray[Any] = self._classifier.decision_function(self._weighed(counts))
        return told

    def _weighed(self, counts: Counts) -> Any:  # noqa: ANN401 - scipy ships no types
        from scipy.sparse import hstack  # type: ignore[import-untyped]

        parts = zip(_WEIGHTS, self._weights, counts, self._kept, strict=True)
        return hstack(
            [weight * one.transform(part[:, kept]) for weight, one, part, kept in parts], format="csr"
        )


def _drawn(counts: Counts, members: NDArray[Any], random: Generator, number: int) -> Counts:
    """Draw groups of rows and return their sums."""
    size = min(GROUP, len(members))
    return _summed(counts, [random.choice(members, size, replace=False) for _ in range(number)])


def _summed(counts: Counts, groups: Sequence[Sequence[int] | NDArray[Any]]) -> Counts:
    import numpy as np
    from scipy.sparse import csr_matrix

    rows = np.repeat(range(len(groups)), [len(group) for group in groups])
    columns = np.concatenate([np.asarray(group, dtype=int) for group in groups])
    shape = (len(groups), counts[0].shape[0])
    chosen = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    return [chosen @ part for part in counts]


def _rows(counts: Counts, rows: NDArray[Any]) -> Counts:
    return [part[rows] for part in counts]


def _stacked(many: Sequence[Counts]) -> Counts:
    from scipy.sparse import vstack

    return [vstack(parts, format="csr") for parts in zip(*many, strict=True)]


def _require_library() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise CommandError(
            "the style measure needs scikit-learn. Install it: pip install 'lorekeeper[persona]'"
        ) from None


def _prepared(
    own: Sequence[str], others: Sequence[str], talks: Sequence[str], seed: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the texts, each once, with whose they are and which conversation they belong to."""
    import numpy as np

    random = np.random.default_rng(seed)
    seen: set[str] = set()
    rows: list[tuple[str, int, str]] = []
    for side, texts, named in ((1, own, talks[: len(own)]), (0, others, talks[len(own) :])):
        fresh = _once(texts, named, seen)
        if len(fresh) < FEWEST:
            who = "the speaker" if side else "other people"
            raise CommandError(
                f"the style measure needs {FEWEST} different texts of {who}, there are {len(fresh)}. "
                "Make a larger data set: lorekeeper persona dataset"
            )
        kept = random.permutation(len(fresh))[:MOST]
        rows += [(fresh[at][0], side, fresh[at][1]) for at in kept]
    texts, labels, named_talks = zip(*rows, strict=True)
    return np.array(texts, dtype=object), np.array(labels), np.array(named_talks, dtype=object)


def _once(texts: Sequence[str], talks: Sequence[str], seen: set[str]) -> list[tuple[str, str]]:
    fresh = []
    for at, text in enumerate(texts):
        cleaned = bare(text)
        if cleaned.lower() not in seen and any(map(str.isalpha, cleaned)):
            seen.add(cleaned.lower())
            fresh.append((cleaned, talks[at] if talks else f"{len(seen)}"))
    return fresh


@dataclass(frozen=True, slots=True)
class _Fold:
    """What was seen in one fold: leanings of new groups of the person and of others, and two figures."""

    own: NDArray[Any]
    others: NDArray[Any]
    single: float
    shuffled: float


class _Scale:
    """Turns leanings into probabilities, by what new groups leaned to (Platt scaling)."""

    def __init__(self, folds: Sequence[_Fold]) -> None:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        leanings = np.concatenate([side for fold in folds for side in (fold.own, fold.others)])
        sides = np.concatenate([np.repeat((1, 0), (len(fold.own), len(fold.others))) for fold in folds])
        self._classifier = LogisticRegression(class_weight="balanced", C=1e3)
        self._classifier.fit(leanings.reshape(-1, 1), sides)

    def probabilities(self, leanings: NDArray[Any]) -> NDArray[Any]:
        """Return how surely each is the person's, if they and others were as likely beforehand."""
        told: NDArray[Any] = self._classifier.predict_proba(leanings.reshape(-1, 1))[:, 1]
        return told


def _cross_validated(counts: Counts, labels: NDArray[Any], talks: NDArray[Any], seed: int) -> list[_Fold]:
    import numpy as np

    folds = _folds(labels, talks)
    if folds < 2:
        raise _unchecked()
    random = np.random.default_rng(seed)
    tried = [_try_fold(counts, labels, *split, random) for split in _split(labels, talks, folds, seed)]
    judged = [one for one in tried if one is not None]
    if not judged:
        raise _unchecked()
    return judged


def _folds(labels: NDArray[Any], talks: NDArray[Any]) -> int:
    """Return how many folds the texts allow: some texts and a conversation of each side in each."""
    sides = [talks[labels == side] for side in (1, 0)]
    return min(
        _FOLDS, *(max(2, len(side) // _SMALLEST_FOLD) for side in sides), *(len(set(side)) for side in sides)
    )


def _unchecked() -> CommandError:
    return CommandError(
        "the style measure cannot be checked: all texts of one side are from one conversation. "
        "Make a data set from more conversations: lorekeeper persona dataset"
    )


def _accuracy(folds: Sequence[_Fold], labels: NDArray[Any]) -> Accuracy:
    return Accuracy(
        own=int(labels.sum()),
        others=int(len(labels) - labels.sum()),
        folds=len(folds),
        group=GROUP,
        single=_over_folds([fold.single for fold in folds]),
        grouped=_over_folds([auroc(fold.own, fold.others) for fold in folds]),
        right=_over_folds([_right(fold, _others(folds, fold)) for fold in folds]),
        shuffled=_over_folds([fold.shuffled for fold in folds]),
    )


def _others(folds: Sequence[_Fold], fold: _Fold) -> Sequence[_Fold]:
    return [one for one in folds if one is not fold] or [fold]


def _right(fold: _Fold, others: Sequence[_Fold]) -> float:
    """Return the share of a fold's groups on their side, by the scale of the other folds."""
    scale = _Scale(others)
    own, other = scale.probabilities(fold.own), scale.probabilities(fold.others)
    return float(((own > 0.5).mean() + (other <= 0.5).mean()) / 2)


def _split(
    labels: NDArray[Any], talks: NDArray[Any], folds: int, seed: int
) -> Iterable[tuple[NDArray[Any], NDArray[Any]]]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    alone = len(set(talks.tolist())) == len(talks)
    splitter = StratifiedKFold if alone else StratifiedGroupKFold
    split: Callable[..., Any] = splitter(folds, shuffle=True, random_state=seed).split
    found: Iterable[tuple[NDArray[Any], NDArray[Any]]] = split(labels, labels, None if alone else talks)
    return found


def _try_fold(
    counts: Counts, labels: NDArray[Any], known: NDArray[Any], new: NDArray[Any], random: Generator
) -> _Fold | None:
    """Return what is seen in one fold; None when one of its sides is empty."""
    import numpy as np

    if not _both_sides(labels, known, new):
        return None
    seen = _rows(counts, known)
    telling = _Telling(seen, labels[known], random)
    single = auroc(*(telling.leanings(_rows(counts, new[labels[new] == side])) for side in (1, 0)))
    own, others = _judged(telling, counts, labels, new, random)
    chance = []
    for _ in range(_SHUFFLES):
        mixed = random.permutation(labels)
        if _both_sides(mixed, known, new):
            telling.relearn(seen, mixed[known], random)
            chance.append(auroc(*_judged(telling, counts, mixed, new, random)))
    return _Fold(own, others, single, float(np.mean(chance)) if chance else 0.5)


def _both_sides(labels: NDArray[Any], known: NDArray[Any], new: NDArray[Any]) -> bool:
    return all(0 < labels[rows].sum() < len(rows) for rows in (known, new))


def _judged(
    telling: _Telling, counts: Counts, labels: NDArray[Any], new: NDArray[Any], random: Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return how groups of the person's texts and of others' score, drawn from those that are new."""
    sides = (_drawn(counts, new[labels[new] == side], random, _JUDGED) for side in (1, 0))
    own, others = (telling.leanings(side) for side in sides)
    return own, others


def _over_folds(values: Sequence[float]) -> Interval:
    return Interval(value=sum(values) / len(values), low=min(values), high=max(values))


def auroc(own: Sequence[float] | NDArray[Any], others: Sequence[float] | NDArray[Any]) -> float:
    """Return how often one of the person's scores above one of the others', ties counted half."""
    import numpy as np

    ordered = np.sort(np.asarray(others, dtype=float))
    wins = np.searchsorted(ordered, own, "left") + np.searchsorted(ordered, own, "right")
    return float(wins.sum() / 2 / (len(own) * len(ordered)))
