"""Whole models: MACs are those of the literature, and the layers those of the shipped files."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dse.importing.network import ImportedNetwork
from dse.specification.network import Network, format_network, load_network
from dse.specification.problem import Problem
from tests.importing.models import NETWORKS

WORKLOADS = Path(__file__).resolve().parents[2] / "workloads"
Import = Callable[..., ImportedNetwork]

TORCHVISION = "torchvision's weight metadata, _ops: 10^9 MACs"
LITERATURE = {
    "resnet50": (4.089, TORCHVISION),
    "resnext50_32x4d": (4.230, TORCHVISION),
    "fcn_resnet50": (152.717, TORCHVISION + " at 520 x 520"),
    "vgg16": (15.470, TORCHVISION),
    "mobilenet_v2": (0.301, TORCHVISION),
    "densenet161": (7.728, TORCHVISION),
    "bert_base": (22.5 / 2, "Z. Sun et al., MobileBERT, ACL 2020, table 4: 22.5 GFLOPS at 128 tokens"),
    # One token through matrices of 12 blocks (12 width^2) and the output, twice width for each token attended to.
    "gpt2_decode": (
        (12 * (12 * 768**2 + 2 * 1024 * 768) + 768 * 50257) / 1e9,
        "D. Narayanan et al., SC 2021, appendix: 24 B s l h^2 + 4 B s^2 l h + 2 B s h V operations",
    ),
}
DIMENSIONS = {"bert_base": {"sequence": 128}, "gpt2_decode": {"past": 1023}}


def problems(network: Network) -> Counter[Problem]:
    return Counter({layer.problem: layer.count for layer in network.layers})


@pytest.mark.parametrize("name", LITERATURE)
def test_macs_are_those_of_the_literature(name: str, imported: Import) -> None:
    network = imported(NETWORKS[name](), batch=1, dimensions=DIMENSIONS.get(name, {})).network
    assert network.macs / 1e9 == pytest.approx(LITERATURE[name][0], rel=0.01)


def test_unet_with_transposed_convolutions(imported: Import) -> None:
    """thop's 83.922 G (milesial/Pytorch-UNet issue 477) has four times the MACs of each of the 2 x 2 up-convolutions.

    It counts them at their outputs (ultralytics/thop pull request 93).
    """
    network = imported(NETWORKS["unet"](), batch=1).network
    up = sum(layer.count * layer.problem.macs for layer in network.layers if layer.name.startswith("up"))
    assert (network.macs + 3 * up) / 1e9 == pytest.approx(83.922, rel=0.01)
    assert [layer.name for layer in network.layers if layer.name.startswith("up")] == ["up3", "up2", "up1", "up0"]


@pytest.mark.parametrize("name", ["resnet50", "resnext50_32x4d", "vgg16", "mobilenet_v2", "densenet161", "bert_base"])
def test_layers_are_those_of_the_shipped_network(name: str, imported: Import) -> None:
    network = imported(NETWORKS[name](), batch=1, dimensions=DIMENSIONS.get(name, {})).network
    assert problems(network) == problems(load_network(WORKLOADS / f"{name}.yaml"))


@pytest.mark.parametrize("name", ["resnet50", "gpt2_decode"])
def test_the_batch_scales_the_operations(name: str, imported: Import) -> None:
    one, four = (imported(NETWORKS[name](), batch=batch, dimensions=DIMENSIONS.get(name, {})) for batch in (1, 4))
    assert four.network.macs == 4 * one.network.macs
    assert four.operations == 4 * one.operations


def test_nothing_is_dropped(imported: Import) -> None:
    """Every node is a layer or listed."""
    model = NETWORKS["resnet50"]()
    found = imported(model, batch=1)
    assert sum(layer.count for layer in found.network.layers) + sum(own.nodes for own in found.unscheduled) == len(
        model.nodes
    )
    by_operator = {own.operator: (own.nodes, own.operations, own.first) for own in found.unscheduled}
    assert by_operator["MaxPool"] == (1, 9 * 64 * 56 * 56, "t2")
    assert by_operator["Add"] == (16, (3 * 256 * 56**2 + 4 * 512 * 28**2 + 6 * 1024 * 14**2 + 3 * 2048 * 7**2), "t9")
    assert by_operator["Flatten"][1] == 0
    assert found.operations == found.network.macs + sum(own.operations or 0 for own in found.unscheduled)


def test_layers_are_named_after_the_first_of_their_shape(imported: Import) -> None:
    network = imported(NETWORKS["resnet50"](), batch=1).network
    shipped = load_network(WORKLOADS / "resnet50.yaml")
    assert {layer.name for layer in network.layers} >= {"conv1", "layer1.0.conv1", "layer4.1.conv2", "fc"}
    assert len(network.layers) == len(shipped.layers)


def test_the_written_file_reads_as_the_same_network(imported: Import, tmp_path: Path) -> None:
    network = imported(NETWORKS["mobilenet_v2"](), batch=1, name="null").network
    path = tmp_path / "network.yaml"
    path.write_text(format_network(network, ["a comment", "another"]), encoding="utf-8")
    assert load_network(path) == network
    assert network.name == "null"
