"""Discord's Markdown as Discord reads it: to HTML for the pictures, and to all that is alive in it for tests.

Written from Discord's documentation, not from what the bot sends: nothing here knows the bot.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_FENCE = re.compile(r"```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n].*?)\n*```", re.DOTALL | re.IGNORECASE)
_LINE_START = re.compile(r"(?P<head>#{1,3}) +|(?P<small>-#) +|(?P<rest>>>> )|(?P<quote>> )|")
_ITEM = re.compile(r"(?P<white> *)(?P<mark>[-*]|\d{1,10}\.) +(?P<body>.*)")


@dataclass(slots=True)
class Alive:
    """What Discord would make of a text beside letters: where links lead, and who or what is mentioned."""

    links: list[str] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)


Names = Callable[[str], str]


@dataclass(slots=True)
class _Reader:
    """Reads the inside of a line; `moment` writes a time mark as a reader would see it."""

    moment: Callable[[int], str]
    alive: Alive = field(default_factory=Alive)

    def inline(self, text: str) -> str:
        out, position = "", 0
        while position < len(text):
            for pattern, made in _RULES:
                found = pattern.match(text, position)
                if found and found.end() > position:
                    out += made(self, found)
                    position = found.end()
                    break
        return out


def to_html(text: str, *, moment: Callable[[int], str] = str) -> str:
    """Return Discord's Markdown as HTML."""
    return _html(text, _Reader(moment))


def alive(text: str) -> Alive:
    """Return what is alive in a text. Mentions count in code, too: the server does not read Markdown."""
    reader = _Reader(str)
    _html(text, reader)
    found = reader.alive
    found.mentions += re.findall(r"@everyone|@here|<@[!&]?\d+>", text)
    return found


def _html(text: str, reader: _Reader) -> str:
    out, end = "", 0
    for code in _FENCE.finditer(text):
        out += _blocks(text[end : code.start()].strip("\n"), reader)
        out += f"<pre>{html.escape(code[2])}</pre>"
        end = code.end()
    return out + _blocks(text[end:].strip("\n"), reader)


def _blocks(text: str, reader: _Reader) -> str:
    lines = text.split("\n") if text else []
    return "".join(_grouped(lines, reader))


def _grouped(lines: list[str], reader: _Reader) -> Iterator[str]:
    position = 0
    while position < len(lines):
        line = lines[position]
        start = _LINE_START.match(line)
        assert start is not None
        body = line[start.end() :]
        position += 1
        if start["rest"]:
            yield f"<blockquote>{_blocks(chr(10).join([body, *lines[position:]]), reader)}</blockquote>"
            return
        if start["quote"]:
            quoted = [body]
            while position < len(lines) and lines[position].startswith("> "):
                quoted.append(lines[position][2:])
                position += 1
            yield f"<blockquote>{_blocks(chr(10).join(quoted), reader)}</blockquote>"
        elif start["head"]:
            yield f"<h{len(start['head'])}>{reader.inline(body)}</h{len(start['head'])}>"
        elif start["small"]:
            yield f"<small dir=auto>{reader.inline(body)}</small>"
        elif item := _ITEM.fullmatch(line):
            mark = item["mark"] if item["mark"][0].isdigit() else "◦" if item["white"] else "•"
            level = 1 + len(item["white"]) // 2
            yield (
                f'<div class=item dir=auto style="padding-inline-start:{level * 22}px">'
                f"<i>{mark}</i>{reader.inline(item['body'])}</div>"
            )
        else:
            yield f"<div class=line dir=auto>{reader.inline(line) or '&#8203;'}</div>"


def _escaped(_reader: _Reader, found: re.Match[str]) -> str:
    return html.escape(found[1])


def _code(_reader: _Reader, found: re.Match[str]) -> str:
    return f"<code>{html.escape(found[2].strip() if len(found[1]) > 1 else found[2])}</code>"


def _styled(tag: str) -> Callable[[_Reader, re.Match[str]], str]:
    return lambda reader, found: f"<{tag}>{reader.inline(found[1])}</{tag.split(' ', maxsplit=1)[0]}>"


def _masked(reader: _Reader, found: re.Match[str]) -> str:
    reader.alive.links.append(found[2])
    return f"<a>{reader.inline(found[1])}</a>"


def _address(reader: _Reader, found: re.Match[str]) -> str:
    reader.alive.links.append(found[1])
    return f"<a>{html.escape(found[1])}</a>"


def _mention(reader: _Reader, found: re.Match[str]) -> str:
    reader.alive.mentions.append(found[0])
    return f"<span class=mention>{html.escape(found[0])}</span>"


def _time(reader: _Reader, found: re.Match[str]) -> str:
    return f"<time>{html.escape(reader.moment(int(found[1])))}</time>"


def _letters(_reader: _Reader, found: re.Match[str]) -> str:
    return html.escape(found[0])


_RULES: list[tuple[re.Pattern[str], Callable[[_Reader, re.Match[str]], str]]] = [
    (re.compile(r"\\([^0-9A-Za-z\s])"), _escaped),
    (re.compile(r"(`+)(.*?[^`])\1(?!`)", re.DOTALL), _code),
    (re.compile(r"<t:(-?\d{1,17})(?::[tTdDfFR])?>"), _time),
    (re.compile(r"<(?:@[!&]?|#)\d+>|@everyone|@here"), _mention),
    (re.compile(r"</[-\w ]+:\d+>|<id:\w+(?::\d+)?>|<a?:\w{2,32}:\d+>|<sound:\d+:\d+>"), _mention),
    (
        re.compile(
            r"<([a-z][\w+.-]*:[^\s<>]+|(?:[\w.+-]+@[^\s<>@]+\.[^\s<>@]+)|\+\d[\d -]{2,})>", re.IGNORECASE
        ),
        _address,
    ),
    (
        re.compile(
            r"\[((?:\[[^\]]*\]|[^\[\]\n])+)\]"
            r"\(\s*<?((?:[a-z][\w+.-]*:)[^\s<>]+?)>?(?:\s+\"[^\"]*\")?\s*\)",
            re.IGNORECASE,
        ),
        _masked,
    ),
    (re.compile(r"((?:https?|steam|discord)://[^\s<]+[^\s<.,:;\"'\])])", re.IGNORECASE), _address),
    (re.compile(r"((?:discord\.gg|discord(?:app)?\.com/invite)/[\w-]+)", re.IGNORECASE), _address),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*(?!\*)", re.DOTALL), _styled("b")),
    (re.compile(r"__(?=\S)(.+?)__(?!_)", re.DOTALL), _styled("u")),
    (re.compile(r"~~(?=\S)(.+?)~~", re.DOTALL), _styled("s")),
    (re.compile(r"\|\|(.+?)\|\|", re.DOTALL), _styled("span class=spoiler")),
    (re.compile(r"\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?!\*)", re.DOTALL), _styled("em")),
    (re.compile(r"(?<!\w)_(?=[^\s_])(.+?)(?<=[^\s_])_(?!\w)", re.DOTALL), _styled("em")),
    (re.compile(r"[^\\`<@\[*_~|hds]+|.", re.DOTALL | re.IGNORECASE), _letters),
]
