"""A graph computes what its nodes say."""

import numpy as np
import pytest
import torch
from torch import nn

from zspex_toolkit.export.graph import Graph

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def run(graph, **inputs):
    session = onnxruntime.InferenceSession(graph.model().SerializeToString())
    return session.run(None, {name: np.asarray(value, np.float32) for name, value in inputs.items()})


def test_numbers_become_constants():
    graph = Graph()
    graph.output("y", graph("Mul", graph("Add", graph.input("x", (2,)), 1.0), torch.tensor([2.0, 3.0])), (2,))
    assert run(graph, x=[1, 2])[0].tolist() == [4, 9]


def test_layers_are_those_of_torch():
    torch.manual_seed(0)
    linear, norm = nn.Linear(3, 4), nn.LayerNorm(4)
    graph = Graph()
    graph.output("y", graph.norm(graph.linear(graph.input("x", ("rows", 3)), linear), norm), ("rows", 4))
    x = torch.randn(5, 3)
    assert np.allclose(run(graph, x=x.numpy())[0], norm(linear(x)).detach().numpy(), atol=1e-5)


def test_parts_joins_splits_and_sizes_are_those_of_arrays():
    graph = Graph()
    x = graph.input("x", ("rows", 4))
    first, second = graph.split(x, (1, 3), 1)
    graph.output("joined", graph.join(second, first, axis=1), ("rows", 4))
    graph.output("part", graph.part(x, (1,), None, 0), ("fewer", 4))
    graph.output("repeated", graph("Expand", 1.0, graph.size(x, 0)), ("rows",))
    values = np.arange(12.0).reshape(3, 4)
    joined, part, repeated = run(graph, x=values)
    assert (joined == values[:, [1, 2, 3, 0]]).all() and (part == values[1:]).all()
    assert repeated.tolist() == [1, 1, 1]


def test_a_graph_inside_another_takes_its_steps():
    body = Graph(prefix="step_")
    total = body("Add", body.input("step_before", (1,)), body.input("step_new", (1,)))
    body.output("step_after", total, (1,))
    body.output("step_seen", total, (1,))
    graph = Graph()
    last, sums = graph.several(2, "Scan", np.zeros(1), graph.input("x", ("steps", 1)), body=body, num_scan_inputs=1)
    graph.output("last", last, (1,))
    graph.output("sums", sums, ("steps", 1))
    last, sums = run(graph, x=[[1], [2], [4]])
    assert last.tolist() == [7] and sums.ravel().tolist() == [1, 3, 7]


def test_exact_products_are_noted_by_the_names_of_their_nodes():
    graph = Graph()
    graph.output("y", graph.exact_product(graph.input("x", (1, 2)), np.array([[1.0], [2.0]])), (1, 1))
    assert run(graph, x=[[3, 4]])[0] == 11
    assert [node.name for node in graph.model().graph.node if node.op_type == "MatMul"] == graph.exact
