"""The facts of a text that must stay letter for letter: code, links, addresses, paths, options, markers."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.facts import Found, keys, one_form, take

_FENCED = re.compile(r"(?ms)^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)")
_CODE = re.compile(r"(`+)(?!`)([^\n]+?)(?<!`)\1(?!`)")
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'`|)\]]+(?<![.,;:!?*_])|\bwww\.[^\s<>\"'`|)\]]+(?<![.,;:!?*_])",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?<![\w@/.-])(?:[a-z0-9-]+(?:\.|\[\.\]))+(?:com|org|net|io|dev|app|ai|co|edu|gov|info|biz|me|ly|gg|xyz|"
    r"example|test|invalid|local|internal|cloud|tech|site|online|de|fr|es|uk|eu|us|ch|at|ru|cn)\b(?::\d+)?(?:/[^\s<>\"'`|)\]]*(?<![.,;:!?*_]))?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(r"(?<![\w@.])[@#](?=[\w-]*[A-Za-z])[\w][\w.-]*\w|<[@#!][^>\s]+>")
_MARKER = re.compile(r"\[([1-9]\d?)\]")
_LITERAL = re.compile(
    r"(?<!\w)(?:--?[a-zA-Z][\w-]*(?:=[^\s,;)]+)?|~?/[\w.@-]+(?:/[\w.@-]*)*|\.{1,2}/[\w./@-]+"  # options, paths
    r"|[A-Za-z]\w*(?:/[\w.-]+){2,}"
    r"|[A-Za-z]:\\[\w\\.-]+"
    r"|(?!\d{1,2}\.\d{1,2}\.\d{4}\b)v?\d+(?:\.\d+){2,}(?:[-+][\w.]+)?|v\d+(?:\.\d+)*"  # versions, addresses of machines
    r"|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*\.(?:toml|ya?ml|json|ini|cfg|conf|py|js|ts|tsx|go|rs|rb|sh|md|txt|csv|"
    r"log|sql|xml|html|env|lock|service|tf|zip|gz|pdf|docx|xlsx|pptx|exe|jar|war|c|h|cpp|java|kt|php|ps1|bat)"
    r"|\$?[A-Za-z]\w*_\w+"  # snake_case, CONSTANT_CASE
    r"|[A-Za-z_]\w*(?:::\w+)+|[A-Za-z_][\w.]*\(\))(?![\w])"
)
_SIGNS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_LINK, ("://", "www.", "WWW.")),
    (_ADDRESS, ("@",)),
    (_HOST, (".",)),
    (_HANDLE, ("@", "#")),
    (_LITERAL, ("-", "/", "\\", "_", ".", "(", "::", *(f"v{digit}" for digit in range(10)))),
)
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")
_ORDINAL = re.compile(r"(?m)^[ \t>]*\d{1,3}[.)](?=\s)")
_AS_LETTERS = str.maketrans("0123456789abcdef", "abcdfghijklmopqu")
_DOT = re.compile(r"\[\.\]")


@dataclass(frozen=True, slots=True)
class Literals:
    """What a text holds literally. `rest` is the text without it, `marked` without it but with markers."""

    found: tuple[Found, ...]
    rest: str
    marked: str


@lru_cache(maxsize=256)
def literals(text: str) -> Literals:
    """Read code, links, addresses, handles, paths, options and versions out of a text."""
    rest, found = _ORDINAL.sub(lambda match: " " * len(match.group()), text), list[Found]()
    rest, fences = take(rest, _FENCED) if _may_fence(rest) else (rest, [])
    found += [
        _found(line.strip(), match.start())
        for match in fences
        for line in match[2].splitlines()
        if line.strip()
    ]
    rest, spans = take(rest, _CODE) if "`" in rest else (rest, [])
    found += [_found(match[2].strip(), match.start()) for match in spans]
    for pattern in _patterns(rest):
        rest, matches = take(rest, pattern)
        found += [_found(_bare(match.group()), match.start()) for match in matches]
    bare = _MARKER.sub(lambda match: " " * len(match.group()), rest)
    return Literals(tuple(found), bare, rest)


def worded(text: str) -> str:
    """Return a text with each literal written as one word of its own, and without markers."""
    if "`" in text or _may_fence(text):
        text = _CODE.sub(lambda match: _word(match[2]), _FENCED.sub(" ", text))
    text = _MARKER.sub(" ", text)
    for pattern in _patterns(text):
        text = pattern.sub(lambda match: _word(match.group()), text)
    return text


def _may_fence(text: str) -> bool:
    return "```" in text or "~~~" in text


def _patterns(text: str) -> Iterator[re.Pattern[str]]:
    """Yield the patterns that may match a text, told by the signs that each of them needs."""
    for pattern, signs in _SIGNS:
        if any(sign in text for sign in signs):
            yield pattern


def _word(literal: str) -> str:
    """Return a word that names a literal, made of letters that no ending is cut from."""
    return "lit" + f"{zlib.crc32(_bare(literal.strip()).encode()):08x}".translate(_AS_LETTERS)[:8]


def holds(text: str, literal: str) -> bool:
    """Tell whether a literal stands in a text, and not as a part of a longer one."""
    body = re.sub(r"\s+", " ", _DOT.sub(".", one_form(text)))
    wanted = re.escape(re.sub(r"\s+", " ", literal))
    return re.search(rf"(?<![\w./-]){wanted}(?!\w|[./-]\w)", body) is not None


def cited_numbers(text: str) -> set[int]:
    """Return the numbers that a text cites outside code."""
    bare = _CODE.sub(" ", _FENCED.sub(" ", text))
    return set(map(int, _MARKER.findall(bare)))


def _found(shown: str, at: int) -> Found:
    version = _VERSION.fullmatch(shown)
    named = keys(f"={shown}", f"version:{version[1]}") if version else keys(f"={shown}")
    return Found(shown=shown, keys=named, at=at)


def _bare(literal: str) -> str:
    return _DOT.sub(".", literal).rstrip(".,;:!?*_")
