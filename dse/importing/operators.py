"""The operators that multiply and accumulate, as layers.

Convolutions without groups and products by one matrix are `cnn-layer`; grouped and depthwise convolutions and batches
of products are `grouped-convolution`. ONNX has the height before the width: S, Q and the H coefficients are of the
height, R, P and the W coefficients of the width. A convolution along one axis has width alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dse.errors import InputError
from dse.importing.graph import Node, printable
from dse.importing.shapes import Sizes, Tensors
from dse.specification.problem import CNN_LAYER, GROUPED_CONVOLUTION, Problem, excesses

__all__ = ["MULTIPLYING", "UNSUPPORTED", "Product", "UnsupportedError", "layers_of"]

UNSUPPORTED = frozenset({"CausalConvWithState", "DFT", "DeformConv", "GRU", "LSTM", "LinearAttention", "RNN", "STFT"})
"""Operators of ONNX that multiply and accumulate and have no layer here."""

_MOST_TAPS = 2**16  # along an axis: no filter is larger, and those of a transposed convolution are gone through
_PADDINGS = ("", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


@dataclass(frozen=True)
class Product:
    """One layer of a node, `count` times; `part` tells the layers of a node apart."""

    problem: Problem
    part: str = ""
    count: int = 1


class UnsupportedError(InputError):
    """Raised where a node is a kind of its operator that has no layer, or its shapes are not known."""


def layers_of(node: Node, tensors: Tensors, batch: int | None) -> list[Product]:
    """The layers of a node of MULTIPLYING; `batch` is that of the model.

    Raises UnsupportedError where a size is not known or the node has no layer, InputError where it contradicts itself.
    """
    products = list(MULTIPLYING[node.operator](_Operands(node, tensors, batch)))
    faults = []
    for product in products:
        if min(product.problem.bounds) < 1:
            sizes = zip(product.problem.shape.dimensions, product.problem.bounds, strict=True)
            faults.append(node.fault(f"is empty: {', '.join(f'{name} = {size}' for name, size in sizes)}"))
        else:
            faults += [node.fault(message) for message in excesses(product.problem)]
    if faults:
        raise InputError(faults)
    return products


@dataclass(frozen=True)
class _Operands:
    node: Node
    tensors: Tensors
    batch: int | None

    def sizes(self, position: int, least: int = 0) -> Sizes:
        """The shape of an input; raises InputError where it is not known or has fewer than `least` dimensions."""
        if position >= len(self.node.inputs) or not self.node.inputs[position]:
            raise InputError(self.node.fault(f"lacks its input {position + 1}"))
        return self._known(self.node.inputs[position], least)

    def output(self) -> Sizes:
        """The shape of the first output; raises InputError where it is not known."""
        return self._known(self.node.outputs[0], 0)

    def require(self, fits: bool, message: str) -> None:
        """Raise InputError where the operands do not fit each other."""
        if not fits:
            raise InputError(self.node.fault(message))

    def constant(self, position: int) -> bool:
        """Whether an input is a weight."""
        return self.node.inputs[position] in self.tensors.constant

    def problem(self, groups: int = 1, **bounds: int) -> Problem:
        """A layer of the bounds and coefficients that are not 1."""
        shape = CNN_LAYER if groups == 1 else GROUPED_CONVOLUTION
        sizes = bounds | {"G": groups}
        return Problem(
            shape,
            tuple(sizes.get(name, 1) for name in shape.dimensions),
            tuple(sizes.get(name, 1) for name in shape.coefficients),
        )

    def _known(self, name: str, least: int) -> Sizes:
        sizes = self.tensors.sizes(name)
        if sizes is None:
            origin = self.tensors.lost.get(name, self.node)
            raise UnsupportedError(
                self.node.fault(
                    f"the shape of {printable(name)} is known only when the model runs: it is lost at node "
                    f"{printable(origin.name)} ({printable(origin.operator)})"
                )
            )
        if len(sizes) < least:
            raise InputError(
                self.node.fault(f"{printable(name)}: expected {least} dimensions or more, got {list(sizes)}")
            )
        return sizes


def _convolution(operands: _Operands, weights: int = 1) -> Iterator[Product]:
    """A convolution; `weights` is the position of its filters among the inputs."""
    node, inputs, filters, output = operands.node, operands.sizes(0, 3), operands.sizes(weights, 3), operands.output()
    axes, groups = _axes(operands, inputs, filters), node.integer("group", 1)
    operands.require(
        groups > 0 and inputs[1] == filters[1] * groups and filters[0] % groups == 0,
        f"{groups} groups of filters {list(filters)} do not fit {inputs[1]} input channels",
    )
    strides, dilations = (node.integers(name, (1,) * axes) for name in ("strides", "dilations"))
    yield Product(
        operands.problem(
            groups,
            N=inputs[0],
            C=filters[1],
            K=filters[0] // groups,
            **_spatial("SR", filters[2:]),
            **_spatial("QP", output[2:]),
            **_spatial(("Hstride", "Wstride"), strides),
            **_spatial(("Hdilation", "Wdilation"), dilations),
        )
    )


def _transposed_convolution(operands: _Operands) -> Iterator[Product]:
    """A transposed convolution as the convolutions of stride 1 that make it.

    With a stride of s, every s-th output along an axis meets the same taps of the filter (W. Shi et al., Is the
    deconvolution layer the same as a convolutional layer?, 2016, arXiv:1609.07009). Phases with as many taps and
    outputs are one layer that has their filters side by side in K, so that no zero between inputs is multiplied.
    """
    node, inputs, filters, output = operands.node, operands.sizes(0, 3), operands.sizes(1, 3), operands.output()
    axes, groups = _axes(operands, inputs, filters), node.integer("group", 1)
    operands.require(
        groups > 0 and inputs[1] == filters[0] and filters[0] % groups == 0,
        f"{groups} groups of filters {list(filters)} do not fit {inputs[1]} input channels",
    )
    strides, dilations = (node.integers(name, (1,) * axes) for name in ("strides", "dilations"))
    pads = _leading_pads(node, inputs[2:], filters[2:], output[2:], strides, dilations)
    phases = [_phases(*axis) for axis in zip(output[2:], filters[2:], strides, dilations, pads, strict=True)]
    steps = [dilation // math.gcd(dilation, stride) for dilation, stride in zip(dilations, strides, strict=True)]
    alike = list(_alike(phases))
    for index, (taps, outputs, count) in enumerate(alike):
        problem = operands.problem(
            groups,
            N=inputs[0],
            C=filters[0] // groups,
            K=filters[1] * count,
            **_spatial("SR", taps),
            **_spatial("QP", outputs),
            **_spatial(("Hdilation", "Wdilation"), steps),
        )
        yield Product(problem, f"phases{index}" if len(alike) > 1 else "")


def _leading_pads(
    node: Node, inputs: Sizes, filters: Sizes, output: Sizes, strides: Sizes, dilations: Sizes
) -> Sequence[int]:
    """What a transposed convolution cuts off at the beginning of each axis."""
    mode = node.text("auto_pad")
    none = (0,) * len(filters)
    if mode == "VALID":
        return none
    if mode in ("", "NOTSET") and "output_shape" not in node.attributes:
        return node.integers("pads", none * 2, minimum=0)[: len(filters)]
    extra = node.integers("output_padding", none, minimum=0)
    total = [
        stride * (size - 1) + more + (taps - 1) * dilation + 1 - out
        for size, taps, stride, dilation, more, out in zip(
            inputs, filters, strides, dilations, extra, output, strict=True
        )
    ]
    return [own // 2 if mode == "SAME_UPPER" else own - own // 2 for own in total]


def _phases(outputs: int, taps: int, stride: int, dilation: int, pad: int) -> Counter[tuple[int, int]]:
    """(taps, outputs) -> how many of the phases of one axis have these; a phase without taps is left out."""
    met = Counter((tap * dilation - pad) % stride for tap in range(taps))
    return Counter(
        (own, (outputs - phase + stride - 1) // stride) for phase, own in sorted(met.items()) if phase < outputs
    )


def _alike(phases: Sequence[Counter[tuple[int, int]]]) -> Iterator[tuple[Sizes, Sizes, int]]:
    """(taps, outputs, count) of the phases over all axes."""
    if len(phases) == 1:
        yield from (((taps,), (outputs,), count) for (taps, outputs), count in phases[0].items())
        return
    for (high, rows), count in phases[0].items():
        for (wide, columns), times in phases[1].items():
            yield (high, wide), (rows, columns), count * times


def _axes(operands: _Operands, inputs: Sizes, filters: Sizes) -> int:
    """How many axes a convolution has; raises UnsupportedError above two."""
    axes = len(inputs) - 2
    operands.require(
        len(filters) == len(inputs) and operands.node.integers("kernel_shape", filters[2:]) == filters[2:],
        f"filters {list(filters)} do not fit inputs {list(inputs)} and the kernel_shape",
    )
    operands.require(max(filters[2:]) <= _MOST_TAPS, f"filters {list(filters)} are too large")
    padding = operands.node.text("auto_pad")
    operands.require(padding in _PADDINGS, f'unknown auto_pad "{printable(padding)}"')
    if axes > 2:
        raise UnsupportedError(operands.node.fault(f"a convolution along {axes} axes is no layer, one along two is"))
    return axes


def _spatial(names: Sequence[str], sizes: Sequence[int]) -> dict[str, int]:
    """Sizes by height and width; the last name is the width's."""
    return dict(zip(names[-len(sizes) :], sizes, strict=True))


def _gemm(operands: _Operands) -> Iterator[Product]:
    node, left, right = operands.node, operands.sizes(0, 2), operands.sizes(1, 2)
    operands.require(len(left) == len(right) == 2, f"cannot multiply {list(left)} by {list(right)}")
    rows, inner = left[::-1] if node.integer("transA", 0) else left
    other, columns = right[::-1] if node.integer("transB", 0) else right
    operands.require(inner == other, f"cannot multiply {list(left)} by {list(right)}")
    yield _by_one_matrix(operands, rows, inner, columns)


def _by_one_matrix(operands: _Operands, rows: int, inner: int, columns: int) -> Product:
    """Rows by a matrix that all of them share: those of one sample of the batch are P."""
    batch = operands.batch or 1
    samples = batch if rows % batch == 0 else 1
    return Product(operands.problem(N=samples, P=rows // samples, C=inner, K=columns))


def _matmul(operands: _Operands, right: int = 1) -> Iterator[Product]:
    """A product as numpy.matmul has it; `right` is the position of the second factor.

    Where only the first factor is a weight, the product is taken transposed, so that weights are Weights.
    """
    first, second = operands.sizes(0, 1), operands.sizes(right, 1)
    first = (1, *first) if len(first) == 1 else first
    second = (*second, 1) if len(second) == 1 else second
    if operands.constant(0) and not operands.constant(right):
        first, second = (*second[:-2], second[-1], second[-2]), (*first[:-2], first[-1], first[-2])
    *leading, rows, inner = first
    *others, other, columns = second
    operands.require(inner == other, f"cannot multiply {list(first)} by {list(second)}")
    if all(size == 1 for size in others):
        yield _by_one_matrix(operands, math.prod(leading) * rows, inner, columns)
        return
    # Leading dimensions pair from the last on; one that only the rows have shares the matrix, and the other way round.
    length = max(len(leading), len(others))
    pairs = list(zip(_padded(leading, length), _padded(others, length), strict=True))
    operands.require(
        all(own == other or 1 in (own, other) for own, other in pairs),
        f"cannot multiply {list(first)} by {list(second)}",
    )
    yield Product(
        operands.problem(
            math.prod(own for own, other in pairs if own == other),
            N=math.prod(own for own, other in pairs if other == 1),
            P=rows,
            C=inner,
            K=columns * math.prod(other for own, other in pairs if own == 1),
        )
    )


def _padded(sizes: Sequence[int], length: int) -> list[int]:
    return [1] * (length - len(sizes)) + list(sizes)


def _attention(operands: _Operands) -> Iterator[Product]:
    """Queries by keys and scores by values, for every sequence of the batch and every head of the keys.

    Heads that share keys and values are N: they meet the same ones. A causal mask leaves out no product.
    """
    node, query, key, value = operands.node, operands.sizes(0, 3), operands.sizes(1, 3), operands.sizes(2, 3)
    heads, groups = node.integer("q_num_heads", 0), node.integer("kv_num_heads", 0)
    if len(query) == 3:
        operands.require(
            min(heads, groups) > 0, "inputs of three dimensions need the attributes q_num_heads and kv_num_heads"
        )
        query = (query[0], heads, query[1], query[2] // heads)
        key, value = ((own[0], groups, own[1], own[2] // groups) for own in (key, value))
    past = operands.sizes(4, 4)[2] if len(node.inputs) > 4 and node.inputs[4] else 0
    batch, heads, rows, width = query
    groups, length = key[1], key[2] + past
    operands.require(groups > 0 and heads % groups == 0, f"{heads} heads of queries cannot share {groups} of keys")
    operands.require(key[3] == width, f"queries of {width} and keys of {key[3]} channels a head")
    shared = {"N": heads // groups, "P": rows}
    yield Product(operands.problem(batch * groups, **shared, C=width, K=length), "scores")
    yield Product(operands.problem(batch * groups, **shared, C=length, K=value[3]), "values")


def _einsum(operands: _Operands) -> Iterator[Product]:
    """A sum of products of two tensors: what both have and the result has not is C."""
    text = operands.node.text("equation").replace(" ", "")
    terms, arrow, result = text.partition("->")
    parts = terms.split(",")
    if not arrow:
        letters = Counter(terms.replace(",", ""))
        result = "".join(sorted(letter for letter, count in letters.items() if count == 1))
    if len(parts) != 2 or not all(part.isalpha() and len(set(part)) == len(part) for part in parts):
        message = f'equation "{printable(text)}": a layer has two tensors, and no index twice in one'
        raise UnsupportedError(operands.node.fault(message))
    sizes: dict[str, int] = {}
    for position, part in enumerate(parts):
        own = operands.sizes(position)
        operands.require(
            len(own) == len(part) and all(sizes.setdefault(*pair) == pair[1] for pair in zip(part, own, strict=True)),
            f'equation "{printable(text)}" does not fit the shapes of its tensors',
        )
    left, right = (set(part) for part in parts)
    if operands.constant(0) and not operands.constant(1):
        left, right = right, left
    alone = sorted((left ^ right) - set(result))
    if alone:
        message = f'equation "{printable(text)}": {", ".join(alone)} is summed in one tensor alone'
        raise UnsupportedError(operands.node.fault(message))

    def product(letters: set[str]) -> int:
        return math.prod(sizes[letter] for letter in letters)

    kept = left & set(result)
    groups, rows = product(kept & right), product(kept - right)
    inner, columns = product((left & right) - kept), product(right - left)
    if groups == 1:
        yield _by_one_matrix(operands, rows, inner, columns)
    else:
        yield Product(operands.problem(groups, P=rows, C=inner, K=columns))


MULTIPLYING: dict[str, Callable[[_Operands], Iterator[Product]]] = {
    "Attention": _attention,
    "Conv": _convolution,
    "ConvInteger": _convolution,
    "ConvTranspose": _transposed_convolution,
    "Einsum": _einsum,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "QLinearConv": lambda operands: _convolution(operands, weights=3),
    "QLinearMatMul": lambda operands: _matmul(operands, right=3),
}
"""Operator -> its layers."""
