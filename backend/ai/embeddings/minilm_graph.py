"""all-MiniLM-L6-v2 as an ONNX graph, made from its published weights. Imported only for that: onnx is heavy.

The architecture is BERT's (Devlin et al. 2019) with 6 layers; behind it come mean pooling and the L2 norm, as
the model's own settings for sentence-transformers have it.

The int8 arithmetic is per token: each token's activations are scaled by their own largest value, each output
of a matrix by its own largest weight. onnxruntime's `quantize_dynamic` takes one scale for a whole batch: a
text's vector then depends on its neighbours (cosine down to 0.984 between alone and in a batch; here they are
equal) and lies six times as far from the fp32 vector (1 - cosine: 0.0061; here 0.0010).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

LAYERS, HEADS, HIDDEN = 6, 12, 384
HEAD = HIDDEN // HEADS
EPSILON = 1e-12
MASKED = -10_000.0  # added to the score of a padding token: exp() makes nothing of it
OPSET, RUNTIME_OPSET, IR_VERSION = 20, 1, 10
RUNTIME_DOMAIN = "com.microsoft"
ACTIVATION_LEVELS, ACTIVATION_ZERO = 127, 128  # unsigned, around 128: the fast kernels of x86 want it so
WEIGHT_LEVELS = 127

Weights = Mapping[str, NDArray[np.float32]]


def build_model(weights: Weights, *, quantized: bool) -> bytes:
    """The serialised graph: int64 `input_ids`, `attention_mask` (batch × length) → `embedding` (batch × 384).

    Args:
        weights: as `model.safetensors` names them.
        quantized: int8 instead of fp32 in the matrices that bear it.
    """
    model: bytes = _Builder(weights, quantized).build().SerializeToString()
    return model


class _Builder:
    """Adds nodes one by one; every method takes and returns names of values."""

    def __init__(self, weights: Weights, quantized: bool) -> None:
        self._weights = weights
        self._quantized = quantized
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}
        self._quantized_values: dict[str, tuple[str, str]] = {}

    def build(self) -> ModelProto:
        hidden = self._embeddings()
        mask = self._mask()
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, mask)
        self._pool(hidden)
        graph = helper.make_graph(
            self._nodes,
            "all-MiniLM-L6-v2",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
                for name in ("input_ids", "attention_mask")
            ],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", HIDDEN])],
            list(self._constants.values()),
        )
        versions = [helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME_DOMAIN, RUNTIME_OPSET)]
        return helper.make_model(graph, opset_imports=versions, ir_version=IR_VERSION)

    # Hidden states are kept as one row for each token (batch · length × 384): a matrix needs no more, and the
    # scales of the int8 arithmetic belong to rows.

    def _embeddings(self) -> str:
        words = self._words()
        # A single text's tokens are all of type 0, so that vector joins the positions.
        positions = (
            self._weights["embeddings.position_embeddings.weight"]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        length = self._add("length", "Shape", "input_ids", start=1, end=2)
        start = self._integers("start", 0)
        place = self._add("places", "Slice", self._constant("positions", positions), start, length, start)
        total = self._add("tokens", "Add", words, place)
        return self._norm("embeddings.LayerNorm", self._rows("tokens.rows", total))

    def _words(self) -> str:
        name = "embeddings.word_embeddings.weight"
        if not self._quantized:
            return self._add("words", "Gather", self._weight(name), "input_ids")
        integers, scales = _integers_by_row(self._weights[name])
        found = self._add("words.integers", "Gather", self._constant(name, integers), "input_ids")
        found = self._add("words.unscaled", "Cast", found, to=TensorProto.FLOAT)
        factors = self._constant("words.scales", scales[:, np.newaxis])
        factors = self._add("words.factors", "Gather", factors, "input_ids")
        return self._add("words", "Mul", found, factors)

    def _mask(self) -> str:
        """0 for a token and MASKED for padding, to add to scores of batch × heads × length × length."""
        kept = self._add("mask.kept", "Cast", "attention_mask", to=TensorProto.FLOAT)
        kept = self._add("mask.spread", "Unsqueeze", kept, self._integers("mask.axes", 1, 2))
        masked = self._add("mask.left_out", "Sub", self._number("mask.one", 1.0), kept)
        return self._add("mask", "Mul", masked, self._number("mask.value", MASKED))

    def _layer(self, name: str, hidden: str, mask: str) -> str:
        context = self._attention(f"{name}.attention", hidden, mask)
        output = self._dense(f"{name}.attention.output.dense", context)
        output = self._add(f"{name}.attention.residual", "Add", output, hidden)
        attended = self._norm(f"{name}.attention.output.LayerNorm", output)
        inner = self._dense(f"{name}.intermediate.dense", attended)
        inner = self._add(f"{name}.gelu", "Gelu", inner)
        output = self._dense(f"{name}.output.dense", inner)
        output = self._add(f"{name}.residual", "Add", output, attended)
        return self._norm(f"{name}.output.LayerNorm", output)

    def _attention(self, name: str, hidden: str, mask: str) -> str:
        query = self._heads(f"{name}.query", self._dense(f"{name}.self.query", hidden), [0, 2, 1, 3])
        key = self._heads(f"{name}.key", self._dense(f"{name}.self.key", hidden), [0, 2, 3, 1])
        # In int8 the values alone would bring more than half of the error of all matrices together.
        value = self._dense(f"{name}.self.value", hidden, exact=True)
        value = self._heads(f"{name}.value", value, [0, 2, 1, 3])
        scores = self._add(f"{name}.products", "MatMul", query, key)
        scores = self._add(f"{name}.scaled", "Mul", scores, self._number("attention.scale", HEAD**-0.5))
        scores = self._add(f"{name}.masked", "Add", scores, mask)
        shares = self._add(f"{name}.shares", "Softmax", scores, axis=-1)
        context = self._add(f"{name}.weighted", "MatMul", shares, value)
        context = self._add(f"{name}.joined", "Transpose", context, perm=[0, 2, 1, 3])
        return self._rows(f"{name}.context", context)

    def _pool(self, hidden: str) -> None:
        hidden = self._add("pool.tokens", "Reshape", hidden, self._batch_shape("pool.shape", HIDDEN))
        mask = self._add("pool.mask", "Cast", "attention_mask", to=TensorProto.FLOAT)
        mask = self._add("pool.mask_column", "Unsqueeze", mask, self._integers("last", -1))
        kept = self._add("pool.kept", "Mul", hidden, mask)
        # The mean is this sum divided by a number, which the norm takes out again.
        total = self._add("pool.sum", "ReduceSum", kept, self._integers("pool.axis", 1), keepdims=0)
        self._add("embedding", "LpNormalization", total, axis=-1, p=2)

    def _dense(self, name: str, rows: str, *, exact: bool = False) -> str:
        weight = self._weights[f"{name}.weight"]
        if self._quantized and not exact:
            product = self._integer_product(name, rows, weight)
        else:
            product = self._add(f"{name}.product", "MatMul", rows, self._constant(f"{name}.weight", weight.T))
        return self._add(name, "Add", product, self._weight(f"{name}.bias"))

    def _integer_product(self, name: str, rows: str, weight: NDArray[np.float32]) -> str:
        integers, scales = _integers_by_row(weight)
        row_integers, row_scales = self._quantize(rows)
        product = self._add(
            f"{name}.integer_product",
            "MatMulIntegerToFloat",
            row_integers,
            self._constant(f"{name}.weight", integers.T),
            self._number("quantize.no_scale", 1.0),
            self._constant(f"{name}.scales", scales),
            self._constant("quantize.zero", np.array(ACTIVATION_ZERO, np.uint8)),
            domain=RUNTIME_DOMAIN,
        )
        return self._add(f"{name}.product", "Mul", product, row_scales)

    def _quantize(self, rows: str) -> tuple[str, str]:
        """The rows as uint8 and their scales as a column; made once for all matrices that take them."""
        if rows not in self._quantized_values:
            last = self._integers("last", -1)
            sizes = self._add(f"{rows}.sizes", "Abs", rows)
            largest = self._add(f"{rows}.largest", "ReduceMax", sizes, last, keepdims=1)
            level = self._number("quantize.level", 1 / ACTIVATION_LEVELS)
            scales = self._add(f"{rows}.scales", "Mul", largest, level)
            flat = self._add(f"{rows}.scales_flat", "Squeeze", scales, last)
            count = self._add(f"{rows}.count", "Shape", flat)
            zero = self._constant("quantize.zero", np.array(ACTIVATION_ZERO, np.uint8))
            zeros = self._add(f"{rows}.zeros", "Expand", zero, count)
            integers = self._add(f"{rows}.integers", "QuantizeLinear", rows, flat, zeros, axis=0)
            self._quantized_values[rows] = integers, scales
        return self._quantized_values[rows]

    def _norm(self, name: str, rows: str) -> str:
        factors, shifts = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._add(name, "LayerNormalization", rows, factors, shifts, axis=-1, epsilon=EPSILON)

    def _heads(self, name: str, rows: str, order: list[int]) -> str:
        split = self._add(f"{name}.split", "Reshape", rows, self._batch_shape("heads.shape", HEADS, HEAD))
        return self._add(name, "Transpose", split, perm=order)

    def _rows(self, name: str, value: str) -> str:
        return self._add(name, "Reshape", value, self._integers("rows.shape", -1, HIDDEN))

    def _batch_shape(self, name: str, *rest: int) -> str:
        """The shape (batch, length, *rest), known only when the graph runs."""
        if not any(node.name == name for node in self._nodes):
            batch = self._add(f"{name}.batch", "Shape", "input_ids")
            self._add(name, "Concat", batch, self._integers(f"{name}.rest", *rest), axis=0)
        return name

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _number(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, np.float32))

    def _integers(self, name: str, *values: int) -> str:
        return self._constant(name, np.array(values, np.int64))

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def _add(self, name: str, operator: str, *inputs: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name


def _integers_by_row(
    weight: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """The rows as int8, and what to multiply each by."""
    scales = np.abs(weight).max(axis=1) / WEIGHT_LEVELS
    return np.rint(weight / scales[:, np.newaxis]).astype(np.int8), scales
