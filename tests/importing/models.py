"""ONNX models of well-known networks, built with the package's helper. Weights have shapes and no data.

Modules are named and shaped as in torchvision (classification, segmentation), in google-research/bert and openai/gpt-2,
and for U-Net in milesial/Pytorch-UNet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

__all__ = ["NETWORKS", "Model"]

Size = int | str


class Model:
    """A graph that grows node by node; every method returns the name of a tensor."""

    def __init__(self, opset: int = 17) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.weights: list[onnx.TensorProto] = []

    def input(self, name: str, sizes: Sequence[Size | None] | None, element: int = TensorProto.FLOAT) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, element, sizes))
        return name

    def weight(self, *sizes: int, element: int = TensorProto.FLOAT) -> str:
        """A weight in a file beside the model that does not exist: nothing may read it."""
        tensor = TensorProto(name=f"weight{len(self.weights)}", data_type=element, dims=sizes)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../../etc/weights.bin")
        self.weights.append(tensor)
        return tensor.name

    def values(self, *values: int) -> str:
        tensor = helper.make_tensor(f"values{len(self.weights)}", TensorProto.INT64, [len(values)], values)
        self.weights.append(tensor)
        return tensor.name

    def node(self, operator: str, *inputs: str, name: str = "", domain: str = "", **attributes: Any) -> str:
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, domain=domain, **attributes))
        return output

    def proto(self) -> onnx.ModelProto:
        used = {name for node in self.nodes for name in node.input}
        ends = [name for node in self.nodes for name in node.output if name not in used]
        graph = helper.make_graph(
            self.nodes, "graph", self.inputs, [helper.make_empty_tensor_value_info(name) for name in ends], self.weights
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])

    def save(self, path: Path) -> Path:
        path.write_bytes(self.proto().SerializeToString())
        return path

    def conv(
        self,
        tensor: str,
        channels: int,
        filters: int,
        window: int,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        name: str = "",
        relu: bool = True,
    ) -> str:
        """A convolution that keeps the size but for its stride."""
        output = self.node(
            "Conv",
            tensor,
            self.weight(filters, channels // groups, window, window),
            self.weight(filters),
            name=name,
            pads=[window // 2 * dilation] * 4,
            strides=[stride] * 2,
            dilations=[dilation] * 2,
            group=groups,
            kernel_shape=[window] * 2,
        )
        return self.node("Relu", output) if relu else output

    def pool(self, tensor: str, window: int = 2, stride: int = 2, padding: int = 0) -> str:
        return self.node(
            "MaxPool", tensor, kernel_shape=[window] * 2, strides=[stride] * 2, pads=[padding] * 4, ceil_mode=0
        )

    def linear(self, tensor: str, inputs: int, outputs: int, name: str = "") -> str:
        return self.node("Gemm", tensor, self.weight(outputs, inputs), self.weight(outputs), name=name, transB=1)

    def classify(self, tensor: str, features: int) -> str:
        return self.linear(self.node("Flatten", self.node("GlobalAveragePool", tensor)), features, 1000, "fc")


def bottleneck_stages(
    model: Model, tensor: str, groups: int = 1, width: int = 64, dilated: Sequence[bool] = (False,) * 4
) -> list[str]:
    """What the four stages of ResNet-50 or its kin make; a stage that is dilated keeps its size."""
    tensor = model.pool(model.conv(tensor, 3, 64, 7, 2, name="conv1"), 3, 2, 1)
    channels, dilation, results = 64, 1, []
    for stage, depth in enumerate((3, 4, 6, 3)):
        wide, outputs, previous = groups * width << stage, 256 << stage, dilation
        dilation *= 2 if dilated[stage] else 1
        for block in range(depth):
            stride = 2 if stage and not block and not dilated[stage] else 1
            name, own = f"layer{stage + 1}.{block}", previous if block == 0 else dilation
            shortcut = tensor
            if block == 0:
                shortcut = model.conv(tensor, channels, outputs, 1, stride, name=f"{name}.downsample.0", relu=False)
            tensor = model.conv(tensor, channels, wide, 1, name=f"{name}.conv1")
            tensor = model.conv(tensor, wide, wide, 3, stride, groups, own, name=f"{name}.conv2")
            tensor = model.conv(tensor, wide, outputs, 1, name=f"{name}.conv3", relu=False)
            tensor, channels = model.node("Relu", model.node("Add", tensor, shortcut)), outputs
        results.append(tensor)
    return results


def resnet50() -> Model:
    model = Model()
    model.classify(bottleneck_stages(model, model.input("image", ["batch", 3, 224, 224]))[-1], 2048)
    return model


def resnext50_32x4d() -> Model:
    model = Model()
    model.classify(bottleneck_stages(model, model.input("image", ["batch", 3, 224, 224]), 32, 4)[-1], 2048)
    return model


def fcn_resnet50() -> Model:
    """Segmentation with dilated stages 3 and 4, and its auxiliary head."""
    model = Model()
    image = model.input("image", ["batch", 3, 520, 520])
    stages = bottleneck_stages(model, image, dilated=(False, False, True, True))
    for name, stage, channels in (("classifier", 3, 2048), ("aux_classifier", 2, 1024)):
        tensor = model.conv(stages[stage], channels, channels // 4, 3, name=f"{name}.0")
        tensor = model.conv(tensor, channels // 4, 21, 1, name=f"{name}.4", relu=False)
        model.node("Resize", tensor, "", "", model.values(1, 21, 520, 520), mode="linear")
    return model


def vgg16() -> Model:
    model = Model()
    tensor, channels = model.input("image", ["batch", 3, 224, 224]), 3
    for filters, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            tensor, channels = model.conv(tensor, channels, filters, 3), filters
        tensor = model.pool(tensor)
    tensor = model.node("Reshape", tensor, model.values(0, -1))
    for inputs, outputs in ((25088, 4096), (4096, 4096), (4096, 1000)):
        tensor = model.linear(tensor, inputs, outputs)
    return model


def mobilenet_v2() -> Model:
    model = Model()
    tensor, channels = model.conv(model.input("image", ["batch", 3, 224, 224]), 3, 32, 3, 2), 32
    for expansion, filters, repeats, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for repeat in range(repeats):
            wide, before = channels * expansion, tensor
            if expansion > 1:
                tensor = model.conv(tensor, channels, wide, 1)
            tensor = model.conv(tensor, wide, wide, 3, 1 if repeat else first, groups=wide)
            tensor = model.conv(tensor, wide, filters, 1, relu=False)
            tensor, channels = model.node("Add", tensor, before) if repeat else tensor, filters
    model.classify(model.conv(tensor, channels, 1280, 1), 1280)
    return model


def densenet161() -> Model:
    model = Model()
    tensor = model.pool(model.conv(model.input("image", ["batch", 3, 224, 224]), 3, 96, 7, 2), 3, 2, 1)
    channels = 96
    for depth in (6, 12, 36, 24):
        for _ in range(depth):
            new = model.conv(model.conv(tensor, channels, 192, 1), 192, 48, 3, relu=False)
            tensor, channels = model.node("Concat", tensor, new, axis=1), channels + 48
        if channels != 2208:
            tensor = model.conv(tensor, channels, channels // 2, 1, relu=False)
            tensor = model.node("AveragePool", tensor, kernel_shape=[2, 2], strides=[2, 2])
            channels //= 2
    model.classify(tensor, channels)
    return model


def unet() -> Model:
    """With ConvTranspose, on 240 × 420: milesial/Pytorch-UNet, padded convolutions, 3 channels, 2 classes."""
    model = Model()
    tensor, channels, skipped = model.input("image", ["batch", 3, 240, 420]), 3, []
    heights = [(240, 420), (120, 210), (60, 105), (30, 52), (15, 26)]
    for level, filters in enumerate((64, 128, 256, 512, 1024)):
        tensor = model.pool(tensor) if level else tensor
        for _ in range(2):
            tensor, channels = model.conv(tensor, channels, filters, 3), filters
        skipped.append(tensor)
    for level in (3, 2, 1, 0):
        weight = model.weight(channels, channels // 2, 2, 2)
        tensor = model.node("ConvTranspose", tensor, weight, strides=[2, 2], kernel_shape=[2, 2], name=f"up{level}")
        (high, wide), (low, narrow) = heights[level], heights[level + 1]
        tensor = model.node("Pad", tensor, model.values(0, 0, 0, 0, 0, 0, high - 2 * low, wide - 2 * narrow))
        tensor = model.node("Concat", skipped[level], tensor, axis=1)
        for _ in range(2):
            tensor, channels = model.conv(tensor, channels, 64 << level, 3), 64 << level
    model.conv(tensor, 64, 2, 1, relu=False)
    return model


def heads(model: Model, tensor: str, count: int, transposed: bool = False) -> str:
    """[batch, tokens, width] as [batch, heads, tokens, width of a head], or with the last two exchanged."""
    tensor = model.node("Reshape", tensor, model.values(0, 0, count, -1))
    return model.node("Transpose", tensor, perm=[0, 2, 3, 1] if transposed else [0, 2, 1, 3])


def project(model: Model, tensor: str, inputs: int, outputs: int, name: str) -> str:
    return model.node(
        "Add", model.node("MatMul", tensor, model.weight(inputs, outputs), name=name), model.weight(outputs)
    )


def normalise(model: Model, tensor: str, width: int) -> str:
    return model.node("LayerNormalization", tensor, model.weight(width), model.weight(width))


def block(model: Model, tensor: str, name: str, past: tuple[str, str] | None = None, width: int = 768) -> str:
    """A block of a transformer of 12 heads; with `past`, keys and values of earlier tokens go before its own."""
    query, key, value = (
        heads(model, project(model, tensor, width, width, f"{name}.{part}"), 12, past is None and part == "key")
        for part in ("query", "key", "value")
    )
    if past is not None:
        key = model.node("Concat", past[0], key, axis=2)
        value = model.node("Concat", past[1], value, axis=2)
        key = model.node("Transpose", key, perm=[0, 1, 3, 2])
    scores = model.node("Softmax", model.node("MatMul", query, key, name=f"{name}.scores"), axis=-1)
    context = model.node("Transpose", model.node("MatMul", scores, value, name=f"{name}.context"), perm=[0, 2, 1, 3])
    context = model.node("Reshape", context, model.values(0, 0, width))
    tensor = normalise(model, model.node("Add", tensor, project(model, context, width, width, f"{name}.output")), width)
    hidden = model.node("Erf", project(model, tensor, width, 4 * width, f"{name}.up"))
    return normalise(model, model.node("Add", tensor, project(model, hidden, 4 * width, width, f"{name}.down")), width)


def bert_base() -> Model:
    model = Model()
    tokens = model.input("tokens", ["batch", "sequence"], TensorProto.INT64)
    tensor = model.node("Gather", model.weight(30522, 768), tokens)
    for number in range(12):
        tensor = block(model, tensor, f"blocks.{number}")
    first = model.node("Gather", tensor, model.values(0), axis=1)
    model.linear(model.node("Flatten", first), 768, 768, "pooler")
    return model


def gpt2_decode() -> Model:
    """One token, with the keys and values of `past` ones given."""
    model = Model()
    tokens = model.input("tokens", ["batch", 1], TensorProto.INT64)
    tensor = model.node("Gather", model.weight(50257, 768), tokens)
    for number in range(12):
        past = tuple(model.input(f"{part}.{number}", ["batch", 12, "past", 64]) for part in ("key", "value"))
        tensor = block(model, tensor, f"blocks.{number}", (past[0], past[1]))
    model.node("MatMul", tensor, model.weight(768, 50257), name="output")
    return model


NETWORKS: dict[str, Callable[[], Model]] = {
    function.__name__: function
    for function in (
        resnet50,
        resnext50_32x4d,
        fcn_resnet50,
        vgg16,
        mobilenet_v2,
        densenet161,
        unet,
        bert_base,
        gpt2_decode,
    )
}
