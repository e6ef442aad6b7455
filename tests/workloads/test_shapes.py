"""The shipped networks against their definitions.

The expected shapes are derived here from the published descriptions (stages, strides, paddings), independently of the
package and of the files under test. The grouped convolutions of resnext50_32x4d_cosa follow CoSA: C is the number of
input channels of one group. test_definitions.py has the networks that workloads/make.py writes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

WORKLOADS = Path(__file__).resolve().parents[2] / "workloads"
IMAGE_SIZE = 224


class Shape(NamedTuple):
    """The bounds and coefficients of one `cnn-layer` problem."""

    R: int
    S: int
    P: int
    Q: int
    C: int
    K: int
    N: int = 1
    Wstride: int = 1
    Hstride: int = 1
    Wdilation: int = 1
    Hdilation: int = 1

    @property
    def weights(self) -> int:
        return self.R * self.S * self.C * self.K

    @property
    def macs(self) -> int:
        return self.weights * self.P * self.Q * self.N


@dataclass(frozen=True)
class Layer:
    """One line of a network file."""

    name: str
    count: int
    shape: Shape


def output_size(size: int, window: int, padding: int, stride: int) -> int:
    return (size + 2 * padding - window) // stride + 1


def square(window: int, size: int, channels: int, filters: int, stride: int = 1) -> Shape:
    """A convolution with a square filter and `size` x `size` outputs."""
    return Shape(window, window, size, size, channels, filters, Wstride=stride, Hstride=stride)


def alexnet() -> Iterator[tuple[str, Shape]]:
    """torchvision/models/alexnet.py: (module, filters, window, stride, padding, followed by a 3x3/2 pooling)."""
    size, channels = IMAGE_SIZE, 3
    for module, filters, window, stride, padding, pooled in (
        ("features.0", 64, 11, 4, 2, True),
        ("features.3", 192, 5, 1, 2, True),
        ("features.6", 384, 3, 1, 1, False),
        ("features.8", 256, 3, 1, 1, False),
        ("features.10", 256, 3, 1, 1, True),
    ):
        size = output_size(size, window, padding, stride)
        yield module, square(window, size, channels, filters, stride)
        channels = filters
        if pooled:
            size = output_size(size, 3, 0, 2)
    features = channels * size * size
    for module, outputs in (("classifier.1", 4096), ("classifier.4", 4096), ("classifier.6", 1000)):
        yield module, square(1, 1, features, outputs)
        features = outputs


def bottleneck_network(groups: int, group_width: int) -> Iterator[tuple[str, Shape]]:
    """torchvision/models/resnet.py with the Bottleneck block: blocks (3, 4, 6, 3), the stride on the 3x3 (v1.5).

    `group_width` is the number of channels of one group in the first stage; it doubles with every stage.
    """
    size = output_size(IMAGE_SIZE, 7, 3, 2)
    yield "conv1", square(7, size, 3, 64, 2)
    size = output_size(size, 3, 1, 2)  # max pooling
    channels = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        channels_per_group = group_width << stage
        width, outputs = groups * channels_per_group, 256 << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            module = f"layer{stage + 1}.{block}"
            out_size = output_size(size, 3, 1, stride)
            yield f"{module}.conv1", square(1, size, channels, width)
            yield f"{module}.conv2", square(3, out_size, channels_per_group, width, stride)
            yield f"{module}.conv3", square(1, out_size, width, outputs)
            if block == 0:
                yield f"{module}.downsample.0", square(1, out_size, channels, outputs, stride)
            size, channels = out_size, outputs
    yield "fc", square(1, 1, channels, 1000)


# The convolution kernels of DeepBench's inference set by application: w, h, c, n, k, filter w, filter h, pad w, pad h,
# stride w, stride h. Copied from baidu-research/DeepBench (Apache-2.0), commit da81ba7, DeepBenchKernels_inference.xlsx
# rows 118-193; code/kernels/conv_problems.h has the same figures.
DEEPBENCH = {
    "deepspeech": [
        (700, 161, 1, 1, 32, 20, 5, 0, 0, 2, 2),
        (700, 161, 1, 2, 32, 20, 5, 0, 0, 2, 2),
        (700, 161, 1, 4, 32, 20, 5, 0, 0, 2, 2),
        (341, 79, 32, 1, 32, 10, 5, 0, 0, 2, 2),
        (341, 79, 32, 2, 32, 10, 5, 0, 0, 2, 2),
        (341, 79, 32, 4, 32, 10, 5, 0, 0, 2, 2),
    ],
    "ocr": [
        (480, 48, 1, 1, 16, 3, 3, 1, 1, 1, 1),
        (240, 24, 16, 1, 32, 3, 3, 1, 1, 1, 1),
        (120, 12, 32, 1, 64, 3, 3, 1, 1, 1, 1),
        (60, 6, 64, 1, 128, 3, 3, 1, 1, 1, 1),
    ],
    "face_recognition": [
        (108, 108, 3, 1, 64, 3, 3, 1, 1, 2, 2),
        (54, 54, 64, 1, 64, 3, 3, 1, 1, 1, 1),
        (27, 27, 128, 1, 128, 3, 3, 1, 1, 1, 1),
        (14, 14, 128, 1, 256, 3, 3, 1, 1, 1, 1),
        (7, 7, 256, 1, 512, 3, 3, 1, 1, 1, 1),
    ],
    "vision": [
        (224, 224, 3, 1, 64, 3, 3, 1, 1, 1, 1),
        (112, 112, 64, 1, 128, 3, 3, 1, 1, 1, 1),
        (56, 56, 128, 1, 256, 3, 3, 1, 1, 1, 1),
        (28, 28, 256, 1, 512, 3, 3, 1, 1, 1, 1),
        (14, 14, 512, 1, 512, 3, 3, 1, 1, 1, 1),
        (7, 7, 512, 1, 512, 3, 3, 1, 1, 1, 1),
        (224, 224, 3, 2, 64, 3, 3, 1, 1, 1, 1),
        (112, 112, 64, 2, 128, 3, 3, 1, 1, 1, 1),
        (56, 56, 128, 2, 256, 3, 3, 1, 1, 1, 1),
        (28, 28, 256, 2, 512, 3, 3, 1, 1, 1, 1),
        (14, 14, 512, 2, 512, 3, 3, 1, 1, 1, 1),
        (7, 7, 512, 2, 512, 3, 3, 1, 1, 1, 1),
        (224, 224, 3, 1, 64, 7, 7, 3, 3, 2, 2),
        (28, 28, 192, 1, 32, 5, 5, 2, 2, 1, 1),
        (28, 28, 192, 1, 64, 1, 1, 0, 0, 1, 1),
        (14, 14, 512, 1, 48, 5, 5, 2, 2, 1, 1),
        (14, 14, 512, 1, 192, 1, 1, 0, 0, 1, 1),
        (7, 7, 832, 1, 256, 1, 1, 0, 0, 1, 1),
        (7, 7, 832, 1, 128, 5, 5, 2, 2, 1, 1),
        (224, 224, 3, 2, 64, 7, 7, 3, 3, 2, 2),
        (28, 28, 192, 2, 32, 5, 5, 2, 2, 1, 1),
        (28, 28, 192, 2, 64, 1, 1, 0, 0, 1, 1),
        (14, 14, 512, 2, 48, 5, 5, 2, 2, 1, 1),
        (14, 14, 512, 2, 192, 1, 1, 0, 0, 1, 1),
        (7, 7, 832, 2, 256, 1, 1, 0, 0, 1, 1),
        (7, 7, 832, 2, 128, 5, 5, 2, 2, 1, 1),
    ],
    "kws": [
        (151, 40, 1, 1, 32, 20, 5, 8, 8, 8, 2),
    ],
    "face_recognition_id": [
        (56, 56, 64, 1, 64, 3, 3, 1, 1, 1, 1),
        (56, 56, 64, 1, 256, 1, 1, 0, 0, 2, 2),
        (28, 28, 128, 1, 128, 3, 3, 1, 1, 1, 1),
        (28, 28, 128, 1, 512, 1, 1, 0, 0, 2, 2),
        (14, 14, 256, 1, 256, 1, 1, 0, 0, 1, 1),
        (14, 14, 256, 1, 256, 3, 3, 1, 1, 1, 1),
        (14, 14, 256, 1, 1024, 1, 1, 0, 0, 2, 2),
        (7, 7, 512, 1, 512, 1, 1, 0, 0, 1, 1),
        (7, 7, 2048, 1, 512, 1, 1, 3, 3, 2, 2),
        (56, 56, 64, 2, 64, 3, 3, 1, 1, 1, 1),
        (56, 56, 64, 2, 256, 1, 1, 0, 0, 2, 2),
        (28, 28, 128, 2, 128, 3, 3, 1, 1, 1, 1),
        (28, 28, 128, 2, 512, 1, 1, 0, 0, 2, 2),
        (14, 14, 256, 2, 256, 1, 1, 0, 0, 1, 1),
        (14, 14, 256, 2, 256, 3, 3, 1, 1, 1, 1),
        (14, 14, 256, 2, 1024, 1, 1, 0, 0, 2, 2),
        (7, 7, 512, 2, 512, 1, 1, 0, 0, 1, 1),
        (7, 7, 2048, 2, 512, 1, 1, 3, 3, 2, 2),
    ],
    "speaker_id": [
        (700, 161, 1, 1, 64, 5, 5, 1, 1, 2, 2),
        (350, 80, 64, 1, 64, 3, 3, 1, 1, 1, 1),
        (350, 80, 64, 1, 128, 5, 5, 1, 1, 2, 2),
        (175, 40, 128, 1, 128, 3, 3, 1, 1, 1, 1),
        (175, 40, 128, 1, 256, 5, 5, 1, 1, 2, 2),
        (84, 20, 256, 1, 256, 3, 3, 1, 1, 1, 1),
        (84, 20, 256, 1, 512, 5, 5, 1, 1, 2, 2),
        (42, 10, 512, 1, 512, 3, 3, 1, 1, 1, 1),
        (700, 161, 1, 2, 64, 5, 5, 1, 1, 2, 2),
        (350, 80, 64, 2, 64, 3, 3, 1, 1, 1, 1),
        (350, 80, 64, 2, 128, 5, 5, 1, 1, 2, 2),
        (175, 40, 128, 2, 128, 3, 3, 1, 1, 1, 1),
        (175, 40, 128, 2, 256, 5, 5, 1, 1, 2, 2),
        (84, 20, 256, 2, 256, 3, 3, 1, 1, 1, 1),
        (84, 20, 256, 2, 512, 5, 5, 1, 1, 2, 2),
        (42, 10, 512, 2, 512, 3, 3, 1, 1, 1, 1),
    ],
}


def deepbench(applications: Iterable[str]) -> Iterator[tuple[str, Shape]]:
    for application in applications:
        for number, row in enumerate(DEEPBENCH[application], start=1):
            w, h, c, n, k, filter_w, filter_h, pad_w, pad_h, stride_w, stride_h = row
            p = output_size(w, filter_w, pad_w, stride_w)
            q = output_size(h, filter_h, pad_h, stride_h)
            shape = Shape(filter_w, filter_h, p, q, c, k, n, Wstride=stride_w, Hstride=stride_h)
            yield f"{application}.{number}", shape


def merged(modules: Iterable[tuple[str, Shape]]) -> list[Layer]:
    """Distinct shapes with their counts, named after their first occurrence and in its order."""
    names: dict[Shape, list[str]] = {}
    for name, shape in modules:
        names.setdefault(shape, []).append(name)
    return [Layer(occurrences[0], len(occurrences), shape) for shape, occurrences in names.items()]


EXPECTED = {
    "alexnet": merged(alexnet()),
    "resnet50": merged(bottleneck_network(groups=1, group_width=64)),
    "resnext50_32x4d_cosa": merged(bottleneck_network(groups=32, group_width=4)),
    "deepbench": merged(deepbench(DEEPBENCH)),
    "deepbench_ocr_face": merged(deepbench(("ocr", "face_recognition"))),
}


def load_network(name: str) -> dict[str, Any]:
    document = yaml.safe_load((WORKLOADS / f"{name}.yaml").read_text(encoding="utf-8"))
    assert set(document) == {"network"}
    network: dict[str, Any] = document["network"]
    return network


def load_layers(name: str) -> list[Layer]:
    layers = []
    for entry in load_network(name)["layers"]:
        assert set(entry) == {"name", "count", "problem"}
        problem = dict(entry["problem"])
        assert problem.pop("shape") == "cnn-layer"
        layers.append(Layer(entry["name"], entry["count"], Shape(**problem)))
    return layers


@pytest.mark.parametrize("network", EXPECTED)
def test_layers_are_those_of_the_definition(network: str) -> None:
    assert load_layers(network) == EXPECTED[network]


@pytest.mark.parametrize("network", EXPECTED)
def test_file_is_well_formed(network: str) -> None:
    content = load_network(network)
    assert set(content) == {"name", "source", "layers"}
    assert content["name"]
    assert content["source"]
    layers = load_layers(network)
    assert len({layer.name for layer in layers}) == len(layers)
    assert len({layer.shape for layer in layers}) == len(layers)
    for layer in layers:
        assert all(type(value) is int and value > 0 for value in (layer.count, *layer.shape)), layer


@pytest.mark.parametrize(
    ("network", "distinct", "occurrences"),
    [
        ("alexnet", 8, 5 + 3),
        ("resnet50", 24, 53 + 1),
        ("resnext50_32x4d_cosa", 25, 53 + 1),
        ("deepbench", 76, 76),
        ("deepbench_ocr_face", 9, 9),
    ],
)
def test_number_of_layers(network: str, distinct: int, occurrences: int) -> None:
    layers = load_layers(network)
    assert len(layers) == distinct
    assert sum(layer.count for layer in layers) == occurrences


@pytest.mark.parametrize(
    ("network", "gmacs"), [("alexnet", 0.714), ("resnet50", 4.089), ("resnext50_32x4d_cosa", 4.230)]
)
def test_total_macs_are_those_of_torchvision(network: str, gmacs: float) -> None:
    """torchvision's weight metadata, `_ops` (GFLOPS in its documentation): 10^9 MACs at 224 x 224."""
    macs = sum(layer.count * layer.shape.macs for layer in load_layers(network))
    assert round(macs / 1e9, 3) == gmacs


@pytest.mark.parametrize(
    ("network", "parameters"), [("alexnet", 61_100_840), ("resnet50", 25_557_032), ("resnext50_32x4d_cosa", 25_028_904)]
)
def test_weights_are_those_of_torchvision(network: str, parameters: int) -> None:
    """torchvision's `num_params`: weights, biases (AlexNet, fc) and two a filter for batch normalisation."""
    total = 0
    for layer in load_layers(network):
        has_bias = network == "alexnet" or layer.name == "fc"
        total += layer.count * (layer.shape.weights + layer.shape.K * (1 if has_bias else 2))
    assert total == parameters


def test_deepbench_orientation() -> None:
    """DeepSpeech's second convolution reads what the first one writes: 341 x 79 from 700 x 161 by a 20 x 5 filter."""
    shapes = {layer.name: layer.shape for layer in load_layers("deepbench")}
    first, second_row = shapes["deepspeech.1"], DEEPBENCH["deepspeech"][3]
    assert second_row[:2] == (first.P, first.Q)
    assert (first.R, first.S) == (20, 5)


def test_deepbench_selection_is_part_of_the_whole_set() -> None:
    assert set(load_layers("deepbench_ocr_face")) <= set(load_layers("deepbench"))
