"""The output gate: makes text of documents, models and guests safe to show.

What leaves it holds no image, no HTML, no link but the allowed ones, no live mention, no control,
bidi or escape character. Links to elsewhere become their text; a bare address loses its scheme and
its query and is written `host[.]tld/path`, so that it can be read and not clicked. Adapters add what
their own markup needs; nothing of theirs makes this step superfluous.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

ZERO_WIDTH = "\u200b"
_DOTS = str.maketrans(dict.fromkeys(".\u3002\uff0e\uff61", "[.]"))
_NOT_FOLLOWED_TEXT = """
    s3 gs az abfs abfss hdfs jdbc postgres postgresql mysql mariadb sqlite redis rediss mongodb amqp
    amqps kafka nats mqtt tcp udp unix grpc memory
"""
_NOT_FOLLOWED = frozenset(_NOT_FOLLOWED_TEXT.split())
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})

_ANSI = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # an operating-system command, such as a link
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b[PX^_].*?(?:\x1b\\|$)|\x1b.?",
    re.DOTALL,
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
# A single joiner between two letters of other scripts, or in an emoji, is spelling; all others hide text.
_JOINERS = re.compile("[\u200c\u200d]{2,}|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")

CODE = re.compile(r"(?ms)^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)|(`+)(?!`)[^\n]*?(?<!`)\2(?!`)")
_LONE_BREAK = re.compile(r"(?<=[^\s|])\n(?=[^\s|])")
_ESCAPED = re.compile(r"\\+`+")
_APART = re.compile("[^\\S\u00a0\u202f]+")  # French sets its marks apart by spaces at which no line breaks
_COMMENT = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[|<\?.*?(?:\?>|\Z)|<!doctype[^>]*>?", re.DOTALL | re.IGNORECASE
)
_ACTIVE = re.compile(
    r"<(script|style|title|template|noscript|iframe)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
_AUTOLINK = re.compile(r"<([a-z][a-z0-9+.-]{1,31}:[^\s<>|]*)(?:\|([^<>\n]*))?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][\w:-]*(?:\s[^<>]*|/)?(?:>|\Z)|<[a-zA-Z][\w:-]*\s[^<>\n]*=[^<>\n]*")
_BARE_TAG = re.compile(r"</?([a-zA-Z][\w-]*)\s*/?>$")
_ELEMENTS_TEXT = """
    a abbr acronym address applet area article aside audio b base basefont bdi bdo big blink blockquote
    body br button canvas caption center cite code col colgroup data datalist dd del details dfn dialog
    dir div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6
    head header hgroup hr html i iframe image img input ins isindex kbd keygen label legend li link main
    map mark marquee math menu meta meter nav nobr noembed noframes noscript object ol optgroup option
    output p param picture plaintext portal pre progress q rp rt ruby s samp script search section
    select slot small source span strike strong style sub summary sup svg table tbody td template
    textarea tfoot th thead time title tr track tt u ul var video wbr xmp
"""
_ELEMENTS = frozenset(_ELEMENTS_TEXT.split())

# Bounded, so that no text takes long; what is longer is no link either, for "](" is broken up.
_LABEL = r"\[((?:[^\[\]\\\n]|\\.|\[[^\[\]\n]{0,200}\]){0,400}+)\]"
_TARGET = (
    r"\(\s*(<[^<>\n]*>|(?:[^\s()\\]|\\.|\((?:[^\s()]|\([^\s()]*\))*\))*)"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^)]*\)))?\s*\)"
)
_IMAGE = re.compile(rf"!{_LABEL}(?:{_TARGET}|\[[^\]\n]*\])")
_IMAGE_SHORT = re.compile(rf"!(?={_LABEL})")
_LINK = re.compile(rf"{_LABEL}{_TARGET}")
_LINK_OUT = re.compile(rf"!?{_LABEL}\(<?[a-zA-Z][\w+.-]*:[^\s)]*\)")  # shown or not: code may lose its fence
_REFERENCE = re.compile(r"\[([^\[\]\n]+)\]\[(?!\d{1,2}\])[^\]\n]*\]")
_DEFINITION = re.compile(
    r"(?m)^[ \t>]*\[[^\]\n]+\]:[ \t]*(?:\n[ \t>]*)?(?:<[^<>\n]*>|[^\s<]\S*)"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^)\n]*\)))?[ \t]*(?:\n|$)"
)
_MARKER = re.compile(r"\^?\d{1,2}")

_URL = re.compile(r"(?:(?<![a-z0-9])[a-z][a-z0-9+.-]{1,20}|https?)://[^\s<>\"'`|\\^{}]+", re.IGNORECASE)
_BARE_HOST = re.compile(
    r"(?<![\w@/\\.:=-])(?:www\.)?(?:[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\.)+[a-z]{2,24}(?::\d+)?[/?][^\s<>\"'`|]*"
    r"|(?<![\w@/\\.-])www\.[^\s<>\"'`|]+",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"\b(javascript|vbscript|data(?=\s*:\w+/))\s*:(?=\S)", re.IGNORECASE)
_URL_END = ".,;:!?)]}*_~'\"»”’"
_FILE_ENDINGS_TEXT = """
    md mdx rst txt py js ts tsx jsx json toml yaml yml html htm css sh go rs java rb php cfg ini log csv
    xml
"""
_FILE_ENDINGS = frozenset(_FILE_ENDINGS_TEXT.split())

_MENTION = re.compile(
    r"@(?=(?:everyone|here|channel)(?![a-z0-9]))"
    r"|<(?=\s*(?:@[&!]?\s*[0-9UWSB]|!\s*(?:channel|here|everyone|subteam|date)|#\s*[0-9C]"
    r"|/[\w -]+:\d|a?:\w+:\d|t:-?\d|id:\w|slack:))",
    re.IGNORECASE,
)


def defang(text: str, *, allowed: Collection[str] = ()) -> str:
    """Return text that is safe as Markdown and in a terminal.

    `allowed` holds whole addresses that may stay as they are: the links of the retrieved documents.
    A second pass changes nothing.
    """
    clean = strip_unseen(text)
    parts: list[str] = []
    end = 0
    for code in CODE.finditer(clean):
        parts.append(_prose(clean[end : code.start()], allowed))
        parts.append(_addresses(_LINK_OUT.sub(r"\1", code.group()), allowed))
        end = code.end()
    parts.append(_prose(clean[end:], allowed))
    return _MENTION.sub(lambda match: match.group() + ZERO_WIDTH, "".join(parts))


def defang_line(text: str) -> str:
    """Return text that is safe as one line: a title, a heading, a path, a file name."""
    return one_line(defang(one_line(text)))


def one_line(text: str) -> str:
    """Return text on one line, its words one space apart; a space that keeps words together stays."""
    return _APART.sub(" ", text).strip()


def kept_lines(text: str) -> str:
    """Return Markdown of the bot's own whose lines stay lines: readers show a lone line break as a space.

    With two spaces before it, it is a break for all; in code and in tables it is one anyway.
    """
    fenced = [code.span() for code in CODE.finditer(text) if code.group(1)]

    def hard(found: re.Match[str]) -> str:
        return found.group() if any(a < found.start() < b for a, b in fenced) else "  \n"

    return _LONE_BREAK.sub(hard, text)


def strip_unseen(text: str) -> str:
    """Remove what a reader does not see: escape sequences, control, bidi and zero-width characters."""
    text = _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _JOINERS.sub("", _UNSEEN.sub("", text))


def without_escapes(text: str) -> str:
    """Replace escaped backticks outside code blocks: readers disagree whether they begin code."""
    parts, end = [], 0
    for code in CODE.finditer(text):
        if code.group(1):
            parts += [_ESCAPED.sub("'", text[end : code.start()]), code.group()]
            end = code.end()
    return "".join([*parts, _ESCAPED.sub("'", text[end:])])


def _prose(text: str, allowed: Collection[str]) -> str:
    if not text:
        return text
    if "<" in text:
        text = _without_html(text, allowed)
    if "[" in text:
        text = _until_stable(_without_links, text).replace("](", "] (")  # a label over two lines
    return _SCRIPT.sub(lambda match: match.group(1) + " ", _bare_hosts(_addresses(text, allowed)))


def _until_stable(step: Callable[[str], str], text: str, rounds: int = 8) -> str:
    for _ in range(rounds):
        changed = step(text)
        if changed == text:
            break
        text = changed
    return text


def _without_html(text: str, allowed: Collection[str]) -> str:
    text = _ACTIVE.sub("", _COMMENT.sub("", text))
    text = _AUTOLINK.sub(lambda match: _autolink(match, allowed), text)
    return _until_stable(lambda held: _TAG.sub(_tag, held), text)


def _autolink(match: re.Match[str], allowed: Collection[str]) -> str:
    address, label = match.groups()
    return address if address in allowed else label or address


def _tag(match: re.Match[str]) -> str:
    """Remove an HTML tag; a placeholder such as `<your-name>` is not one."""
    bare = _BARE_TAG.match(match.group())
    return "" if bare is None or bare.group(1).lower() in _ELEMENTS else match.group()


def _without_links(text: str) -> str:
    text = _DEFINITION.sub("", text)
    text = _IMAGE.sub(lambda match: match.group(1), text)
    text = _LINK.sub(_label, text)
    text = _REFERENCE.sub(_label, text)
    return _IMAGE_SHORT.sub("", text)


def _label(match: re.Match[str]) -> str:
    """Return a link's text; a citation marker that was made a link stays a marker."""
    label = match.group(1)
    return f"[{label}]" if _MARKER.fullmatch(label) else label


def _addresses(text: str, allowed: Collection[str]) -> str:
    return _URL.sub(lambda match: _address(match.group(), allowed), text) if "//" in text else text


def _bare_hosts(text: str) -> str:
    return _BARE_HOST.sub(lambda match: _bare_host(match.group()), text) if "." in text else text


def _bare_host(found: str) -> str:
    host = re.split(r"[/?:]", found, maxsplit=1)[0]
    if host.rpartition(".")[2].lower() in _FILE_ENDINGS:
        return found
    return _readable(f"//{found}")


def _address(found: str, allowed: Collection[str]) -> str:
    bare = found.rstrip(_URL_END)
    tail = found[len(bare) :]
    if bare in allowed or found in allowed:
        return found
    if bare.partition(":")[0].lower() in _NOT_FOLLOWED:
        return found
    return _readable(bare) + tail


def _readable(address: str) -> str:
    """Write an address so that it can be read and not be followed."""
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(link removed)"
    if (parts.hostname or "") in LOCAL_HOSTS and "@" not in parts.netloc and not parts.query:
        return address
    path = re.split(r"\w+://|[%@\\]|//|:", parts.path, maxsplit=1)[0]
    return (host.translate(_DOTS) + path.rstrip("/")) or "(link removed)"
