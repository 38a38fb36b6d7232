"""Tells text that only sends the reader elsewhere, and takes out of a text what a reader does not read."""

from __future__ import annotations

import re

from kb.plain import plain_text

_TITLE_WORDS = 3  # a link of fewer words names a thing, one of more a page
_LINK = re.compile(r"\[((?:\\.|[^\[\]\\\n]){0,500})\]\((?:[^()\n]|\([^()\n]{0,200}\)){0,1000}\)")
_MORE = r"\b(?:more|further|additional|detailed|plus|más)\b"
_ABOUT = r"\b(?:information|details?|definitions?|instructions?|examples?|overview|documentation)\b"
_SEE = r"(?:please )?(?:see|refer to|consult|check out)\b"
_GO = r"(?:please )?(?:see|refer to|visit|check|consult|read|go to|voir|consultez|consulte|véase)\b"
_POINTER = re.compile(
    rf"(?:for|to|pour|para)\b.{{0,20}}{_MORE}.{{0,300}}?[, ]{_GO}"
    rf"|(?:for|to)\b(?=.{{0,300}}?{_ABOUT}).{{3,300}}?, {_SEE}"
    rf"|(?:also |and )?(?:see|refer to|check out|read)\b(?=.{{0,300}}(?:{_MORE}|{_ABOUT}))"
    r"|see (?:also )?(?:the )?[^.,;]{1,120}\.?$"
    r"|(?:read|learn|find out) more\b|more (?:information|details)\b.{0,200}\b(?:in|at|on|under)\b"
    r"|(?:you can find|find) (?:more|additional|further)\b|(?:weitere|mehr) (?:informationen|details)\b",
    re.IGNORECASE | re.DOTALL,
)
_SEE_LINK = re.compile(rf"(?:for|to|if)\b[^,.]{{3,300}}, {_SEE}", re.IGNORECASE)  # where there is a link
_LABEL = re.compile(r"^(?:note|important|tip|hint|example|warning|caution|info)\b[\s:.*_-]+", re.IGNORECASE)
_ANNOUNCEMENT = re.compile(
    r"(?:the following|here|below) (?:is|are) (?:an? |some |two |several )?(?:sample|examples?)\b|"
    r"(?:in )?(?:the (?:following|next)|each of the following|this|these) "
    r"(?:topics?|sections?|pages?|chapters?|guides?|articles?|tutorials?|documents?|procedures?|figures?|"
    r"diagrams?|images?|illustrations?|screenshots?|examples?|tables?|walkthroughs?|lists?)\b[^.:]{0,60}?\b"
    r"(?:shows?|covers?|explains?|describes?|illustrates?|contains?|lists?|provides?|demonstrates?|"
    r"discuss(?:es)?|walks?|introduces?|outlines?|we(?:'ll| will))\b",
    re.IGNORECASE,
)
_CODE_OR_MARKUP = re.compile(
    r"(?P<code>(`+)(?!`).+?(?<!`)\2(?!`))"
    r"|!\[(?:\\.|[^\[\]\\\n]){0,500}\]\((?:[^()\n]|\([^()\n]{0,200}\)){0,1000}\)"
    r"|<(?P<break>br) ?/?>"
    r"|</?(?:a|abbr|b|big|center|details|div|em|figcaption|figure|font|i|img|kbd|p|picture|small|span|strong|"
    r"sub|summary|sup|u|wbr)(?:\s[^<>\n]{0,300})?/?>"
    r"|</[A-Z][a-z]\w{0,40}>"
    r"|<[A-Z][a-z]\w{0,40}(?:\s+[\w-]+=(?:\"[^\"\n]{0,200}\"|\{[^{}\n]{0,200}\}))+\s*/?>"
    r"|(?:^|(?<=\s))<[A-Z][a-z]\w{0,40} ?/?>(?=\s|$)",
    re.MULTILINE,
)


def without_markup(text: str) -> str:
    """Return Markdown without images, HTML tags and tags of components; code spans stay as they are."""
    return _CODE_OR_MARKUP.sub(_kept, text) if "<" in text or "![" in text else text


def _kept(match: re.Match[str]) -> str:
    return match["code"] or (" " if match["break"] else "")


def points_elsewhere(markdown: str) -> bool:
    """Tell whether a text says only where something is told: "For more information, see …", pages' titles."""
    plain = _LABEL.sub("", plain_text(markdown).lstrip("*_(> \n"))
    if _POINTER.match(plain) or _ANNOUNCEMENT.match(plain):
        return True
    titled = _LINK.search(markdown) is not None
    return titled and (_SEE_LINK.match(plain) is not None or _only_titles(markdown))


def _only_titles(markdown: str) -> bool:
    titles = [match[1].split() for match in _LINK.finditer(markdown)]
    around = plain_text(_LINK.sub("", markdown)).split()
    said = [word for word in around if any(map(str.isalpha, word))]
    words = sum(map(len, titles))
    return words >= _TITLE_WORDS * len(titles) and len(said) * 3 <= words
