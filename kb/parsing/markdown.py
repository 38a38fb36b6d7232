"""Markdown passes through: front matter becomes metadata, and what a reader cannot see is dropped."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass, field
from typing import Any

from kb.blocks import without_closing
from kb.parsing.hidden import code_lines, without_hidden
from kb.parsing.markdown_tables import with_plain_tables
from kb.parsing.mdx import to_markdown
from kb.parsing.parsed import Parsed
from kb.parsing.text import clean_text, one_line
from kb.plain import plain_text

_FRONT_MATTER_LIMIT = 64_000
_CHANGED_KEYS = ("updated", "lastmod", "last_modified", "last_updated", "modified", "date")
_HEADING = re.compile(r" {0,3}#[ \t]+(.*)")
_UNDERLINE = re.compile(r" {0,3}=+[ \t]*")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()]{0,1000}\)")
_HEADING_ID = re.compile(r"[ \t]*\{#[^{}\n]{0,200}\}[ \t]*$")
_MARKS = str.maketrans("", "", "*`")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """The block of settings in front of a document, and the text after it."""

    body: str
    values: dict[str, Any] = field(default_factory=dict)
    warning: str = ""


def read_markdown(text: str, *, mdx: bool = False) -> Parsed:
    """Read a Markdown document, or one of Markdown with components."""
    front = split_front_matter(clean_text(text))
    body = with_plain_tables(without_hidden(to_markdown(front.body) if mdx else front.body))
    title = front.values.get("title")
    return Parsed(
        markdown=body,
        title=one_line(title) if isinstance(title, str) and title.strip() else first_title(body),
        warnings=(front.warning,) if front.warning else (),
        metadata=_plain_values(front.values),
        updated=next((moment for key in _CHANGED_KEYS if (moment := timestamp(front.values.get(key)))), None),
    )


def first_title(markdown: str) -> str:
    """Return the words of the first heading of level 1 outside code, or an empty string."""
    if "#" not in markdown and "==" not in markdown:
        return ""
    before = ""
    for line, in_code in code_lines(markdown):
        if in_code:
            before = ""
        elif heading := _HEADING.fullmatch(line):
            if words := heading_words(without_closing(_without_attributes(heading[1]))):
                return words
        elif before and _UNDERLINE.fullmatch(line):
            return heading_words(before)
        before = line if line.strip() else ""
    return ""


def _without_attributes(heading: str) -> str:
    """Return a heading without the braces that some dialects put behind it."""
    text = heading.rstrip()
    start = text.rfind("{") if text.endswith("}") else -1
    return text[:start] if start >= 0 else text


def heading_words(text: str) -> str:
    """Return a heading without links, tags, emphasis, escapes and its id."""
    words = _LINK.sub(r"\1", _HEADING_ID.sub("", text)).translate(_MARKS)
    return one_line(plain_text(words))


def split_front_matter(text: str) -> FrontMatter:
    """Cut YAML (`---`) or TOML (`+++`) front matter off a document."""
    text = text.lstrip("\n")
    mark = text[:3]
    if mark not in ("---", "+++") or text[3:4] not in ("\n", " "):
        return FrontMatter(body=text)
    start = text.find("\n") + 1
    end = _end_of_front_matter(text, mark, start)
    if text[3 : start - 1].strip() or end < 0:
        return FrontMatter(body=text)
    after = text.find("\n", end)
    body = text[after + 1 :] if after >= 0 else ""
    return _front_matter(text[start:end], mark, body)


def _end_of_front_matter(text: str, mark: str, start: int) -> int:
    at = text.find(f"\n{mark}", start - 1, start + _FRONT_MATTER_LIMIT)
    while at >= 0 and text[at + 4 : at + 5] not in ("\n", "", " "):
        at = text.find(f"\n{mark}", at + 1, start + _FRONT_MATTER_LIMIT)
    return at + 1 if at >= 0 else -1


def _front_matter(source: str, mark: str, body: str) -> FrontMatter:
    import yaml

    try:
        values = _load_yaml(source) if mark == "---" else _load_toml(source)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, OverflowError) as exc:
        return FrontMatter(body=body, warning=f"Its front matter cannot be read ({type(exc).__name__}).")
    if isinstance(values, dict):
        return FrontMatter(body=body, values={str(key): value for key, value in values.items()})
    return FrontMatter(body=body if values is None else f"{source}\n{body}")


def _load_yaml(source: str) -> object:
    import yaml

    # The C loader is ten times as fast; both are safe loaders, and aliases are shared, never expanded.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(source, Loader=loader)  # noqa: S506 - one of the two safe loaders


def _load_toml(source: str) -> object:
    import tomllib

    return tomllib.loads(source)


def _plain_values(values: dict[str, Any]) -> dict[str, Any]:
    """Keep scalars and short lists of scalars: what a person wrote about the document."""
    plain: dict[str, Any] = {}
    for key, value in values.items():
        if _is_scalar(value):
            plain[one_line(key, 60)] = _scalar(value)
        elif isinstance(value, list) and len(value) <= 50 and all(_is_scalar(item) for item in value):
            plain[one_line(key, 60)] = [_scalar(item) for item in value]
    return plain


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | dt.date)


def _scalar(value: str | int | float | dt.date) -> str | int | float:  # noqa: PYI041 - told apart below
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return one_line(value, 500)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if abs(value) < 2**53 else str(value)[:50]


def timestamp(value: object) -> float | None:
    """Return a date, a date and time, or its ISO form as seconds since the epoch; UTC unless it says."""
    try:
        moment = dt.datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if isinstance(moment, dt.date) and not isinstance(moment, dt.datetime):
            moment = dt.datetime.combine(moment, dt.time())
        if not isinstance(moment, dt.datetime):
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
