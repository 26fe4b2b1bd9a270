"""Writes the ONNX graph of a trained network and the fixture against which the TypeScript inference is tested."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from features import CANDIDATES, CONTEXT, CONTEXT_FEATURES, HISTORY, HORIZON, LEVELS, PATCH, STATICS, WIDTH, features_of
from network import OUTPUTS, GlobalLstm, quantiles_of
from synthetic import synthetic_pool

# What onnxruntime-web has supported for years; the graph needs nothing newer.
OPSET = 17
IR_VERSION = 8
FIXTURE_SEED = 20
FIXTURE_LENGTHS = (48, 71, 100, 168, 191, 192, 250, 336, 337, 504, 700, 720)


class Graph:
    """Nodes and weights of an ONNX graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def constant(self, name: str, values: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def linear(self, layer: torch.nn.Linear, inputs: str, name: str) -> str:
        weight = self.constant(f"{name}.weight", layer.weight.detach().numpy().T)
        bias = self.constant(f"{name}.bias", layer.bias.detach().numpy())
        return self.add("Add", [self.add("MatMul", [inputs, weight], f"{name}.product"), bias], f"{name}.sum")

    def lstm(self, network: GlobalLstm, layer: int, inputs: str) -> str:
        """Time first in and out. PyTorch orders its gates input, forget, cell, output; ONNX input, output, forget, cell."""
        hidden = network.lstm.hidden_size

        def reordered(name: str) -> np.ndarray:
            i, f, g, o = getattr(network.lstm, f"{name}_l{layer}").detach().numpy().reshape(4, hidden, -1)
            return np.concatenate([i, o, f, g])[None]

        biases = np.concatenate([reordered("bias_ih"), reordered("bias_hh")], 1)[:, :, 0]
        names = [
            self.constant(f"lstm{layer}.W", reordered("weight_ih")),
            self.constant(f"lstm{layer}.R", reordered("weight_hh")),
            self.constant(f"lstm{layer}.B", biases),
        ]
        output = self.add("LSTM", [inputs, *names], f"lstm{layer}.states", hidden_size=hidden)
        return self.add("Squeeze", [output, self.constant(f"lstm{layer}.axis", np.array([1]))], f"lstm{layer}.out")


def hour_head(graph: Graph, network: GlobalLstm, seen: str) -> str:
    """What the head that is the same for every hour adds: [batch, days, PATCH, OUTPUTS]."""
    shape = graph.constant("hour_shape", np.array([-1, HORIZON // PATCH, PATCH, CANDIDATES]))
    candidates = graph.add("Reshape", ["horizon", shape], "hour_candidates")
    weight = graph.constant("hour_in.weight", network.hour_in.weight.detach().numpy().T)
    state = graph.linear(network.hour_state, seen, "hour_state")
    parts = [
        graph.add("MatMul", [candidates, weight], "hour_in"),
        graph.add("Unsqueeze", [state, graph.constant("axis2", np.array([2]))], "hour_of_day"),
        graph.constant("hour_place", network.hour_place.detach().numpy()[None]),
    ]
    first = graph.add("Relu", [graph.add("Sum", parts, "hour_sum")], "hour_first")
    second = graph.add("Relu", [graph.linear(network.hour_hidden, first, "hour_hidden")], "hour_second")
    return graph.linear(network.hour_out, second, "hour_out")


def onnx_model(network: GlobalLstm) -> onnx.ModelProto:
    """Inputs context, horizon and statics; output answer; a batch of any size."""
    graph = Graph()
    statics = graph.linear(network.statics_in, "statics", "statics_in")
    whole = graph.add("Unsqueeze", [statics, graph.constant("axis1", np.array([1]))], "whole")
    past = graph.add(
        "Relu",
        [graph.add("Add", [graph.linear(network.context_in, "context", "context_in"), whole], "past_sum")],
        "past",
    )
    placed = graph.add("Add", [whole, graph.constant("place", network.place.detach().numpy()[None])], "placed")
    ahead = graph.add(
        "Relu",
        [graph.add("Add", [graph.linear(network.horizon_in, "horizon", "horizon_in"), placed], "ahead_sum")],
        "ahead",
    )
    steps = graph.add("Concat", [past, ahead], "steps", axis=1)
    states = graph.add("Transpose", [steps], "by_time", perm=[1, 0, 2])
    for layer in range(network.lstm.num_layers):
        states = graph.lstm(network, layer, states)
    states = graph.add("Transpose", [states], "by_series", perm=[1, 0, 2])
    bounds = [
        graph.constant("from", np.array([CONTEXT // PATCH])),
        graph.constant("to", np.array([(CONTEXT + HORIZON) // PATCH])),
        "axis1",
    ]
    seen = graph.add("Concat", [graph.add("Slice", [states, *bounds], "states_ahead"), ahead], "seen", axis=2)
    hidden = graph.add("Relu", [graph.linear(network.head_in, seen, "head_in")], "head_hidden")
    by_hour = graph.constant("by_hour", np.array([-1, HORIZON, OUTPUTS]))
    of_days = graph.add("Reshape", [graph.linear(network.head_out, hidden, "head_out"), by_hour], "of_days")
    of_hours = graph.add("Reshape", [hour_head(graph, network, seen), by_hour], "of_hours")
    hours = graph.add("Add", [of_days, of_hours], "hours")
    prior = graph.linear(network.prior, "statics", "prior")
    padding = graph.constant("padding", np.array([0, 0, 0, OUTPUTS - CANDIDATES]))
    padded = graph.add("Unsqueeze", [graph.add("Pad", [prior, padding], "prior_padded"), "axis1"], "prior_hours")
    graph.add("Add", [hours, padded], "answer")

    def value(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    inputs = [
        value("context", CONTEXT // PATCH, PATCH * CONTEXT_FEATURES),
        value("horizon", HORIZON // PATCH, PATCH * CANDIDATES),
        value("statics", STATICS),
    ]
    made = helper.make_graph(graph.nodes, "global-lstm", inputs, [value("answer", HORIZON, OUTPUTS)], graph.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


@torch.no_grad()
def fixture(network: GlobalLstm) -> dict[str, object]:
    """Series of every length that matters, with their inputs of the network and the quantiles that PyTorch gives."""
    pool = synthetic_pool(FIXTURE_SEED, len(FIXTURE_LENGTHS), HISTORY)
    cases = []
    for length, series in zip(FIXTURE_LENGTHS, pool, strict=True):
        values = np.round(np.asarray(series[-length:], np.float64) * 20 + 50, 3)
        raw = torch.zeros(1, WIDTH, dtype=torch.float64)
        raw[0, WIDTH - length :] = torch.from_numpy(values)
        features = features_of(raw, torch.tensor([length]))
        answer = network(features.context.float(), features.horizon.float(), features.statics.float()).double()
        quantiles = quantiles_of(answer, features) * features.scale[:, None, None] + features.location[:, None, None]
        cases.append(
            {
                "values": values.tolist(),
                # Every 7th input is enough to show that all are computed alike, and keeps the file small.
                "context": np.round(features.context.flatten()[::7].numpy(), 6).tolist(),
                "horizon": np.round(features.horizon.flatten()[::7].numpy(), 6).tolist(),
                "statics": np.round(features.statics.flatten().numpy(), 6).tolist(),
                "scale": float(features.scale[0]),
                "quantiles": {
                    str(level): np.round(quantiles[0, :, index].numpy(), 6).tolist()
                    for index, level in enumerate(LEVELS)
                },
            }
        )
    return {"seed": FIXTURE_SEED, "cases": cases}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--fixture", type=Path, required=True)
    args = parser.parse_args()
    state = torch.load(args.checkpoint)
    arguments = state["arguments"]
    network = GlobalLstm(arguments["hidden"], arguments["layers"], arguments["embedding"]).eval()
    network.load_state_dict(state["weights"])
    args.onnx.write_bytes(onnx_model(network).SerializeToString(deterministic=True))
    args.fixture.write_text(json.dumps(fixture(network), separators=(",", ":")) + "\n", encoding="utf-8")
    print(
        json.dumps({"bytes": args.onnx.stat().st_size, "parameters": state["parameters"], "last": state["history"][-1]})
    )


if __name__ == "__main__":
    main()
