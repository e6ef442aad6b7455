"""Write the networks that have a definition here.

    python workloads/make.py [--check] [NAME...]

NAMES are those of the files, without .yaml; without any, all. With --check nothing is written: the exit status is 1
where a file is not what its definition makes.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from definitions import classification, language, recommendation, vision  # the folder of this file comes first
from definitions.layers import Definition

from dse.specification.network import format_network

FOLDER = Path(__file__).resolve().parent
DEFINITIONS: dict[str, Callable[[], Definition]] = {
    function.__name__: function
    for function in (
        classification.vgg16,
        classification.densenet161,
        classification.resnet18_batch16,
        classification.resnext50_32x4d,
        classification.mobilenet_v2,
        classification.efficientnet_b0,
        vision.unet,
        vision.retinanet,
        language.bert_base,
        language.gpt2,
        language.llama_7b_prefill,
        language.llama_7b_decode,
        recommendation.dlrm,
    )
}


def text_of(definition: Definition) -> str:
    """The content of a network file."""
    network = definition.network
    layers = sum(layer.count for layer in network.layers)
    comment = f"{definition.comment} {len(network.layers)} of {layers} layers are distinct. Made by workloads/make.py."
    return format_network(network, textwrap.wrap(comment, 118))


def main() -> int:
    """Write or check the files; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="*", help=", ".join(DEFINITIONS))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in DEFINITIONS]
    if unknown:
        parser.error(f"unknown network {', '.join(unknown)}; known: {', '.join(DEFINITIONS)}")
    status = 0
    for name in arguments.names or DEFINITIONS:
        path, text = FOLDER / f"{name}.yaml", text_of(DEFINITIONS[name]())
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not what its definition makes: python workloads/make.py {name}\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
