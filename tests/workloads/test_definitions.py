"""The networks that workloads/make.py writes: the files are what it makes, and their totals those of the literature."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from dse.specification.network import Network, load_network

ROOT = Path(__file__).resolve().parents[2]
TORCHVISION = "torchvision's weight metadata: _ops (10^9 MACs at 224 x 224) and num_params"


def load(name: str) -> Network:
    return load_network(ROOT / "workloads" / f"{name}.yaml")


def test_files_are_what_their_definitions_make() -> None:
    command = [sys.executable, str(ROOT / "workloads" / "make.py"), "--check"]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stderr) == (0, "")


GMACS = {
    "vgg16": (15.470, TORCHVISION),
    "densenet161": (7.728, TORCHVISION),
    "resnet18_batch16": (16 * 1.814, TORCHVISION),
    "resnext50_32x4d": (4.230, TORCHVISION),
    "mobilenet_v2": (0.301, TORCHVISION),
    "efficientnet_b0": (0.386, TORCHVISION),
    "retinanet": (146, "detectron2, tests/test_model_analysis.py: convolutions of retinanet_R_50_FPN at 800 x 800"),
    "bert_base": (22.5 / 2, "Z. Sun et al., MobileBERT, ACL 2020, table 4: 22.5 GFLOPS at 128 tokens"),
    "gpt2": (
        (24 * 1024 * 12 * 768**2 + 4 * 1024**2 * 12 * 768 + 2 * 1024 * 768 * 50257) / 2e9,
        "D. Narayanan et al., SC 2021, appendix: 24 B s l h^2 + 4 B s^2 l h + 2 B s h V operations",
    ),
    # Of each of 32 blocks: 4 projections, 3 matrices of the feed-forward part, 2 products of attention.
    "llama_7b_prefill": (
        (32 * (4 * 69 + 3 * 185 + 2 * 34) / 2),
        "Z. Yuan et al., LLM Inference Unveiled, 2024, arXiv:2402.16363, table of the layers of Llama-2-7b, prefill",
    ),
    "llama_7b_decode": (
        (32 * (4 * 34 + 3 * 90 + 2 * 17) / 2 + 4096 * 32000 / 1e6) / 1e3,
        "the same, decode",
    ),
}


@pytest.mark.parametrize("name", GMACS)
def test_macs_are_those_of_the_literature(name: str) -> None:
    assert load(name).macs / 1e9 == pytest.approx(GMACS[name][0], rel=0.01)


# Published parameters, and those of them that no layer has: biases, normalisation, embeddings.
EMBEDDINGS_OF_BERT = (30522 + 512 + 2) * 768
PARAMETERS = {
    "vgg16": (138_357_544, 64 * 2 + 128 * 2 + 256 * 3 + 512 * 6 + 4096 * 2 + 1000),
    "resnet18_batch16": (11_689_512, 2 * (64 * 5 + (128 + 256 + 512) * 5) + 1000),
    "bert_base": (109_482_240, EMBEDDINGS_OF_BERT + 2 * 768 + 12 * (9 * 768 + 4 * 768) + 768),
    "gpt2": (124_439_808, 1024 * 768 + 12 * (9 * 768 + 4 * 768) + 2 * 768),
    "llama_7b_prefill": (6_738_415_616, 32000 * 4096 + (2 * 32 + 1) * 4096),
    "llama_7b_decode": (6_738_415_616, 32000 * 4096 + (2 * 32 + 1) * 4096),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_weights_are_those_published(name: str) -> None:
    """Parameters of torchvision and of the released models (bert-base-uncased, gpt2, Llama-2-7b)."""
    published, others = PARAMETERS[name]
    own = sum(
        layer.count * layer.problem.words(layer.problem.shape.data_spaces[0])
        for layer in load(name).layers
        if ".attention.scores" not in layer.name and ".attention.context" not in layer.name
    )
    assert own + others == published


def test_convolutions_of_one_filter_a_channel_are_grouped() -> None:
    for name, count in (("mobilenet_v2", 17), ("efficientnet_b0", 16)):
        grouped = [layer for layer in load(name).layers if layer.problem.shape.name == "grouped-convolution"]
        sizes = [dict(zip(layer.problem.shape.dimensions, layer.problem.bounds, strict=True)) for layer in grouped]
        assert sum(layer.count for layer in grouped) == count
        assert all(own["C"] == own["K"] == 1 < own["G"] for own in sizes)


def test_grouped_resnext_has_the_macs_and_weights_of_cosas_form_and_all_of_its_inputs() -> None:
    true, cosa = load("resnext50_32x4d"), load("resnext50_32x4d_cosa")
    for own, other in zip(true.layers, cosa.layers, strict=True):
        assert (own.name, own.count, own.problem.macs) == (other.name, other.count, other.problem.macs)
        words = [
            [problem.words(space) for space in problem.shape.data_spaces] for problem in (own.problem, other.problem)
        ]
        groups = 32 if own.problem.shape.name == "grouped-convolution" else 1
        assert words[0] == [words[1][0], groups * words[1][1], words[1][2]]


def test_unet_has_the_sizes_of_its_figure() -> None:
    """Figure 1 of the paper: the size after each step, and the channels of each level."""
    sizes = {layer.name: layer.problem.bounds[2] for layer in load("unet").layers}
    down = [(sizes[f"down{level}.conv1"], sizes[f"down{level}.conv2"]) for level in (1, 2, 3, 4, 5)]
    up = [(sizes[f"up{level}.conv1"], sizes[f"up{level}.conv2"]) for level in (4, 3, 2, 1)]
    assert down == [(570, 568), (282, 280), (138, 136), (66, 64), (30, 28)]
    assert up == [(54, 52), (102, 100), (198, 196), (390, 388)]
    assert sizes["output"] == 388


def test_dlrm_is_that_of_mlperf() -> None:
    """facebookresearch/dlrm, bench/run_and_time.sh: the MLPs are given there, the interaction is all pairs."""
    bottom, top = (13, 512, 256, 128), (128 + 27 * 26 // 2, 1024, 1024, 512, 256, 1)
    mlps = sum(a * b for sizes in (bottom, top) for a, b in pairwise(sizes))
    assert load("dlrm").macs == 128 * (mlps + 27 * 27 * 128)
