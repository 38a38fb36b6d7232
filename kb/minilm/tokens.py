"""Word pieces: how the model cuts text. Nothing here needs onnxruntime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kb.minilm.weights import model_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LIMIT = 256  # pieces, [CLS] and [SEP] included: what the model was trained on
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")  # BERT's own first cut: words, and marks one by one
_KNOWN_WORDS, _KNOWN_LENGTH = 100_000, 32
_SURROGATE = re.compile("[\ud800-\udfff]")


def open_tokenizer(*, truncate: bool) -> Tokenizer:
    """Load the model's tokenizer, which never pads and cuts at LIMIT pieces if asked to."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    # A document that says "[SEP]" means the word.
    tokenizer.encode_special_tokens = True
    tokenizer.no_padding()
    # The file itself switches padding and truncation at 128 on.
    if truncate:
        tokenizer.enable_truncation(LIMIT)
    else:
        tokenizer.no_truncation()
    return tokenizer


def encodable(text: str) -> str:
    """Return the text with lone surrogates replaced, one character for one."""
    return _SURROGATE.sub("\ufffd", text)


class WordPieces:
    """Counts and locates word pieces of text of any length; [CLS] and [SEP] are left out."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, int] = {}

    @classmethod
    def load(cls) -> WordPieces:
        """Load the tokenizer; raise EmbeddingError when the model is not installed."""
        return cls(open_tokenizer(truncate=False))

    def count(self, text: str) -> int:
        """Return how many pieces the text has, word by word.

        Documents repeat their words, so a table of counted words is several times as fast as cutting the
        text anew. At control characters and at accents that stand apart from their letter it may differ
        from the model by a piece.
        """
        known = self._known
        total = 0
        for word in _WORD.findall(text):
            size = known.get(word)
            total += self._count_word(word) if size is None else size
        return total

    def _count_word(self, word: str) -> int:
        size = len(self._tokenizer.encode(encodable(word), add_special_tokens=False))
        if len(self._known) < _KNOWN_WORDS and len(word) <= _KNOWN_LENGTH:
            self._known[word] = size
        return size

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return each piece's characters as (start, end), in order."""
        return list(self._tokenizer.encode(encodable(text), add_special_tokens=False).offsets)
