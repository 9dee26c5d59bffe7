"""A GGUF file of the Llama architecture as an ONNX graph with 8-bit weights that scores tokens under any mask.

The graph reads `ids`, `positions` and `mask` of S new tokens beside the keys and values of P earlier ones. It gives their keys
and values, and for Q pairs `asked` of one of R `rows` (new tokens) and a token the log-probability that this token comes next.
A mask that shows every token its own ancestors alone reads a tree of continuations at once.

Shapes: ids, positions (S,) int64; mask (S, P + S) float32, added to the scores: 0 where a row sees a column; keys.N, values.N,
and fresh_keys.N, fresh_values.N of layer N (kv heads, P or S, head size) float32; rows (R,) and asked (Q, 2)
int64; logp (Q,) float32.
Llama: Touvron et al. (2023); rotary positions: Su et al. (2021); grouped queries: Ainslie et al. (2023). Weights are kept in
blocks of 64 along the input with one scale each, symmetric around 128 (MatMulNBits of ONNX Runtime).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pipeline.errors import Malformed

Floats = NDArray[np.float32]
BLOCK = 64
# Positions that have a rotation: all that the model was trained on, and no more than fit into memory many times over.
MOST_POSITIONS = 8192
OPSET, MICROSOFT = 21, "com.microsoft"
# Multiplying in 8-bit integers.
ACCURACY = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model, as its file gives them."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    positions: int
    epsilon: float
    base: float

    @property
    def head(self) -> int:
        """Size of one head."""
        return self.width // self.heads


def convert(source: Path, target: Path) -> None:
    """Write the graph of a GGUF file, with the vocabulary in its metadata. Raises Malformed for a file of another kind."""
    try:
        reader = gguf.GGUFReader(source)
        fields = {name: field.contents() for name, field in reader.fields.items()}
        tensors = {tensor.name: tensor for tensor in reader.tensors}
        shape = _shape(fields)
        vocabulary, merges = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.merges"]
        graph = _Graph(shape)
        graph.build({name: gguf.dequantize(tensor.data, tensor.tensor_type) for name, tensor in tensors.items()})
    except (ValueError, KeyError, IndexError, TypeError, ZeroDivisionError, NotImplementedError) as error:
        raise Malformed(f"{source.name} is no GGUF file of a Llama model: {error!r}.") from error
    model = graph.model()
    helper.set_model_props(
        model,
        {
            "vocabulary": json.dumps(vocabulary, ensure_ascii=False),
            "merges": json.dumps(merges, ensure_ascii=False),
            "opening": str(vocabulary.index("<|endoftext|>")),
            "shape": json.dumps([shape.layers, shape.kv_heads, shape.head, shape.positions]),
        },
    )
    target.write_bytes(model.SerializeToString())


def _shape(fields: dict[str, Any]) -> Shape:
    if fields["general.architecture"] != "llama" or fields["tokenizer.ggml.model"] != "gpt2":
        raise ValueError(f"architecture {fields['general.architecture']}, tokenizer {fields['tokenizer.ggml.model']}")
    shape = Shape(
        layers=int(fields["llama.block_count"]),
        width=int(fields["llama.embedding_length"]),
        heads=int(fields["llama.attention.head_count"]),
        kv_heads=int(fields["llama.attention.head_count_kv"]),
        positions=min(MOST_POSITIONS, int(fields["llama.context_length"])),
        epsilon=float(fields["llama.attention.layer_norm_rms_epsilon"]),
        base=float(fields["llama.rope.freq_base"]),
    )
    if shape.width % shape.heads or shape.heads % shape.kv_heads or shape.head % 2:
        raise ValueError(f"{shape.heads} heads ({shape.kv_heads} of keys) in a width of {shape.width}")
    return shape


def quantize(weights: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """Rows of weights (N, K) as 8-bit blocks (N, K / 64, 64) and their scales (N, K / 64); K a multiple of 64."""
    blocks = weights.astype(np.float32).reshape(len(weights), -1, BLOCK)
    scales = np.abs(blocks).max(axis=2) / np.float32(127)
    steps = np.where(scales > 0, scales, 1)[:, :, None]
    return (np.rint(blocks / steps) + 128).astype(np.uint8), scales


class _Graph:
    """The graph while it is put together: nodes in order, and the weights that they name."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self.inputs = [
            _value("ids", TensorProto.INT64, ["S"]),
            _value("positions", TensorProto.INT64, ["S"]),
            _value("mask", TensorProto.FLOAT, ["S", "T"]),
            _value("rows", TensorProto.INT64, ["R"]),
            _value("asked", TensorProto.INT64, ["Q", 2]),
        ]
        self.outputs = [_value("logp", TensorProto.FLOAT, ["Q"])]

    def model(self) -> onnx.ModelProto:
        """The finished model."""
        graph = helper.make_graph(self.nodes, "scores", self.inputs, self.outputs, list(self.weights.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="wirecopy")

    def build(self, tensors: dict[str, Floats]) -> None:
        """Add every node from the tokens' numbers to the log-probabilities."""
        shape = self.shape
        self.rotations()
        table = self.stored("embedding", tensors["token_embd.weight"])
        head = self.stored("output", tensors["output.weight"]) if "output.weight" in tensors else table
        stream, branch = self.embedded(table), ""
        for layer in range(shape.layers):
            own = {name.split(".", 2)[2]: values for name, values in tensors.items() if name.startswith(f"blk.{layer}.")}
            normed, stream = self.normed(stream, branch, own["attn_norm.weight"], f"{layer}.attention_norm")
            branch = self.attention(normed, own, layer)
            normed, stream = self.normed(stream, branch, own["ffn_norm.weight"], f"{layer}.forward_norm")
            branch = self.feed_forward(normed, own, layer)
        normed, _ = self.normed(stream, branch, tensors["output_norm.weight"], "output_norm")
        scored = self.product(self.op("Gather", normed, "rows", axis=1), head)
        shares = self.op("LogSoftmax", self.op("Squeeze", scored, self.ints(0)), axis=-1)
        self.op("GatherND", shares, "asked", named="logp")

    def embedded(self, table: tuple[str, int, int]) -> str:
        """The rows of the table that the ids name, shape (1, S, width)."""
        name, _, width = table
        blocks = self.op("Cast", self.op("Gather", f"{name}.blocks", "ids"), to=TensorProto.FLOAT)
        centred = self.op("Sub", blocks, self.constant("middle", np.array(128, np.float32)))
        scales = self.op("Unsqueeze", self.op("Gather", f"{name}.scales", "ids"), self.ints(-1))
        return self.op("Reshape", self.op("Mul", centred, scales), self.ints(1, -1, width))

    def rotations(self) -> None:
        """Cosines and sines of every position, half a head wide."""
        head = self.shape.head
        turns = self.shape.base ** (-np.arange(0, head, 2, dtype=np.float64) / head)
        angles = np.arange(self.shape.positions)[:, None] * turns
        self.constant("cosines", np.cos(angles).astype(np.float32))
        self.constant("sines", np.sin(angles).astype(np.float32))

    def normed(self, stream: str, branch: str, weight: Floats, name: str) -> tuple[str, str]:
        """(stream + branch by its root mean square, stream + branch)."""
        scale, epsilon = self.constant(name, weight.astype(np.float32)), self.shape.epsilon
        if not branch:
            return self.op("SimplifiedLayerNormalization", stream, scale, axis=-1, epsilon=epsilon), stream
        outputs = [f"{name}.out", "", "", f"{name}.sum"]
        self.nodes.append(
            helper.make_node(
                "SkipSimplifiedLayerNormalization", [stream, branch, scale], outputs, domain=MICROSOFT, epsilon=epsilon
            )
        )
        return outputs[0], outputs[3]

    def attention(self, normed: str, own: dict[str, Floats], layer: int) -> str:
        """What the heads of a layer find in the columns that the mask leaves to each row."""
        shape = self.shape
        joined = np.concatenate([own[f"attn_{part}.weight"] for part in "qkv"])
        both = self.product(normed, self.stored(f"{layer}.attention", joined))
        sizes = self.ints(shape.width, *[shape.kv_heads * shape.head] * 2)
        queries, keys, values = self.split(both, sizes, 3)
        group = shape.heads // shape.kv_heads
        queries = self.op(
            "Reshape", self.by_head(self.rotated(queries), shape.heads), self.ints(shape.kv_heads, -1, shape.head)
        )
        keys = self.kept(self.by_head(self.rotated(keys), shape.kv_heads), "keys", layer)
        values = self.kept(self.by_head(values, shape.kv_heads), "values", layer)
        scores = self.op("FusedMatMul", queries, keys, domain=MICROSOFT, transB=1, alpha=shape.head**-0.5)
        rows = self.op("Shape", "mask", start=0, end=1)
        columns = self.op("Shape", "mask", start=1, end=2)
        split = self.op("Concat", self.ints(shape.kv_heads, group), rows, columns, axis=0)
        seen = self.op("Softmax", self.op("Add", self.op("Reshape", scores, split), "mask"), axis=-1)
        folded = self.op("Concat", self.ints(shape.kv_heads, -1), columns, axis=0)
        found = self.op("MatMul", self.op("Reshape", seen, folded), values)
        heads = self.op("Reshape", found, self.op("Concat", self.ints(shape.heads), rows, self.ints(shape.head), axis=0))
        wide = self.op("Reshape", self.op("Transpose", heads, perm=[1, 0, 2]), self.ints(1, -1, shape.width))
        return self.product(wide, self.stored(f"{layer}.attention_out", own["attn_output.weight"]))

    def rotated(self, tensor: str) -> str:
        """The tensor turned by the tokens' positions; a GGUF file has the two halves of each turn side by side."""
        positions = self.op("Unsqueeze", "positions", self.ints(0))
        return self.op("RotaryEmbedding", tensor, positions, "cosines", "sines", domain=MICROSOFT, interleaved=1)

    def by_head(self, tensor: str, heads: int) -> str:
        """(1, S, heads * size) as (heads, S, size)."""
        return self.op("Transpose", self.op("Reshape", tensor, self.ints(-1, heads, self.shape.head)), perm=[1, 0, 2])

    def kept(self, fresh: str, what: str, layer: int) -> str:
        """The earlier tokens' part and the new ones', which are put out."""
        earlier = f"{what}.{layer}"
        self.inputs.append(_value(earlier, TensorProto.FLOAT, [self.shape.kv_heads, "P", self.shape.head]))
        self.outputs.append(_value(f"fresh_{earlier}", TensorProto.FLOAT, [self.shape.kv_heads, "S", self.shape.head]))
        self.op("Identity", fresh, named=f"fresh_{earlier}")
        return self.op("Concat", earlier, fresh, axis=1)

    def feed_forward(self, normed: str, own: dict[str, Floats], layer: int) -> str:
        """The gated layer (SwiGLU)."""
        size = len(own["ffn_gate.weight"])
        joined = self.stored(f"{layer}.forward", np.concatenate([own["ffn_gate.weight"], own["ffn_up.weight"]]))
        gate, up = self.split(self.product(normed, joined), self.ints(size, size), 2)
        gated = self.op("Mul", self.op("QuickGelu", gate, domain=MICROSOFT, alpha=1.0), up)
        return self.product(gated, self.stored(f"{layer}.forward_out", own["ffn_down.weight"]))

    def stored(self, name: str, weights: Floats) -> tuple[str, int, int]:
        """(name, rows, columns) of a matrix that is kept in 8-bit blocks."""
        blocks, scales = quantize(weights)
        self.constant(f"{name}.blocks", blocks)
        self.constant(f"{name}.scales", scales)
        return name, *weights.shape

    def product(self, tensor: str, matrix: tuple[str, int, int]) -> str:
        """The tensor times the transposed matrix."""
        name, rows, columns = matrix
        return self.op(
            "MatMulNBits", tensor, f"{name}.blocks", f"{name}.scales",
            domain=MICROSOFT, K=columns, N=rows, bits=8, block_size=BLOCK, accuracy_level=ACCURACY,
        )  # fmt: skip

    def split(self, tensor: str, sizes: str, parts: int) -> list[str]:
        """The tensor's parts along its last axis."""
        outputs = [f"v{len(self.nodes)}.{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [tensor, sizes], outputs, axis=-1))
        return outputs

    def ints(self, *values: int) -> str:
        """The name of a constant vector of integers."""
        return self.constant("ints." + ".".join(map(str, values)), np.array(values, np.int64))

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """The name, under which the values are kept once."""
        if name not in self.weights:
            self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def op(self, kind: str, *inputs: str, named: str = "", domain: str = "", **attributes: Any) -> str:
        """The name of the output of a node of one output."""
        output = named or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], domain=domain, **attributes))
        return output


def _value(name: str, kind: int, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)
