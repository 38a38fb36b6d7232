"""Writes ONNX models: a protobuf message, and a graph that grows node by node.

Field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
Large tensors are kept by reference until they are written, so that building takes little memory.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONTRIB = "com.microsoft"  # onnxruntime's own, fused operators
FLOAT, INT8, INT32, INT64 = 1, 3, 6, 7
_IR_VERSION = 9
_OPSET = 18
_ELEMENT = {
    np.dtype(np.float32): FLOAT,
    np.dtype(np.int8): INT8,
    np.dtype(np.int32): INT32,
    np.dtype(np.int64): INT64,
}
_VARINT, _BYTES, _FIXED32 = 0, 2, 5

Attribute = int | float | Sequence[int]


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


class Message:
    """A protobuf message under construction; every method returns the message itself."""

    __slots__ = ("parts", "size")

    def __init__(self) -> None:
        self.parts: list[bytes | memoryview] = []
        self.size = 0

    def integer(self, field: int, number: int) -> Message:
        """Append a varint field."""
        return self._append(_varint(field << 3 | _VARINT) + _varint(number))

    def real(self, field: int, number: float) -> Message:
        """Append a 32-bit float field."""
        return self._append(_varint(field << 3 | _FIXED32) + struct.pack("<f", number))

    def text(self, field: int, text: str) -> Message:
        """Append a string field."""
        return self.data(field, text.encode())

    def data(self, field: int, data: bytes | memoryview) -> Message:
        """Append a bytes field; the bytes are not copied."""
        self._append(_varint(field << 3 | _BYTES) + _varint(len(data)))
        return self._append(data)

    def message(self, field: int, message: Message) -> Message:
        """Append a message as a field."""
        self._append(_varint(field << 3 | _BYTES) + _varint(message.size))
        self.parts += message.parts
        self.size += message.size
        return self

    def _append(self, data: bytes | memoryview) -> Message:
        self.parts.append(data)
        self.size += len(data)
        return self


class Graph:
    """An ONNX graph: values are known by name, and every method that makes one returns its name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Message] = []
        self._constants: list[Message] = []
        self._inputs: list[Message] = []
        self._outputs: list[Message] = []

    def input(self, name: str, element: int, shape: Sequence[int | str]) -> str:
        """Declare an input; a dimension that is a string may take any size."""
        self._inputs.append(_value(name, element, shape))
        return name

    def output(self, name: str, element: int, shape: Sequence[int | str]) -> None:
        """Declare a value of the graph as an output."""
        self._outputs.append(_value(name, element, shape))

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Store an array in the graph."""
        array = np.ascontiguousarray(array)
        tensor = Message()
        for size in array.shape:
            tensor.integer(1, size)
        tensor.integer(2, _ELEMENT[array.dtype]).text(8, name)
        self._constants.append(tensor.data(9, array.reshape(-1).view(np.uint8).data))
        return name

    def node(
        self, operator: str, inputs: Sequence[str], *, to: str = "", domain: str = "", **attributes: Attribute
    ) -> str:
        """Add an operator with one result, which is called `to` or gets a name of its own."""
        return self.nodes(operator, inputs, to=[to or f"v{len(self._nodes)}"], domain=domain, **attributes)[0]

    def nodes(
        self,
        operator: str,
        inputs: Sequence[str],
        *,
        to: Sequence[str],
        domain: str = "",
        **attributes: Attribute,
    ) -> Sequence[str]:
        """Add an operator with several results. An empty input name leaves an optional input out."""
        node = Message()
        for name in inputs:
            node.text(1, name)
        for name in to:
            node.text(2, name)
        node.text(3, f"n{len(self._nodes)}").text(4, operator)
        for name, value in attributes.items():
            node.message(5, _attribute(name, value))
        self._nodes.append(node.text(7, domain) if domain else node)
        return to

    def model(self, producer: str) -> Message:
        """Return the finished model."""
        graph = Message()
        for node in self._nodes:
            graph.message(1, node)
        graph.text(2, self._name)
        for field, values in ((5, self._constants), (11, self._inputs), (12, self._outputs)):
            for value in values:
                graph.message(field, value)
        model = Message().integer(1, _IR_VERSION).text(2, producer).message(7, graph)
        for domain, version in (("", _OPSET), (CONTRIB, 1)):
            model.message(8, Message().text(1, domain).integer(2, version))
        return model


def _attribute(name: str, value: Attribute) -> Message:
    attribute = Message().text(1, name)
    if isinstance(value, float):
        return attribute.real(2, value).integer(20, 1)
    if isinstance(value, int):
        return attribute.integer(3, value).integer(20, 2)
    for item in value:
        attribute.integer(8, item)
    return attribute.integer(20, 7)


def _value(name: str, element: int, shape: Sequence[int | str]) -> Message:
    dimensions = Message()
    for size in shape:
        dimension = Message().text(2, size) if isinstance(size, str) else Message().integer(1, size)
        dimensions.message(1, dimension)
    tensor = Message().integer(1, element).message(2, dimensions)
    return Message().text(1, name).message(2, Message().message(1, tensor))
