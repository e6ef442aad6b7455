"""The block `costs:`: sources, levels with figures of their own, users' tables, and what is wrong with them."""

from pathlib import Path

import pytest

from dse.errors import InputError
from dse.model.unit_costs import access_energies_pj, area_um2, mac_energy_pj
from dse.specification.architecture import Architecture
from dse.specification.costs import costs_from_text, memory_of
from dse.specification.document import load_document, parse_document
from dse.specification.space import RefusedVariant
from dse.specification.study import load_study
from dse.specification.template import load_architecture, load_template
from dse.technology.cacti import CactiSource, memory_cost
from dse.technology.component import Memory

TEMPLATES = Path(__file__).resolve().parents[2] / "arch_templates"

ARCH = """
arch:
  arithmetic: {instances: 64, word-bits: 8}
  storage:
    - {name: Registers, entries: 1, instances: 64, word-bits: 8, cluster-size: 8}
    - {name: Buffer, entries: 16384, instances: 1, word-bits: 8, block-size: 8}
    - {name: DRAM, technology: DRAM, instances: 1, word-bits: 8, block-size: 8}
"""


def read(costs: str = "", arch: str = ARCH) -> Architecture:
    return load_architecture(parse_document(arch + costs, "arch.yaml"))


def faults(costs: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(costs)
    return [str(fault) for fault in caught.value.faults]


def test_without_a_block_and_with_pat_nothing_is_explicit() -> None:
    assert read() == read("costs: {source: pat}") == read("costs: {}")
    assert read().costs == read("costs: {source: pat}").costs == "pat"
    assert area_um2(read()) is None


def test_cacti_gives_every_energy_and_area() -> None:
    architecture = read("costs: {source: cacti, node_nm: 22, dram: HBM2}")
    assert architecture.costs == "cacti 22 nm, HBM2"
    registers, buffer, dram = architecture.storage
    of_cluster = memory_cost(Memory(1, 64), 22)
    assert registers.read_energy_pj == of_cluster.read_energy_pj
    assert registers.area_um2 == (of_cluster.area_um2 or 0) / 8
    of_buffer = memory_cost(Memory(2048, 64), 22)
    assert access_energies_pj(buffer) == (
        of_buffer.read_energy_pj,
        of_buffer.write_energy_pj,
        of_buffer.write_energy_pj,
    )
    assert access_energies_pj(dram) == pytest.approx((64 * 3.92,) * 3)
    mac = CactiSource(22).mac(8)
    assert mac_energy_pj(architecture) == mac.read_energy_pj
    parts = 64 * (mac.area_um2 or 0), 8 * (of_cluster.area_um2 or 0), of_buffer.area_um2 or 0
    assert area_um2(architecture) == pytest.approx(sum(parts))


def test_what_the_architecture_says_itself_stays() -> None:
    own = ARCH.replace(
        "block-size: 8}\n    - {name: DRAM", "block-size: 8, vector-access-energy: 3}\n    - {name: DRAM"
    )
    architecture = read(
        "costs: {source: cacti}", own.replace("word-bits: 8}\n  storage", "word-bits: 8, energy: 2}\n  storage")
    )
    assert access_energies_pj(architecture.storage[1]) == (3, 3, 3)
    assert mac_energy_pj(architecture) == 2
    assert architecture.storage[1].area_um2 is not None


def test_levels_may_have_figures_or_a_source_of_their_own() -> None:
    architecture = read("""
costs:
  source: cacti
  arithmetic: {energy_pj: 0.4, area_um2: 500}
  storage:
    Buffer: {read_energy_pj: 7, write_energy_pj: 9, area_um2: 1000}
    DRAM: {energy_pj_per_bit: 10}
    Registers: {source: cacti, node_nm: 7}
""")
    registers, buffer, dram = architecture.storage
    assert access_energies_pj(buffer) == (7, 9, 9)
    assert access_energies_pj(dram) == (640, 640, 640)
    assert registers.read_energy_pj == memory_cost(Memory(1, 64), 7).read_energy_pj
    assert architecture.arithmetic.energy_pj == 0.4
    assert architecture.costs == (
        "cacti 45 nm, LPDDR4, own figures of arithmetic, Registers from cacti 7 nm, own figures of Buffer, "
        "own figures of DRAM"
    )


def test_what_an_entry_leaves_open_is_the_sources() -> None:
    architecture = read("costs: {source: cacti, arithmetic: {energy_pj: 1}, storage: {Buffer: {energy_pj: 5}}}")
    of_all = read("costs: {source: cacti}")
    assert area_um2(architecture) == area_um2(of_all)
    assert access_energies_pj(architecture.storage[1]) == (5, 5, 5)
    assert mac_energy_pj(architecture) == 1


def test_under_pat_a_source_of_one_level_gives_no_area_that_would_pass_for_the_whole() -> None:
    architecture = read("costs: {storage: {Buffer: {source: cacti}}}")
    assert architecture.storage[1].read_energy_pj == memory_cost(Memory(2048, 64), 45).read_energy_pj
    assert architecture.storage[0].read_energy_pj is None
    assert area_um2(architecture) is None


def test_a_table_is_read_by_level_and_by_capacity(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("""
arithmetic: {energy_pj: 0.5, area_um2: 100}
storage:
  Registers: {energy_pj: 0.1, area_um2: 2}
  Buffer: {capacity_bytes: [1024, 65536], energy_pj: [1, 8], area_um2: [1000, 64000]}
  DRAM: {energy_pj_per_bit: 4}
""")
    (tmp_path / "arch.yaml").write_text(ARCH + "costs: {source: table, file: own.yaml}")
    architecture = load_architecture(load_document(tmp_path / "arch.yaml"))
    assert architecture.costs == "table own.yaml"
    assert access_energies_pj(architecture.storage[1]) == pytest.approx((4, 4, 4))  # 16 KiB: two thirds of the decades
    assert area_um2(architecture) == pytest.approx(64 * 100 + 64 * 2 + 16000)


def test_figures_may_be_expressions_of_a_templates_variables() -> None:
    text = (
        ARCH.replace("16384", "kib * 1024") + "costs: {storage: {Buffer: {energy_pj: 0.5 * kib}}}\nvariables: {kib: 16}"
    )
    assert access_energies_pj(read(arch=text).storage[1]) == (8, 8, 8)


def test_reference_tables_of_a_file_are_those_in_the_document(tmp_path: Path) -> None:
    tables = """
ERT:
  version: 0.3
  tables:
    - {name: chip.Buffer, actions: [{name: random_read, energy: 5}, {name: random_fill, energy: 6}]}
ART: {version: 0.3, tables: [{name: chip.Buffer, area: 250}]}
"""
    (tmp_path / "tables.yaml").write_text(tables)
    (tmp_path / "arch.yaml").write_text(ARCH + "costs: {source: accelergy, file: tables.yaml}")
    by_file = load_architecture(load_document(tmp_path / "arch.yaml"))
    assert by_file == read(tables)
    assert by_file.storage[1].read_energy_pj == 5
    assert (by_file.costs, read(tables).costs) == ("accelergy tables.yaml", "accelergy")


def test_banks_smaller_than_those_that_are_built_do_not_count() -> None:
    level = read(
        arch=ARCH.replace("block-size: 8}\n    - {name: DRAM", "block-size: 8, num-banks: 256}\n    - {name: DRAM")
    )
    assert memory_of(level.storage[1]) == Memory(2048, 64, banks=32)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        (
            "costs: {source: cactus}",
            'arch.yaml:8: costs.source: expected one of pat, cacti, table, accelergy, got "cactus"',
        ),
        ("costs: {source: cacti, node: 22}", 'arch.yaml:8: costs.node: unknown key; did you mean "node_nm"?'),
        ("costs: {source: cacti, node_nm: [22]}", "arch.yaml:8: costs.node_nm: expected a number above 0, got a list"),
        ("costs: {source: pat, node_nm: 22}", "arch.yaml:8: costs.node_nm: unknown key"),
        ("costs: {source: cacti, file: own.yaml}", "arch.yaml:8: costs.file: has no meaning with the source cacti"),
        (
            "costs: {source: accelergy}",
            "arch.yaml:8: costs.file: expected the file that holds ERT (and ART), got nothing",
        ),
        (
            "costs: {storage: {Buffer: {energy_pj: 1, area_um2: 9}}}",
            "arch.yaml:8: costs: gives areas, but none of the MACs, Registers: give those of all, or of none",
        ),
        (
            "costs: {storage: {Bufer: {energy_pj: 1}}}",
            'costs.storage.Bufer: the architecture has no such level; did you mean "Buffer"?',
        ),
        (
            "costs: {storage: {Buffer: {area_um2: 1}}}",
            "expected energy_pj, or read_energy_pj and write_energy_pj, of Buffer",
        ),
        (
            "costs: {storage: {Buffer: {energy_pj: -1}}}",
            "costs.storage.Buffer.energy_pj: expected a number of at least 0, got -1",
        ),
        (
            "costs: {source: table, storage: {Buffer: {energy_pj: 1}}}",
            "expected figures of the level Registers: the table has none",
        ),
        ("costs: {storage: {Buffer: {capacity_bytes: [8, 4], energy_pj: [1, 2]}}}", "each larger than the one before"),
        (
            "costs: {storage: {Buffer: {capacity_bytes: [4, 8], energy_pj: [1]}}}",
            "expected 2 positive numbers, one for each",
        ),
        (
            "costs: {storage: {Buffer: {capacity_bytes: [4, 8], energy_pj: [1, 2]}}}",
            "a capacity in bytes of 16384 lies outside 4 to 8",
        ),
        (
            "costs: {source: cacti, node_nm: 65}",
            "arch.yaml:8: costs: Buffer: a node in nm of 65 lies outside 7 to 45 (extrapolate: true",
        ),
        ("costs: 3", "arch.yaml:8: costs: expected a mapping of keys, got 3"),
    ],
)
def test_faults_name_file_line_and_key(costs: str, expected: str) -> None:
    assert any(expected in fault for fault in faults(costs)), faults(costs)


def test_the_options_text() -> None:
    choice = costs_from_text("cacti,node_nm=22,dram=HBM2,extrapolate=true")
    assert choice.to_dict() == {"source": "cacti", "node_nm": 22, "dram": "HBM2", "extrapolate": True}
    assert choice.apply(read()).costs == "cacti 22 nm, HBM2, extrapolated"
    with pytest.raises(InputError, match='expected key=value, got "22"'):
        costs_from_text("cacti,22")


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("node_nm", [45, 22, 16, 7])
def test_every_shipped_template_has_costs_from_cacti(path: Path, node_nm: float) -> None:
    architecture, _ = load_template(path).instantiate()
    applied = costs_from_text(f"cacti,node_nm={node_nm}").apply(architecture)
    area = area_um2(applied)
    assert area is not None
    assert area > architecture.arithmetic.instances
    outside = [level for level in applied.storage if level.technology == "DRAM"]
    per_bit = [access_energies_pj(level)[0] / (level.block_size * level.word_bits) for level in outside]
    assert per_bit == pytest.approx([8.0] * len(outside))


STUDY = """
study:
  name: costs
  template: simba
  parameters: {global_buffer_kib: [64, 131072]}
  networks: [alexnet]
  costs: {source: cacti, node_nm: NODE}
"""


def test_a_study_replaces_the_costs_of_its_template(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("131072", "128").replace("NODE", "22"))
    variants = list(load_study(tmp_path / "study.yaml").space.variants())
    assert [variant.architecture.costs for variant in variants] == ["cacti 22 nm, LPDDR4"] * 2
    small, large = (area_um2(variant.architecture) or 0 for variant in variants)
    assert small < large


def test_variants_beyond_the_table_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("NODE", "22"))
    with pytest.raises(
        InputError,
        match=r"1 of 2 variants are no valid architecture; global_buffer_kib=131072: .*study.costs: GlobalBuffer",
    ):
        load_study(tmp_path / "study.yaml")
    (tmp_path / "study.yaml").write_text(STUDY.replace("NODE", "22, extrapolate: true"))
    study = load_study(tmp_path / "study.yaml")
    assert not isinstance(study.space.variant(1), RefusedVariant)


def test_faults_of_a_studys_costs_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("131072", "128").replace("node_nm: NODE", "node: 22"))
    with pytest.raises(InputError, match=r"study.yaml:7: study.costs.node: unknown key"):
        load_study(tmp_path / "study.yaml")
