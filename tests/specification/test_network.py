"""Networks: the shipped ones load, layers may stand in files, and every fault has its line."""

from pathlib import Path

import pytest

from dse.errors import InputError
from dse.specification.network import Layer, Network, format_network, load_network

WORKLOADS = Path(__file__).resolve().parents[2] / "workloads"
PROBLEM = "{R: 1, S: 1, P: 7, Q: 7, C: 8, K: 16, N: 1}"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(WORKLOADS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_network_loads(path: Path) -> None:
    network = load_network(path)
    assert network.name
    assert network.source
    assert network.macs == sum(layer.count * layer.problem.macs for layer in network.layers)


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "bert_base"])
def test_what_is_written_reads_as_the_same_network(name: str, tmp_path: Path) -> None:
    network = load_network(WORKLOADS / f"{name}.yaml")
    text = format_network(network, ["a comment"])
    assert text.startswith("# a comment\nnetwork:\n")
    assert load_network(write(tmp_path / "n.yaml", text)) == network


def test_names_that_yaml_would_read_as_something_else(tmp_path: Path) -> None:
    problem = load_network(WORKLOADS / "resnet50.yaml").layers[0].problem
    names = ["no", "1", "a: b", "# c", "x\ny", "{", "é", "", "~", "-"]
    layers = tuple(Layer(name, 1, problem) for name in names if name)
    network = Network("null", "12", layers)
    assert load_network(write(tmp_path / "n.yaml", format_network(network))) == network


def test_resnet50_has_54_layers_in_24_shapes() -> None:
    network = load_network(WORKLOADS / "resnet50.yaml")
    assert len(network.layers) == len({layer.problem for layer in network.layers}) == 24
    assert sum(layer.count for layer in network.layers) == 54


def test_problem_file_is_a_network_of_one_layer(tmp_path: Path) -> None:
    network = load_network(write(tmp_path / "conv.yaml", f"problem: {PROBLEM}"))
    assert [(layer.name, layer.count, layer.problem.macs) for layer in network.layers] == [("conv", 1, 49 * 128)]


def test_layer_may_name_a_problem_file(tmp_path: Path) -> None:
    (tmp_path / "layers").mkdir()
    write(tmp_path / "layers" / "conv.yaml", f"problem: {PROBLEM}")
    text = "network: {name: n, layers: [{name: a, count: 3, problem: layers/conv.yaml}]}"
    assert load_network(write(tmp_path / "n.yaml", text)).macs == 3 * 49 * 128


def test_all_faults_are_reported_with_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path / "n.yaml",
        f"""network:
  name: n
  layers:
    - {{name: a, count: 0, problem: {PROBLEM}}}
    - {{name: a, problem: {PROBLEM.replace("K: 16, ", "")}}}
    - {{name: b, counts: 2, problem: {PROBLEM.replace("7", "seven", 1)}}}
    - {{name: c, problem: missing.yaml}}
    - {{problem: 3}}
  sources: x
""",
    )
    with pytest.raises(InputError) as caught:
        load_network(path)
    found = [str(fault).removeprefix(f"{path}:") for fault in caught.value.faults]
    assert found == [
        "4: network.layers[0].count: expected a positive integer, got 0",
        "5: network.layers[1].problem.K: expected a positive integer, got nothing",
        '5: network.layers[1].name: another layer is called "a" already',
        '6: network.layers[2].problem.P: expected a positive integer, got "seven"',
        '6: network.layers[2].counts: unknown key; did you mean "count"?',
        f"7: network.layers[3].problem: there is no file {tmp_path / 'missing.yaml'}",
        "8: network.layers[4].name: expected a text, got nothing",
        "8: network.layers[4].problem: expected a problem or the name of a problem file, got 3",
        '9: network.sources: unknown key; did you mean "source"?',
    ]


@pytest.mark.parametrize("text", ["", "[1]", "layers: []", "network: 3", "network: {name: n, layers: []}"])
def test_nonsense_is_an_input_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        load_network(write(tmp_path / "n.yaml", text))
