"""Turns of phrase with a "no" in them that deny nothing of what is told."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re

IDIOMS = re.compile(
    r"\b(?:with or without|no (?:worries|worry|problem|problemo|sweat|biggie|doubt|kidding|joke|lie|fuss|frills|drama|stress|matter|wonder|"
    r"surprises?|big deal|questions? asked|ifs|buts|cap|less important|offen[cs]e|need to (?:worry|panic|fret|fear))|never (?:fear|mind|you mind)|"
    r"fear not|worry not|fret not|without (?:fail|doubt|a doubt|question|further ado|delay|ado)|not only|not just|not to mention|not to worry|"
    r"why not|if not|or not|as not|(?:do not|don't|dinna|dunna|don't ye|don't you) (?:worry|panic|fret|fear|be (?:shy|afraid|alarmed|fooled)|sweat it|you worry|ye worry|forget|miss out)|"
    r"(?:do not|don't) you (?:know|forget)|(?:isn't|ain't|aren't|doesn't|don't|won't|wasn't|can't) (?:it|they|he|she|you|we|ye|that)(?=\s*[?,.!])|"
    r"(?:can't|cannot|can not) (?:go wrong|miss it|help but|wait)|nothing (?:fancy|to it|to worry about|to fear|more|simpler|easier)|ain't nothing to it|"
    r"ain't (?:gonna lie|rocket science)|not gonna lie|not rocket science|won't bite|believe it or not|more often than not|last but not least|nevertheless|nonetheless|"
    r"none other than|need (?:i|we) not say|can't (?:stress|emphasi[sz]e) (?:this|it|that) enough|(?:do not|don't|never|not) (?:fail|neglect) to|"
    r"never skips? a beat|not even|(?:and|oh|but) no(?=[,!])|oh no|sorry not sorry|no matter \w+|can't complain|(?:do not|don't) (?:mention it|hesitate|be shy)|no hard feelings|wouldn't you know it|(?:do not|don't) mind if|not a problem|no trouble|no pressure|no rush|no hurry|why don't (?:you|we|ye)|not a moment (?:too soon|to lose)|like no other|no less|no sooner said|whether or not|you won't regret it|sin embargo|pas mal)\b"
)
