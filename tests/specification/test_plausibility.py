"""Units mixed up: a warning that says what was assumed, and nothing changed."""

from pathlib import Path

import pytest

from dse.specification.costs import costs_from_text
from dse.specification.document import Document, parse_document
from dse.specification.plausibility import doubts
from dse.specification.template import load_architecture, load_template

TEMPLATES = Path(__file__).resolve().parents[2] / "arch_templates"

ARCH = """arch:
  arithmetic: {instances: 256, word-bits: 16, energy: 1}
  storage:
    - {name: Registers, entries: 224, instances: 256, word-bits: 16}
    - {name: Buffer, entries: 65536, instances: 1, word-bits: 16, block-size: 4, vector-access-energy: 20,
       cluster-area: 300000}
    - {name: DRAM, technology: DRAM, instances: 1, word-bits: 16, block-size: 4, vector-access-energy: 800}
"""


def said(old: str = "", new: str = "") -> list[str]:
    assert old in ARCH
    document = parse_document(ARCH.replace(old, new) if old else ARCH, "arch.yaml")
    return [str(doubt) for doubt in doubts(document, load_architecture(document))]


def test_ordinary_figures_are_passed_over() -> None:
    assert said() == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("costs", ["pat", "cacti,node_nm=45", "cacti,node_nm=7,dram=HBM2"])
def test_no_shipped_template_is_doubted(path: Path, costs: str) -> None:
    architecture = costs_from_text(costs).apply(load_template(path).instantiate()[0])
    assert doubts(Document({}), architecture) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "entries: 65536",
            "entries: 108",
            "arch.yaml:5: arch.storage[1]: Buffer is taken to hold 108 words of 16 bits, 216 bytes an instance, for "
            "256 instances below it (sizeKB gives kilobytes): are the units right?",
        ),
        (
            "entries: 224",
            "entries: 5242880",
            "arch.yaml:4: arch.storage[0]: Registers is taken to hold 5,242,880 words of 16 bits, 10 MiB an instance, "
            "and serves 1 MACs: are the units right?",
        ),
        ("entries: 65536", "sizeKB: 2097152", "2 GiB an instance, on chip"),
        (
            "vector-access-energy: 20,",
            "vector-access-energy: 0.0002,",
            "an access to 64 bits of Buffer is taken to cost 0.0002 pJ",
        ),
        (
            "vector-access-energy: 20,",
            "vector-access-energy: 20000,",
            "an access to 64 bits of Buffer is taken to cost 20000 pJ",
        ),
        (
            "vector-access-energy: 800",
            "vector-access-energy: 0.8",
            "an access to 64 bits of DRAM is taken to cost 0.8 pJ",
        ),
        ("energy: 1}", "energy: 0.0001}", "arch.yaml:2: arch.arithmetic: an operation is taken to cost 0.0001 pJ"),
        ("cluster-area: 300000", "cluster-area: 0.3", "Buffer is taken to have 0.3 µm² for 128 KiB"),
        (
            "{instances: 256, word-bits: 16",
            "{instances: 256, word-bits: 256",
            "word-bits is taken as the bits of a word: 256",
        ),
    ],
)
def test_units_mixed_up_are_named_with_what_was_assumed(old: str, new: str, expected: str) -> None:
    found = said(old, new)
    assert len(found) <= 2
    assert any(expected in doubt for doubt in found), found
