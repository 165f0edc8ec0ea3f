"""An ONNX graph that grows node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

if TYPE_CHECKING:
    import onnx

OPSET = 20  # of onnxruntime 1.17 and later
_IR_VERSION = 9  # of the file that this opset came with
Operand = str | Tensor | np.ndarray | float | int | Sequence[int]


@dataclass
class Graph:
    """Values are names; what else an operation is given becomes a constant.

    >>> graph = Graph()
    >>> total = graph("Add", graph.input("x", (1, "samples")), 1.0)
    >>> graph.output("y", total, (1, "samples"))
    >>> [node[0] for node in graph.nodes]
    ['Add', 'Identity']

    Attributes:
        nodes: operation, inputs, outputs, attributes.
        constants: by name.
        inputs, outputs: shapes by name; all in single precision. A dimension with a name may have any size.
        exact: outputs of matrix products that stay in single precision where the others are quantised.
        prefix: of the names of values; a graph inside another needs one of its own.
        facts: what its user must know, for the notes in the file.
    """

    nodes: list[tuple[str, list[str], list[str], dict[str, Any]]] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: dict[str, tuple] = field(default_factory=dict)
    outputs: dict[str, tuple] = field(default_factory=dict)
    exact: list[str] = field(default_factory=list)
    prefix: str = ""
    facts: dict[str, int | str] = field(default_factory=dict)

    def input(self, name: str, shape: tuple[int | str, ...]) -> str:
        self.inputs[name] = shape
        return name

    def output(self, name: str, value: str, shape: tuple[int | str, ...]) -> None:
        self.nodes.append(("Identity", [value], [name], {}))
        self.outputs[name] = shape

    def several(self, count: int, operation: str, *operands: Operand, **attributes: Any) -> list[str]:
        """A node with ``count`` outputs."""
        names = [f"{self.prefix}{operation.lower()}_{len(self.nodes)}_{index}" for index in range(count)]
        self.nodes.append((operation, [self._name(operand) for operand in operands], names, attributes))
        return names

    def __call__(self, operation: str, *operands: Operand, **attributes: Any) -> str:
        """A node with one output; integers are indices and shapes (int64), other numbers are single precision."""
        return self.several(1, operation, *operands, **attributes)[0]

    def linear(self, value: str, layer: nn.Linear) -> str:
        return self("Add", self("MatMul", value, layer.weight.t()), layer.bias)

    def norm(self, value: str, layer: nn.LayerNorm) -> str:
        return self("LayerNormalization", value, layer.weight, layer.bias, axis=-1, epsilon=layer.eps)

    def reshape(self, value: str, *shape: int) -> str:
        return self("Reshape", value, shape)

    def part(self, value: str, begin: Operand, end: Operand, axis: int) -> str:
        """``value[begin:end]`` along an axis; None as the end is the end of the axis."""
        return self("Slice", value, begin, (np.iinfo(np.int64).max,) if end is None else end, (axis,))

    def join(self, *values: Operand, axis: int) -> str:
        return self("Concat", *values, axis=axis)

    def split(self, value: str, sizes: Sequence[int], axis: int) -> list[str]:
        return self.several(len(sizes), "Split", value, sizes, axis=axis)

    def size(self, value: str, axis: int) -> str:
        """Of a dimension, (1,)."""
        return self("Shape", value, start=axis, end=axis + 1)

    def exact_product(self, value: str, matrix: np.ndarray) -> str:
        self.exact.append(self("MatMul", value, matrix.astype(np.float32)))
        return self.exact[-1]

    def model(self) -> onnx.ModelProto:
        """The graph as a model.

        Raises:
            onnx.checker.ValidationError: if the graph is none.
        """
        import onnx

        opset = [onnx.helper.make_opsetid("", OPSET)]
        model = onnx.helper.make_model(self._proto("zspex"), opset_imports=opset, ir_version=_IR_VERSION)
        model.producer_name = "zspex_toolkit"
        onnx.checker.check_model(model, full_check=True)
        return model

    def _proto(self, name: str) -> onnx.GraphProto:
        from onnx import TensorProto, helper, numpy_helper

        nodes = []
        for operation, inputs, outputs, attributes in self.nodes:
            protos = {key: v._proto(key) if isinstance(v, Graph) else v for key, v in attributes.items()}
            nodes.append(helper.make_node(operation, inputs, outputs, name=outputs[0], **protos))
        inputs, outputs = (
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in ends.items()]
            for ends in (self.inputs, self.outputs)
        )
        constants = [numpy_helper.from_array(array, key) for key, array in self.constants.items()]
        return helper.make_graph(nodes, name, inputs, outputs, constants)

    def _name(self, operand: Operand) -> str:
        if isinstance(operand, str):
            return operand
        if isinstance(operand, Tensor):
            operand = operand.detach().cpu().float().numpy()
        array = np.asarray(operand)
        array = array.astype(np.int64 if array.dtype.kind == "i" or not array.size else np.float32)
        name = f"{self.prefix}constant_{len(self.constants)}"
        self.constants[name] = np.ascontiguousarray(array)
        return name
