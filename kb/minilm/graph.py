"""The network of all-MiniLM-L6-v2 as an ONNX graph: a 6-layer BERT, mean pooling, unit length.

Texts go through one at a time, so there is no padding and no attention mask. In int8 the weights of
each output channel have their own scale, and activations are quantised as they come.
https://arxiv.org/abs/1810.04805 names the parts.

Of onnxruntime's fused operators SkipLayerNormalization and BiasGelu are left out: on a CPU they take
four times as long as the operators that they fuse (onnxruntime 1.31, AVX-512).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.minilm.onnx import CONTRIB, FLOAT, INT32, Graph, Message
from kb.minilm.weights import Weights

VERSION = 1  # raise it whenever the vectors change
DIMENSION = 384
INPUT = "input_ids"  # int32 (1, n), with [CLS] and [SEP]
OUTPUTS = ("vector", "words")  # float32 (1, 384) and (1, n, 384), all rows of unit length

_LAYERS = 6
_HEADS = 12
_EPSILON = 1e-12
# A uint8 × int8 product pair overflows 16 bits on CPUs without VNNI unless weights stay within 7 bits.
_LARGEST = 63

Array = NDArray[Any]


def build(weights: Weights, *, quantised: bool) -> Message:
    """Return the finished ONNX model."""
    return _Network(weights, quantised=quantised).model()


class _Network:
    """Adds the network's parts to one graph; each method returns the name of its result."""

    def __init__(self, weights: Weights, *, quantised: bool) -> None:
        self._weights = weights
        self._quantised = quantised
        self._graph = Graph("minilm")

    def model(self) -> Message:
        graph = self._graph
        hidden = self._embeddings(graph.input(INPUT, INT32, (1, "n")))
        for layer in range(_LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden)
        pooled = graph.node("ReduceMean", [hidden, graph.constant("axis", np.array([1]))], keepdims=0)
        for value, name in zip((pooled, hidden), OUTPUTS, strict=True):
            graph.node("LpNormalization", [value], to=name, axis=-1, p=2)
        graph.output("vector", FLOAT, (1, DIMENSION))
        graph.output("words", FLOAT, (1, "n", DIMENSION))
        return graph.model("lorekeeper")

    def _embeddings(self, pieces: str) -> str:
        """Sum word, position and type embeddings; every piece has type 0, so that joins the positions."""
        part = "embeddings"
        types = self._weights[f"{part}.token_type_embeddings.weight"]
        positions = self._weights[f"{part}.position_embeddings.weight"] + types[0]
        tables = (
            self._constant(f"{part}.word_embeddings.weight"),
            self._graph.constant(f"{part}.positions", positions),
        )
        inputs = [pieces, "", *tables, "", *self._norm(part)]
        results = ("embedded", "unused_mask")
        return self._graph.nodes(
            "EmbedLayerNormalization", inputs, to=results, domain=CONTRIB, epsilon=_EPSILON
        )[0]

    def _layer(self, layer: str, hidden: str) -> str:
        attended = self._attention(f"{layer}.attention.self", hidden)
        hidden = self._close(f"{layer}.attention.output", attended, hidden)
        wide = self._graph.node("Gelu", [self._matmul(f"{layer}.intermediate.dense", hidden)], domain=CONTRIB)
        return self._close(f"{layer}.output", wide, hidden)

    def _attention(self, part: str, hidden: str) -> str:
        """Project to queries, keys and values in one product, then attend."""
        sides = [f"{part}.{side}" for side in ("query", "key", "value")]
        weight = np.concatenate([self._weights[f"{side}.weight"] for side in sides])
        bias = np.concatenate([self._weights[f"{side}.bias"] for side in sides])
        projected = self._product(part, hidden, weight, bias)
        split = self._graph.nodes("Split", [projected], to=sides, axis=2, num_outputs=len(sides))
        return self._graph.node("MultiHeadAttention", split, domain=CONTRIB, num_heads=_HEADS)

    def _close(self, part: str, result: str, residual: str) -> str:
        """Project a sub-layer's result, add its input and normalise."""
        total = self._graph.node("Add", [self._matmul(f"{part}.dense", result), residual])
        return self._graph.node("LayerNormalization", [total, *self._norm(part)], axis=-1, epsilon=_EPSILON)

    def _norm(self, part: str) -> list[str]:
        return [self._constant(f"{part}.LayerNorm.{name}") for name in ("weight", "bias")]

    def _constant(self, name: str) -> str:
        return self._graph.constant(name, self._weights[name])

    def _matmul(self, part: str, values: str) -> str:
        weight, bias = (self._weights[f"{part}.{name}"] for name in ("weight", "bias"))
        return self._product(part, values, weight, bias)

    def _product(self, part: str, values: str, weight: Array, bias: Array) -> str:
        """Multiply by a weight stored as (outputs, inputs) and add the bias."""
        graph = self._graph
        offset = graph.constant(f"{part}.offset", bias)
        if self._quantised:
            numbers, scale = quantise(weight.T)
            constants = graph.constant(f"{part}.int8", numbers), graph.constant(f"{part}.scale", scale)
            return graph.node("DynamicQuantizeMatMul", [values, *constants, "", offset], domain=CONTRIB)
        product = graph.node("MatMul", [values, graph.constant(f"{part}.float", weight.T)])
        return graph.node("Add", [product, offset])


def quantise(weight: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix (inputs, outputs) as int8 with one scale a column."""
    largest = np.abs(weight).max(axis=0)
    scale = (np.where(largest == 0, 1, largest) / _LARGEST).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale
