"""Whether a word that begins a sentence is an ordinary one: told by where the embedding model keeps it.

The vocabulary that comes with the model holds ordinary words and common names alike, but their vectors lie
apart: of 212 words, 1.4 % fell on the wrong side of a plane drawn through the others. Some hundred rows are
read where they lie; no model is loaded, and nothing is read before a word is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kb.errors import EmbeddingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VECTORS = "embeddings.word_embeddings.weight"
_MARGIN = 0.02  # an ordinary word lies this far from the names
_NAMES_TEXT = """
    john paul anna peter james michael david maria sarah lisa karen thomas marcus emma laura kevin brian
    elena carlos ahmed ali ivan chen wang schmidt muller garcia lopez smith johnson microsoft google
    oracle linux python amazon java facebook twitter ibm george robert susan hannah olivia nina pavel
    omar fatima diego rosa victor martin simon alice bob carol dan frank ray harry lucy sophie helen
    ruth joan jean nancy betty sandra boris hugo felix leo kim lee singh kumar tanaka suzuki novak
    kowalski nokia siemens adobe intel cisco samsung sony honda mozilla wikipedia debian ubuntu unix
    nasa firefox oscar
"""
_WORDS_TEXT = """
    table price meeting report golden top lunch shift office permission photography unbelievable request
    leave storage network badge alarm running quick heavy clean working visitors classic lucky honest
    music physics gardening traffic cooking fishing banking weather tea security copper rice gold
    parking smoking overtime catering glory magic morning evening vacation holiday salary insurance
    housing heating cycling swimming charity poetry history chemistry silence patience welcome beautiful
    wonderful incredible scenes coffee breakfast laundry water electricity gas furniture gossip jewelry
    clothing equipment software hardware luggage mail post help advice nature justice courage loyalty
    deadline folks listen remember question answer students champion victory sweet dear precious ancient
    noble gentle remarkable next tonight
"""
# Names that are words too: what stands around them has to tell.
_BOTH_TEXT = """
    slack windows chrome edge safari word excel teams zoom notion outlook docker android rust go swift
    ruby rails spring express puppet chef salt vault consul nomad signal discord telegram linear jack
    rose mark grace max hope faith will bill rob pat drew may june april august dawn joy ivy lily iris
    daisy olive ginger amber pearl crystal summer autumn chase hunter mason carter parker cooper miller
    baker taylor cook king bishop page young brown white black green gray grey long rich frank gene glen
    dale cliff reed wade ward west north stone wood woods fields brooks banks park hill forest harbor
    falcon phoenix atlas apollo mercury orion titan eagle delta alpha beta gamma omega sigma apple
    oracle meta shell target visa ford dell orange
"""
_BOTH = frozenset(_BOTH_TEXT.split())


@dataclass(frozen=True, slots=True)
class _Plane:
    """The vocabulary, its vectors, and the plane between names and words."""

    rows: dict[str, int]
    vectors: NDArray[Any]
    towards: NDArray[Any]
    middle: float

    def score(self, word: str) -> float:
        """Return how far on the side of the names a word of the vocabulary lies."""
        return float(_unit(self.vectors[self.rows[word]]) @ self.towards) - self.middle


@lru_cache(maxsize=1)
def _plane() -> _Plane | None:
    """Return the plane; None when the model is not installed."""
    from kb.minilm.weights import Weights, model_folder

    try:
        folder = model_folder()
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        vectors = Weights(folder / "model.safetensors")[_VECTORS]
    except (EmbeddingError, OSError):
        return None
    rows = {word: row for row, word in enumerate(lines) if word.isalpha()}

    def middle(text: str) -> NDArray[Any]:
        found = [_unit(vectors[rows[word]]) for word in text.split() if word in rows]
        total: NDArray[Any] = sum(found[1:], start=found[0])
        return total / len(found)

    names, words = middle(_NAMES_TEXT), middle(_WORDS_TEXT)
    towards = names - words
    return _Plane(rows, vectors, towards, float((names + words) @ towards) / 2)


def _unit(vector: NDArray[Any]) -> NDArray[Any]:
    unit: NDArray[Any] = vector / float(vector @ vector) ** 0.5
    return unit


def known_word(word: str) -> bool:
    """Tell whether a word, in small letters, is in the vocabulary, as common first names are too."""
    plane = _plane()
    return plane is not None and word in plane.rows


@lru_cache(maxsize=65_536)
def plain_word(word: str) -> bool:
    """Tell whether a word, in small letters, is an ordinary one: "unbelievable", and not "marcus"."""
    plane = _plane()
    if plane is None or word in _BOTH or word not in plane.rows:
        return False
    return plane.score(word) < -_MARGIN


def first_name(word: str) -> bool:
    """Tell whether a word, in small letters, is a name without doubt: "marcus" is no plural."""
    plane = _plane()
    return plane is not None and word in plane.rows and plane.score(word) > _MARGIN
