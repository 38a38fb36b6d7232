"""Finds replies that say nearly the same as an earlier one. Needs the extra `persona`."""

from __future__ import annotations

import re
import zlib

_WORD = re.compile(r"\w+")
_PERMUTATIONS = 64
ALIKE = 0.8  # of the shingles of two texts are the same
_SHINGLE = 3


class Repeats:
    """Remembers texts; those of fewer words than a shingle only repeat when they are equal."""

    def __init__(self) -> None:
        from datasketch import MinHash, MinHashLSH

        self._empty = MinHash(num_perm=_PERMUTATIONS, hashfunc=zlib.crc32)
        self._near = MinHashLSH(threshold=ALIKE, num_perm=_PERMUTATIONS)
        self._same: set[str] = set()

    def seen(self, text: str) -> bool:
        """Say whether the like of a text was remembered, whatever its case, marks and spaces."""
        plain = plain_words(text)
        if " ".join(plain) in self._same:
            return True
        return bool(len(plain) > _SHINGLE and self._near.query(self._hash(plain)))

    def add(self, text: str) -> bool:
        """Remember a text unless its like was remembered; say whether it is new."""
        plain = plain_words(text)
        joined = " ".join(plain)
        if joined in self._same:
            return False
        if len(plain) > _SHINGLE:
            hashed = self._hash(plain)
            if self._near.query(hashed):
                return False
            self._near.insert(len(self._same), hashed, check_duplication=False)
        self._same.add(joined)
        return True

    def _hash(self, words: list[str]) -> object:
        shingles = {" ".join(words[at : at + _SHINGLE]).encode() for at in range(len(words) - _SHINGLE + 1)}
        hashed = self._empty.copy()  # its permutations are slow to make
        hashed.update_batch(sorted(shingles))
        return hashed


def plain_words(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    return _WORD.findall(text.casefold())
