"""Markdown as documents and models write it becomes Markdown as Discord reads it.

Discord knows no tables, no headings below the third level, no rules and no task boxes, hides text between
`||`, underlines between `__`, keeps every line break and reads everything behind `>>>` as a quotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from adapters.discord.tables import is_rule, shown_table
from bot.output_gate import CODE, ZERO_WIDTH

_FENCE = re.compile(r"(?s)([ \t]*)(?:`{3,}|~{3,})[ \t]*([^\n`]*)(?:\n(.*))?\Z")
_FENCE_END = re.compile(r"(?:\A|\n)[ \t]*(?:`{3,}|~{3,})[ \t]*\n?\Z")
_QUOTED_FENCE = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)+(?=(?:`{3,}|~{3,}))")
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}", re.ASCII)
_RUN = re.compile(r"`{3,}")

_HEADING = re.compile(r"[ ]{0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_SETEXT = re.compile(r"[ ]{0,3}(=+|-{2,})[ \t]*")
_BREAK = re.compile(r"[ ]{0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_BULLET = re.compile(r"([ \t]*)[*+-][ \t]+(?=\S)")
_NUMBER = re.compile(r"([ \t]*)(\d{1,9})[.)][ \t]+(?=\S)")
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_QUOTE = re.compile(r"[ \t]*>(?:[ \t]?>)*[ \t]?")
_SMALL = re.compile(r"[ \t]*-#(?=\s)")
_STARRED = re.compile(r"\*\*|__")

_ADDRESS = re.compile(r"https?://[^\s<>\"'`|\\^{}]+", re.IGNORECASE)
_BRACKETED = re.compile(r"<((?:mailto:)?[\w.+%-]{1,64}@[^\s<>]{1,200}|\+?\d[\d ()-]{2,30})>")
_ADDRESS_END = ".,;:!?]}*_~'\"»”’"
_UNDERLINE = re.compile(r"(?<![\w\\_])__(?=[^\s_])(.+?)(?<=[^\s_\\])__(?![\w_])")
_DUNDER = re.compile(r"(?<!\\)__")
_SPOILER = re.compile(r"(?<!\\)\|(?=\|)|(?<=[|])(?<!\\\|)\|")
_ENTITIES = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&quot;": '"',
    "&#39;": "'",
    "&apos;": "'",
    "&nbsp;": " ",
}
_ENTITY = re.compile("|".join(_ENTITIES))
_BEFORE = re.compile(r"\n{2,}(?=#{2,3} |```)")
_BEHIND = re.compile(r"(?m)^(#{2,3} .*|\*\*[^*\n]+\*\*|```)\n{2,}")
_MANY_LINES = re.compile(r"\n{3,}")
_WRAPPED = range(56, 140)  # widths at which editors and mail programs break lines


def to_discord(markdown: str) -> str:
    """Return Markdown, which is safe already, as Discord shows it best."""
    text = _unquoted_fences(markdown)
    parts: list[str] = []
    end = 0
    for code in CODE.finditer(text):
        if code.group(1):
            parts += [_prose(text[end : code.start()]).strip("\n"), _fence(code.group())]
            end = code.end()
    parts.append(_prose(text[end:]).strip("\n"))
    return "\n".join(part for part in parts if part)


def _unquoted_fences(text: str) -> str:
    """Take code blocks out of quotations: Discord does not find their end there."""
    lines, quoted = [], False
    for line in text.split("\n"):
        if _QUOTED_FENCE.match(line):
            quoted = not quoted
            lines.append(_QUOTED_FENCE.sub("", line))
        else:
            quoted = quoted and line.lstrip().startswith(">")
            lines.append(_QUOTE.sub("", line, count=1) if quoted else line)
    return "\n".join(lines)


def _fence(block: str) -> str:
    """Write a code block as Discord understands it: three backticks, one word behind them, no indent."""
    opened = _FENCE.match(block)
    if opened is None:
        return _prose(block)
    indent, info, content = opened[1], opened[2], opened[3] or ""
    if ended := _FENCE_END.search(content):
        content = content[: ended.start()]
    lines = [line.removeprefix(indent) for line in content.split("\n")]
    language = _LANGUAGE.match(info.strip())
    return fenced("\n".join(lines), language[0] if language else "")


def fenced(content: str, language: str = "") -> str:
    """Return a code block that nothing in its content ends early; empty when there is nothing to show."""
    if not content.strip():
        return ""
    body = _RUN.sub(lambda run: f"{ZERO_WIDTH}".join(run[0]), content.strip("\n"))
    return f"```{language}\n{body}\n```"


def _prose(text: str) -> str:
    """Return what is no code; no empty line is left at headings and code, which bring their own space."""
    shown = "\n".join(_blocks(text.split("\n")))
    return _MANY_LINES.sub("\n\n", _BEFORE.sub("\n", _BEHIND.sub(r"\1\n", shown)))


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of prose anew, tables and wrapped paragraphs taken together."""
    position = 0
    while position < len(lines):
        if position + 1 < len(lines) and "|" in lines[position] and is_rule(lines[position + 1]):
            end = position + 2
            while end < len(lines) and "|" in lines[end] and lines[end].strip():
                end += 1
            yield from _table(lines[position:end])
            position = end
            continue
        end = position + 1
        if lines[position].strip():
            while end < len(lines) and not _begins_block(lines, end):
                end += 1
        yield from _paragraph(lines[position:end])
        position = end


def _table(lines: Sequence[str]) -> Iterator[str]:
    table = shown_table(lines)
    if table.code:
        yield fenced("\n".join(table.lines))
    else:
        yield from map(_inline, table.lines)


def _begins_block(lines: Sequence[str], position: int) -> bool:
    """Tell whether a line begins something new and does not go on with the one above."""
    line = lines[position]
    following = lines[position + 1] if position + 1 < len(lines) else ""
    return (
        not line.strip()
        or any(kind.match(line) for kind in (_BULLET, _NUMBER, _QUOTE, _SMALL))
        or any(kind.fullmatch(line) for kind in (_HEADING, _BREAK))
        or ("|" in line and is_rule(following))
    )


def _paragraph(lines: Sequence[str]) -> Iterator[str]:
    """Yield a paragraph, an item or a heading; the first line tells which, the others go on with it."""
    if len(lines) > 1 and _SETEXT.fullmatch(lines[1]):
        yield f"## {_inline(lines[0].strip())}"
        yield from _paragraph(lines[2:]) if lines[2:] else ()
        return
    joined = list(_joined(lines))
    yield _first(joined[0])
    for line in joined[1:]:
        yield _inline(line.rstrip("\\ \t"))


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """Take lines together that were broken for their width alone: Discord would show every break."""
    width = max(map(len, lines))
    held = lines[0]
    last = held
    for line in lines[1:]:
        word = len(line.split(maxsplit=1)[0]) if line.strip() else 0
        hard = last.endswith(("  ", "\\"))
        if not hard and width in _WRAPPED and len(last.rstrip()) + 1 + word > width - 4:
            held = f"{held.rstrip()} {line.strip()}"
        else:
            yield held
            held = line
        last = line
    yield held


def _first(line: str) -> str:
    """Return a line that may begin a heading, an item or a quotation."""
    if _BREAK.fullmatch(line):
        return ""
    if heading := _HEADING.fullmatch(line):
        return _heading(len(heading[1]), heading[2])
    body = line.rstrip("\\ \t") if line.endswith(("\\", " ", "\t")) else line
    if small := _SMALL.match(body):
        return f"\\{body[: small.end()].strip()}{_inline(body[small.end() :])}"
    if bullet := _BULLET.match(body):
        return f"{_indent(bullet[1])}- {_item(body[bullet.end() :])}"
    if number := _NUMBER.match(body):
        return f"{_indent(number[1])}{number[2]}. {_item(body[number.end() :])}"
    if quote := _QUOTE.match(body):
        return f"> {_inline(body[quote.end() :])}"
    return _inline(body)


def _heading(level: int, words: str) -> str:
    """Return a heading; the first level shouts in a chat, those below the third are unknown there."""
    if not words:
        return ""
    if level > 3:
        return f"**{_inline(_STARRED.sub('', words))}**"
    return f"{'#' * max(2, level)} {_inline(words)}"


def _item(words: str) -> str:
    task = _TASK.match(words)
    if task is None:
        return _inline(words)
    return f"{'☐' if task[1] == ' ' else '☑'} {_inline(words[task.end() :])}"


def _indent(white: str) -> str:
    """Return an item's indent as Discord needs it: two spaces a level."""
    return " " * (len(white.expandtabs(4)) // 2 * 2)


def _inline(text: str) -> str:
    """Return the inside of a line: code and addresses as they are, all else as Discord reads it."""
    parts, end = [], 0
    for code in CODE.finditer(text):
        parts += [*_words(text[end : code.start()]), _span(code.group())]
        end = code.end()
    return "".join([*parts, *_words(text[end:])])


def _span(code: str) -> str:
    """Write a code span with as few backticks as it takes."""
    content = code.strip("`")
    if not content.strip():
        return content
    if "`" not in content:
        return f"`{content}`"
    inner = _RUN.sub(lambda run: "'" * len(run[0]), content.strip()).replace("``", "''")
    return f"`` {inner} ``"


def _words(text: str) -> Iterable[str]:
    end = 0
    for found in _ADDRESS.finditer(text):
        yield from (_plain(text[end : found.start()].rstrip("\\")), _address(found.group()))
        end = found.end()
    yield _plain(text[end:])


def _address(found: str) -> str:
    """Return a link that ends where its address does: Discord takes what follows for more of it."""
    bare = found.rstrip(_ADDRESS_END if "(" in found else f"{_ADDRESS_END})")
    return f"<{bare}>{_plain(found[len(bare) :])}"


def _plain(text: str) -> str:
    text = _ENTITY.sub(lambda entity: _ENTITIES[entity[0]], text).replace("`", "'")
    text = _BRACKETED.sub(r"\1", text)
    text = _UNDERLINE.sub(lambda held: f"**{held[1]}**" if " " in held[1] else held[0], text)
    text = _DUNDER.sub(r"\\_\\_", text)
    return _SPOILER.sub(r"\\|", text)
