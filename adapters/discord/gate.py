"""The output gate of Discord: what leaves it holds no live mention and no link but those that code built.

It comes after `bot.output_gate`, which knows no platform, and writes Markdown as Discord reads it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote, urlsplit

from adapters.discord.dialect import to_discord
from adapters.discord.layouts import ADDRESS, shortened
from bot.output_gate import ZERO_WIDTH, defang, defang_line, one_line, strip_unseen, without_escapes

__all__ = ["address", "gate", "gate_line", "link", "literal", "plain", "shortened"]

# What Discord makes alive in angle brackets; the shared gate breaks most of it already.
_LIVE = re.compile(
    r"<(?!\u200b)(?=\s*(?:@[&!]?\s*\d|#\s*\d|/[^\n>]{0,200}:\s*\d|a?:\w{1,40}:\s*\d|t:\s*-?\d|id:\w|sound:\d))",
    re.IGNORECASE,
)
_INVITE = re.compile(r"(discord(?:app)?)\.(gg/|com/invite/)", re.IGNORECASE)
_EVERYBODY = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_MARKUP = re.compile(r"([\\`*_~|<>])")
_LINE_MARKUP = re.compile(r"\A(\d*)(#{1,3}|-#?|\+|(?<=\d)[.)])(?=\s)")


def gate(text: str, *, allowed: Collection[str] = ()) -> str:
    """Return text that is safe as Markdown for Discord. A second pass changes nothing that matters.

    `allowed` holds whole addresses that may stay links.
    """
    clean = defang(without_escapes(strip_unseen(text)), allowed=allowed)
    return defused(to_discord(clean))


def gate_line(text: str, *, allowed: Collection[str] = ()) -> str:
    """Return text that is safe as one line of Markdown."""
    return one_line(gate(one_line(text), allowed=allowed))


def literal(text: str, limit: int = 300) -> str:
    """Return text that stands as it is: one line of at most `limit` characters in which nothing is markup."""
    line = shortened(defang_line(text), limit)
    return defused(_LINE_MARKUP.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", line)))


def plain(text: str, limit: int = 300) -> str:
    """Return text for a place without markup, such as a button's label or a thread's name."""
    return shortened(defang_line(text), limit)


def link(url: str, label: str, limit: int = 150) -> str:
    """Return a link; the label alone when the address is none of the web."""
    target, name = address(url), literal(label, limit)
    if not target or not name:
        return name
    return f"[{name.replace('[', '(').replace(']', ')')}](<{target}>)"


def address(url: str) -> str:
    """Return a web address with nothing in it that could end a link early; empty when it is none."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not host or "@" in parts.netloc:
        return ""
    whole = quote(url.strip(), safe="%/:=&?~#+!$,;'@[]-._", errors="replace")
    return whole if len(whole) <= ADDRESS else ""


def defused(text: str) -> str:
    """Break whatever Discord would make a mention, a command, an emoji, a time or an invite of."""
    broken = _LIVE.sub(f"<{ZERO_WIDTH}", _INVITE.sub(r"\1[.]\2", text))
    return _EVERYBODY.sub(f"@{ZERO_WIDTH}", broken)
