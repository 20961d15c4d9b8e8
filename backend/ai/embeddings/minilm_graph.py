"""all-MiniLM-L6-v2 as an ONNX graph, built from its published weights: `python -m` writes it to standard output.

Imported only for the build: onnx is heavy.

The architecture is BERT (Devlin et al. 2019) with 6 layers, then mean pooling and the L2 norm, as in the model's
settings for sentence-transformers.

The int8 arithmetic is per token: each token's activations are scaled by their own maximum, each output of a matrix by
its own largest weight. onnxruntime's `quantize_dynamic` uses one scale for a batch: a text's vector then depends on the
rest of the batch (cosine down to 0.984 between alone and in a batch; here they are equal) and its distance from the
fp32 vector is six times as large (1 - cosine: 0.0061; here 0.0010).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from backend.ai.embeddings.weights import WEIGHTS, read_weights, weights_folder

LAYERS, HEADS, HIDDEN = 6, 12, 384
HEAD = HIDDEN // HEADS
EPSILON = 1e-12
MASKED = -10_000.0  # added to the score of a padding token, so that softmax gives it 0
OPSET, RUNTIME_OPSET, IR_VERSION = 20, 1, 10
RUNTIME_DOMAIN = "com.microsoft"
ACTIVATION_LEVELS, ACTIVATION_ZERO = 127, 128  # unsigned, around 128, for the fast kernels of x86
WEIGHT_LEVELS = 127

Weights = Mapping[str, NDArray[np.float32]]


def build_model(weights: Weights, *, quantized: bool) -> bytes:
    """Build the serialised graph: int64 `input_ids`, `attention_mask` (batch × length) → `embedding` (batch × 384).

    Args:
        weights: named as in `model.safetensors`.
        quantized: int8 instead of fp32 in the matrices that tolerate it.
    """
    model: bytes = _Builder(weights, quantized).build().SerializeToString()
    return model


class _Builder:
    """Graph builder: every method adds nodes, and takes and returns names of values."""

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

    # Hidden states have one row for each token (batch · length × 384): matrices need no more, and the int8 scales
    # belong to rows.

    def _embeddings(self) -> str:
        words = self._words()
        # All tokens of a single text have type 0, so that vector is added to the positions.
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
        values = self._add("words.integers", "Gather", self._constant(name, integers), "input_ids")
        values = self._add("words.unscaled", "Cast", values, to=TensorProto.FLOAT)
        factors = self._constant("words.scales", scales[:, np.newaxis])
        factors = self._add("words.factors", "Gather", factors, "input_ids")
        return self._add("words", "Mul", values, factors)

    def _mask(self) -> str:
        """Add the mask: 0 for a token, MASKED for padding, for scores of batch × heads × length × length."""
        is_token = self._add("mask.kept", "Cast", "attention_mask", to=TensorProto.FLOAT)
        is_token = self._add("mask.spread", "Unsqueeze", is_token, self._integers("mask.axes", 1, 2))
        masked = self._add("mask.left_out", "Sub", self._number("mask.one", 1.0), is_token)
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
        # Quantized values alone would cause more than half of the error of all matrices together.
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
        weighted = self._add("pool.kept", "Mul", hidden, mask)
        # The sum replaces the mean: the L2 norm removes the divisor.
        total = self._add("pool.sum", "ReduceSum", weighted, self._integers("pool.axis", 1), keepdims=0)
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
        """Quantize rows to uint8 with their scales as a column; done once for all matrices that take them."""
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
        """Add the shape (batch, length, *rest), which is known only at run time."""
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
    """Quantize rows to int8; the second array holds their scales."""
    scales = np.abs(weight).max(axis=1) / WEIGHT_LEVELS
    return np.rint(weight / scales[:, np.newaxis]).astype(np.int8), scales


if __name__ == "__main__":
    sys.stdout.buffer.write(build_model(read_weights(weights_folder() / WEIGHTS), quantized=True))
