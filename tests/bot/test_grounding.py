from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.grounding import Evidence, check, numbers, share_supported, states_fact

BEGIN = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval" / "grounding-begin"
EVIDENCE = Evidence.of(
    [
        "Printer help > Access\nPrinter PINs have 6 digits and expire after ninety days. Ask Anna Meyer "
        "at it@corp.test, run `lpadmin -p office` or see https://print.corp.test/pins. "
        "The budget is 1,250.50 EUR."
    ]
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Printer PINs have six digits [1].",
        "PINs expire after 90 days [1].",
        "The PIN of a printer expires after 90 days.",
        "Run `lpadmin -p office` [1].",
        "Ask Anna Meyer at it@corp.test [1].",
        "The budget is 1250.50 EUR [1].",
        "See https://print.corp.test/pins for PINs.",
        "2. Printer PINs expire [1].",
    ],
)
def test_supported(sentence: str) -> None:
    """A sentence in other words, with numbers in another form, is supported."""
    assert check(sentence, EVIDENCE).supported


@pytest.mark.parametrize(
    ("sentence", "missing"),
    [
        ("Printer PINs have 8 digits [1].", ("8",)),
        ("Printer PINs have 6 digits; ask Bob [1].", ("Bob",)),
        ("Printer PINs expire: run `lpadmin -x office` [1].", ("lpadmin -x office",)),
        ("Ask printer help at it@evil.test [1].", ("it@evil.test",)),
        ("See https://evil.test/pins for printer PINs [1].", ("https://evil.test/pins",)),
        ("Printer PINs expire after ninety days in 2024 [1].", ("2024",)),
        ("Printer PINs are in print_pins.yaml [1].", ("print_pins.yaml",)),
    ],
)
def test_missing(sentence: str, missing: tuple[str, ...]) -> None:
    """A number, name, command or address that the evidence lacks is named."""
    verdict = check(sentence, EVIDENCE)
    assert (verdict.supported, verdict.missing) == (False, missing)


def test_other_words() -> None:
    """A sentence whose words the evidence lacks is not supported."""
    verdict = check("Holidays carry over until spring [1].", EVIDENCE)
    assert (verdict.supported, verdict.share) == (False, 0.0)


@pytest.mark.parametrize(
    ("sentence", "fact"),
    [
        ("Printer PINs have digits.", True),
        ("It is 6.", True),
        ("Do the following:", False),
        ("Hello!", False),
        ("---", False),
        ("For `lpadmin -p`:", True),
    ],
)
def test_states_fact(sentence: str, fact: bool) -> None:
    """A claim is a fact; a lead-in or a greeting is none."""
    assert states_fact(sentence) is fact


def test_numbers() -> None:
    """Numbers are read with and without separators, ranges in parts, words as digits."""
    assert {"1250.50", "10", "20", "3", "2"} <= numbers("1,250.50 and 10-20, three, the second")


def test_cjk_words() -> None:
    """Chinese text is compared by pairs of characters."""
    evidence = Evidence.of(["打印机密码有六位数字。"])
    assert share_supported("打印机密码有六位", evidence) == 1.0
    assert share_supported("假期可以延长", evidence) == 0.0


@pytest.mark.trust
@pytest.mark.skipif(not BEGIN.is_dir(), reason="../shared/data is absent")
def test_judged_answers() -> None:
    """Of answers that people called supported ≥ 93 % pass; of the others ≥ 70 % do not."""
    passed: dict[bool, list[bool]] = {True: [], False: []}
    for line in (BEGIN / "items.dev.jsonl").read_text(encoding="utf-8").splitlines()[::3]:
        item = json.loads(line)
        verdict = check(item["answer"], Evidence.of([item["evidence"]]))
        passed[item["label"] == "supported"].append(verdict.supported)
    assert sum(passed[True]) >= 0.93 * len(passed[True])
    assert sum(passed[False]) <= 0.30 * len(passed[False])
