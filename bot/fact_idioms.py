"""Turns of phrase that tell nothing: a "no" that denies nothing, a number that counts nothing, a name of nobody."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re

IDIOMS = re.compile(
    r"\b(?:(?:the|late) end of|if (?:i|you|one) (?:may|might|will|please)(?: (?:say so|be so bold|permit it|permit me))?|if you'll (?:permit|forgive|pardon) me|may i (?:add|say|suggest|remind you)|might i (?:add|say|suggest)|i (?:might|may) add|with or without|no (?:worries|worry|problem|problemo|sweat|biggie|doubt|kidding|joke|lie|fuss|frills|drama|stress|matter|wonder|"
    r"surprises?|big deal|questions? asked|ifs|buts|cap|less important|offen[cs]e|need to (?:worry|panic|fret|fear))|never (?:fear|mind|you mind)|"
    r"fear not|worry not|fret not|without (?:fail|doubt|a doubt|question|further ado|delay|ado)|not only|not just|not to mention|not to worry|"
    r"why not|if not|(?:or|as) not(?=\s*(?:[.,;:!?)—–]|$|you|ye|we|they|it|he|she))|(?:do not|don't|dinna|dunna|don't ye|don't you) (?:worry|panic|fret|fear|be (?:shy|afraid|alarmed|fooled)|sweat it|you worry|ye worry|forget|miss out)|"
    r"(?:do not|don't) you (?:know|forget)|(?:isn't|ain't|aren't|doesn't|don't|won't|wasn't|can't) (?:it|they|he|she|you|we|ye|that)(?=\s*[?,.!])|"
    r"(?:can't|cannot|can not) (?:go wrong|miss it|help but|wait)|nothing (?:fancy|to it|to worry about|to fear|more|simpler|easier)|ain't nothing to it|"
    r"ain't (?:gonna lie|rocket science)|not gonna lie|not rocket science|won't bite|believe it or not|more often than not|last but not least|nevertheless|nonetheless|"
    r"none other than|need (?:i|we) not say|can't (?:stress|emphasi[sz]e) (?:this|it|that) enough|(?:do not|don't|never|not) (?:fail|neglect) to|"
    r"never skips? a beat|not even|(?:and|oh|but) no(?=[,!])|oh no|sorry not sorry|no matter \w+|can't complain|(?:do not|don't) (?:mention it|hesitate|be shy)|no hard feelings|wouldn't you know it|(?:do not|don't) mind if|not a problem|no trouble|no pressure|no rush|no hurry|why don't (?:you|we|ye)|not a moment (?:too soon|to lose)|like no other|no less|no sooner said|whether or not|you won't regret it|sin embargo|pas mal)\b"
)
SAYINGS = re.compile(
    r"\b(?:(?:the )?seven seas|(?:on )?cloud nine|whole nine yards|(?:in )?two shakes(?: of \w+ \w+ tail)?|(?:my|yer|your|our|their) two cents|two birds|two peas|one stone|second to none|"
    r"seventh heaven|eleventh hour|forty winks|four (?:corners|winds)|six feet under|three cheers|high five|sixth sense|third wheel|third time lucky|"
    r"(?:a |one )?(?:hundred|thousand|million) (?:thanks|times|pardons|apologies|blessings|welcomes|congratulations)|(?:a |one )?(?:hundred|thousand|million) percent|"
    r"once or twice|once in a (?:while|blue moon)|think(?:ing)? twice|twice (?:told|shy|over)|ten out of ten|nine times out of ten|ten to one|one to ten|"
    r"back to square one|square one|number one|one and (?:all|only)|one of a kind|first[- ]rate|first things first|at first|two ways about|"
    r"two sides|on all fours|five[- ]star|catch[- ]22|two left feet|one[- ]stop|on the double|double[- ]check|double[- ]quick|at sixes and sevens)\b"
)
# Whom a voice swears by or calls.
_VOICES_TEXT = """
    davy jones neptune poseidon zeus jove odin thor jolly roger blackbeard tortuga zounds gadzooks heaven
    heavens christ jesus lordy houston sherlock watson jeeves milord milady m'lord m'lady cap'n santa murphy
    gosh golly crikey blimey bob yoda jedi
"""
VOICES = frozenset(_VOICES_TEXT.split())
