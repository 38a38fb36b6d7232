"""Whether what a style model wrote from passages stands on them: its facts, denials and citations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.citations import markers
from bot.fact_clauses import changed_clauses
from bot.fact_literals import worded
from bot.fact_lock import Verdict, judge
from bot.grounding import Evidence, share_supported
from bot.prompts import NO_ANSWER

SHARE_NEEDED = 0.4  # of a claim's words; a voice brings words of its own, its facts are checked one by one

_CITED = re.compile(r".*?(?:\[[1-9]\d?\][ \t]*)+[.!?]*", re.DOTALL)


def judge_direct(written: str, passages: Sequence[str], question: str) -> Verdict:
    """Judge an answer that cites passages by number.

    Every fact must be in what is cited for it (or in the question), nothing may be denied that is not denied
    there, and each claim must share enough of its words.
    """
    if not written or NO_ANSWER in written:
        return Verdict(kept=False, lost=("an answer",))
    cited = markers(written)
    unknown = [f"[{number}]" for number in cited if not 1 <= number <= len(passages)]
    if unknown or not cited:
        return Verdict(kept=False, lost=() if unknown else ("a citation",), invented=tuple(unknown))
    invented: list[str] = []
    claims = _claims(written)
    for claim, numbers in claims:
        evidence = [passages[number - 1] for number in numbers]
        invented += judge("", claim, (*evidence, question)).invented
        invented += changed_clauses(worded("\n".join(evidence)), worded(claim)).invented
        if share_supported(worded(claim), Evidence.of([*map(worded, evidence), question])) < SHARE_NEEDED:
            invented.append(f"what no passage says: {' '.join(claim.split())[:80]}")
    return Verdict(kept=not invented, invented=tuple(dict.fromkeys(invented)))


def _claims(written: str) -> list[tuple[str, list[int]]]:
    """Cut an answer behind its citations; what follows the last one leans on all that are cited."""
    found: list[tuple[str, list[int]]] = []
    end = 0
    for part in _CITED.finditer(written):
        found.append((part.group(), markers(part.group())))
        end = part.end()
    if any(map(str.isalnum, rest := written[end:])) and judge("", rest, ()).invented:
        found.append((rest, markers(written)))
    return [(re.sub(r"\[[1-9]\d?\]", " ", claim), numbers) for claim, numbers in found]
