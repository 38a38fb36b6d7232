"""Reads the members of a JSON array one by one, however long the array is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from bot.persona_data.errors import ExportUnreadable

_PIECE = 1 << 18
LONGEST_MEMBER = 16_000_000
_SPACE = " \t\r\n"
_DECODER = json.JSONDecoder()


class JsonStream:
    """Reads one JSON text from a stream, value by value. `name` is what an error calls it.

    Raises ExportUnreadable for what is no JSON, is cut off, or has a value that is longer than any message.
    """

    def __init__(self, stream: IO[str], name: str) -> None:
        self._stream = stream
        self._name = name
        self._held = ""
        self._at = 0
        self._ended = False

    def members(self) -> Iterator[tuple[str, Any]]:
        """Yield the keys and values of the object that stands here; an array's value is what `items` yields.

        The caller must read an array to its end before it goes on.
        """
        self._take("{")
        if self._peek() == "}":
            return
        while True:
            key = self._value()
            self._take(":")
            yield str(key), (None if self._peek() == "[" else self._value())
            if self._take(",}") == "}":
                return

    def items(self) -> Iterator[Any]:
        """Yield the members of the array that stands here."""
        self._take("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            if self._take(",]") == "]":
                return

    @property
    def is_array(self) -> bool:
        """Say whether an array stands here."""
        return self._peek() == "["

    def _peek(self) -> str:
        while True:
            held, at = self._held, self._at
            while at < len(held) and held[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(held):
                return held[at]
            if not self._more():
                raise self._broken("it ends too early")

    def _take(self, wanted: str) -> str:
        found = self._peek()
        if found not in wanted:
            raise self._broken(f"{found!r} stands where one of {wanted!r} belongs")
        self._at += 1
        return found

    def _value(self) -> Any:  # noqa: ANN401 - any JSON
        self._peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:
                if not self._more():
                    raise self._broken("a value is broken or cut off") from error
                continue
            if end == len(self._held) and self._more():
                continue  # a number may go on
            self._at = end
            return value

    def _more(self) -> bool:
        """Read on; False at the end."""
        left = len(self._held) - self._at
        if left > LONGEST_MEMBER:
            raise self._broken("a value is broken, or longer than any message")
        try:
            # Doubled with what is held: a long value is then not decoded again for each small piece.
            piece = "" if self._ended else self._stream.read(max(_PIECE, left))
        except UnicodeDecodeError as error:
            raise self._broken("it is not UTF-8 text") from error
        self._ended = not piece
        self._held = self._held[self._at :] + piece
        self._at = 0
        return bool(piece)

    def _broken(self, what: str) -> ExportUnreadable:
        return ExportUnreadable(f"{self._name!r} is no JSON export: {what}. Export it again.")
