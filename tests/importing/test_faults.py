"""What is wrong with a model, or missing: a clear error that names the file and the node, never a traceback."""

import contextlib
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from dse.cli import main
from dse.errors import InputError
from dse.importing import import_network
from dse.specification.network import load_network
from tests.importing.models import NETWORKS, Model

ROOT = Path(__file__).resolve().parents[2]
IMAGE = [1, 3, 8, 8]


def small(*sizes: int | str | None) -> Model:
    model = Model()
    model.conv(model.input("image", sizes or IMAGE), 3, 4, 3, name="conv")
    return model


def faults(model: Model | onnx.ModelProto | bytes, tmp_path: Path, **options: Any) -> list[str]:
    path = tmp_path / "model.onnx"
    if isinstance(model, Model):
        model = model.proto()
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(InputError) as caught:
        import_network(path, **options)
    found = [str(fault) for fault in caught.value.faults]
    assert all(text.startswith(f"{path}: ") and text.isprintable() for text in found)
    return [text.removeprefix(f"{path}: ") for text in found]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no ONNX model: it holds no graph"),
        (b"hello, world", "is no ONNX model, or not all of one"),
        (small().proto().SerializeToString()[:-9], "is no ONNX model, or not all of one"),
        (bytes(100), "is no ONNX model, or not all of one"),
    ],
)
def test_no_model(content: bytes, message: str, tmp_path: Path) -> None:
    assert faults(content, tmp_path) == [message]


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.onnx", tmp_path / "a\0b"):
        with pytest.raises(InputError):
            import_network(path)


def test_a_file_above_two_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 2**31 + 5)  # no space is taken
    with pytest.raises(InputError, match="has 2,147,483,653 bytes, and an ONNX file at most 2 GiB"):
        import_network(path)


def test_weights_beside_the_model_are_not_looked_for(tmp_path: Path) -> None:
    assert import_network(small().save(tmp_path / "model.onnx")).network.macs == 64 * 9 * 12


def test_versions(tmp_path: Path) -> None:
    proto = small().proto()
    proto.opset_import[0].version = 999
    (text,) = faults(proto, tmp_path)
    assert text.startswith("opset 999 is later than the installed onnx")
    proto.opset_import[0].version = 6
    assert "too old" in faults(proto, tmp_path)[0]
    proto.opset_import[0].version = 17
    proto.ir_version = 99
    assert faults(proto, tmp_path)[0].startswith("IR version 99 is later than")
    proto.ir_version = 8
    del proto.opset_import[:]
    assert faults(proto, tmp_path) == ["does not say which opset it uses"]


def test_a_cycle_names_its_nodes(tmp_path: Path) -> None:
    proto = small().proto()
    proto.graph.node.append(helper.make_node("Add", ["t1", "after"], ["before"], name="first"))
    proto.graph.node.append(helper.make_node("Relu", ["before"], ["after"], name="second"))
    (text,) = faults(proto, tmp_path)
    assert text in (
        f"its nodes are in a cycle: {cycle}" for cycle in ("first -> second -> first", "second -> first -> second")
    )


def test_graphs_that_contradict_themselves_have_all_of_it_told(tmp_path: Path) -> None:
    proto = small().proto()
    proto.graph.node.append(helper.make_node("Relu", ["nothing"], ["t1"], name="twice"))
    proto.graph.node.append(helper.make_node("Relu", ["image"], ["image"], name="input"))
    assert faults(proto, tmp_path) == [
        "node twice (Relu): makes t1, which something else makes already",
        "node input (Relu): makes image, which something else makes already",
        "node twice (Relu): reads nothing, which nothing makes",
    ]
    proto = small().proto()
    proto.graph.node.append(helper.make_node("Bogus", ["t1"], ["t2"], name="odd"))
    assert faults(proto, tmp_path) == ["node odd (Bogus): opset 17 of ONNX has no such operator"]
    assert faults(onnx.ModelProto(ir_version=8, graph=onnx.GraphProto(name="empty")), tmp_path) == ["holds no nodes"]


def test_dynamic_dimensions_are_named_with_the_option(tmp_path: Path) -> None:
    model = small("batch", 3, None, "width")
    assert faults(model, tmp_path) == [
        f"the size of {name} is not in the file: give {option} (input image [batch, 3, image.2, width])"
        for name, option in (
            ("batch", "--dim batch=N or --batch N"),
            ("image.2", "--dim image.2=N"),
            ("width", "--dim width=N"),
        )
    ]
    sizes = {"image.2": 8, "width": 8}
    assert import_network(tmp_path / "model.onnx", batch=2, dimensions=sizes).network.macs == 2 * 64 * 9 * 12
    assert faults(model, tmp_path, batch=2, dimensions=sizes | {"widht": 3}) == [
        '--dim widht=3: no input has such a dynamic dimension; did you mean "width"?'
    ]
    assert "the batch is 2, and batch is 3" in faults(model, tmp_path, batch=2, dimensions=sizes | {"batch": 3})
    assert faults(small(), tmp_path, dimensions={"batch": 3}) == [
        "--dim batch=3: no input has such a dynamic dimension"
    ]


def test_a_fixed_batch_may_be_replaced_where_the_model_allows_it(tmp_path: Path) -> None:
    assert import_network(small().save(tmp_path / "a.onnx"), batch=5).network.macs == 5 * 64 * 9 * 12
    model = Model()
    model.node("Reshape", model.conv(model.input("image", IMAGE), 3, 4, 3), model.values(1, 256), name="flat")
    (text,) = faults(model, tmp_path, batch=2)
    assert text.startswith("node flat (Reshape): cannot make [1, 256] of [2, 4, 8, 8]")


def test_inputs_without_a_shape(tmp_path: Path) -> None:
    model = Model()
    model.conv(model.input("image", None), 3, 4, 3)
    assert faults(model, tmp_path) == ["input image has no shape in the file"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strides": [0, 1]}, "strides"),
        ({"strides": [1]}, "strides"),
        ({"strides": [1.5, 1.0]}, "strides"),
        ({"dilations": [1, -1]}, "dilations"),
        ({"group": 2}, "2 groups of filters [4, 3, 3, 3] do not fit 3 input channels"),
        ({"group": 0}, "group: expected positive integers"),
        ({"kernel_shape": [5, 5]}, "do not fit inputs"),
        ({"pads": [1]}, "pads"),
        ({"auto_pad": "SOME"}, 'unknown auto_pad "SOME"'),
    ],
)
def test_attributes_that_do_not_fit(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    model = Model()
    model.node("Conv", model.input("image", IMAGE), model.weight(4, 3, 3, 3), name="conv", **change)
    assert any(text.startswith("node conv (Conv): ") and message in text for text in faults(model, tmp_path))


def test_constants_whose_data_do_not_fill_their_shape(tmp_path: Path) -> None:
    proto = small().proto()
    proto.graph.initializer.add(name="odd", data_type=TensorProto.INT64, dims=[4], raw_data=b"1234")
    assert faults(proto, tmp_path) == ["tensor odd: its data do not fit its type and shape"]


def test_products_that_do_not_fit(tmp_path: Path) -> None:
    model = Model()
    tensor = model.input("x", [2, 8])
    model.linear(tensor, 9, 4, name="gemm")
    model.node("MatMul", tensor, model.weight(7, 4), name="matmul")
    found = faults(model, tmp_path)
    assert [text.partition(":")[0] for text in found] == ["node gemm (Gemm)", "node matmul (MatMul)"]
    model = Model()
    model.node("Einsum", model.input("x", [2, 8]), model.weight(7, 4), name="einsum", equation="ij,jk->ik")
    assert faults(model, tmp_path)[0].startswith("node einsum (Einsum): ")


def test_attention_that_does_not_fit(tmp_path: Path) -> None:
    for key, heads in (([1, 9, 96], 4), ([1, 9, 128], 3)):
        model = Model(opset=24)
        query, keys, values = (model.input(name, sizes) for name, sizes in (("q", [1, 5, 64]), ("k", key), ("v", key)))
        model.node("Attention", query, keys, values, name="attention", q_num_heads=4, kv_num_heads=heads)
        assert faults(model, tmp_path)[0].startswith("node attention (Attention): ")


def test_operators_that_are_not_supported_are_named_all_at_once(tmp_path: Path) -> None:
    model = small()
    model.node("FusedMatMul", "t1", model.weight(8, 8), name="fused", domain="com.microsoft")
    model.node(
        "LSTM", model.input("x", [5, 1, 8]), model.weight(1, 16, 8), model.weight(1, 16, 4), name="lstm", hidden_size=4
    )
    body = helper.make_graph(
        [helper.make_node("MatMul", ["image", "image"], ["z"])], "body", [], [helper.make_empty_tensor_value_info("z")]
    )
    flag = model.input("flag", [], TensorProto.BOOL)
    model.node("If", flag, name="if", then_branch=body, else_branch=body)
    option = "(--skip-unsupported lists it as not scheduled)"
    assert faults(model, tmp_path) == [
        f"node fused (com.microsoft.FusedMatMul): is no operator of ONNX, and the model does not define it {option}",
        f"node lstm (LSTM): multiplies and accumulates in a way that is no layer {option}",
        f"node if (If): has layers in its body, and how often they run is not in the file {option}",
    ]
    found = import_network(tmp_path / "model.onnx", skip_unsupported=True)
    assert {own.operator: own.operations for own in found.unscheduled} == {
        "com.microsoft.FusedMatMul": None,
        "LSTM": None,
        "If": None,
        "Relu": 4 * 64,
    }


def test_layers_that_cannot_be_expressed(tmp_path: Path) -> None:
    model = small()
    model.node("Conv", model.input("video", [1, 3, 8, 8, 8]), model.weight(4, 3, 3, 3, 3), name="video")
    model.node("Einsum", *(model.input(name, [4, 4]) for name in "abc"), name="three", equation="ij,jk,kl->il")
    model.node("Einsum", "a", "b", name="trace", equation="ii,ij->j")
    found = faults(model, tmp_path)
    assert [text.partition(":")[0] for text in found] == [
        "node video (Conv)",
        "node three (Einsum)",
        "node trace (Einsum)",
    ]


def test_shapes_that_only_running_tells(tmp_path: Path) -> None:
    model = Model()
    tensor = model.input("x", [6, 8])
    kept = model.node("Compress", tensor, model.input("which", [6], TensorProto.BOOL), axis=0, name="select")
    model.linear(model.node("Relu", kept), 8, 4, name="fc")
    (text,) = faults(model, tmp_path)
    assert text.startswith(
        "node fc (Gemm): the shape of t1 is known only when the model runs: it is lost at node select"
    )


def test_sizes_beyond_counting(tmp_path: Path) -> None:
    model = Model()
    model.node("MatMul", model.input("x", [2**40, 2**40]), model.weight(2**40, 2**40), name="vast")
    assert all(text.startswith("node vast (MatMul): ") and "too many" in text for text in faults(model, tmp_path))
    model = Model()
    model.linear(model.input("x", [0, 8]), 8, 4, name="none")
    assert faults(model, tmp_path) == ["node none (Gemm): is empty: R = 1, S = 1, P = 0, Q = 1, C = 8, K = 4, N = 1"]


def test_functions_that_would_make_billions_of_nodes(tmp_path: Path) -> None:
    """Each of twelve functions calls the next ten times."""
    proto = small().proto()
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    for level in range(12):
        names = [f"x{step}" for step in range(11)]
        calls = [
            helper.make_node(
                f"F{level + 1}" if level < 11 else "Relu", [own], [after], domain="local" if level < 11 else ""
            )
            for own, after in pairwise(names)
        ]
        proto.functions.append(helper.make_function("local", f"F{level}", ["x0"], ["x10"], calls, opsets))
    proto.opset_import.append(opsets[1])
    proto.graph.node.append(helper.make_node("F0", ["t1"], ["last"], domain="local"))
    refusal = "its functions make more than 1,000,000 nodes, or call themselves"
    assert faults(proto, tmp_path) == [refusal]
    del proto.functions[:]
    call = helper.make_node("F0", ["x0"], ["x10"], domain="local")
    proto.functions.append(helper.make_function("local", "F0", ["x0"], ["x10"], [call], opsets))
    assert faults(proto, tmp_path) == [refusal]


def test_large_strides_and_filters_take_no_time(tmp_path: Path) -> None:
    model = Model()
    model.node("ConvTranspose", model.input("x", [1, 1, 4]), model.weight(1, 1, 3), strides=[2**31], name="wide")
    path = model.save(tmp_path / "model.onnx")
    assert sum(layer.problem.macs for layer in import_network(path).network.layers) == 4 * 3
    model = Model()
    model.node("ConvTranspose", model.input("x", [1, 1, 4]), model.weight(1, 1, 2**40), name="long")
    assert faults(model, tmp_path) == ["node long (ConvTranspose): filters [1, 1, 1099511627776] are too large"]


def test_nothing_to_schedule(tmp_path: Path) -> None:
    model = Model()
    model.node("Relu", model.input("x", [4]))
    assert faults(model, tmp_path)[0].startswith("nothing to schedule")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    """Bytes of a real model changed at random: a network or an InputError, nothing else."""
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        import_network(path, batch=1)


def damaged_whole() -> bytes:
    model = Model(opset=24)
    tensor = model.pool(model.conv(model.input("image", ["batch", 4, 8, 8]), 4, 8, 3, groups=2))
    tensor = model.node("ConvTranspose", tensor, model.weight(8, 4, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    sizes = model.node("Shape", tensor)
    first = model.node("Gather", sizes, model.values(0), axis=0)
    flat = model.node("Reshape", tensor, model.node("Concat", first, model.values(4, -1), axis=0))
    scores = model.node("MatMul", flat, model.node("Transpose", flat, perm=[0, 2, 1]))
    model.node("Einsum", scores, flat, equation="bij,bjk->bik")
    return model.proto().SerializeToString()


WHOLE = damaged_whole()


def run(*arguments: object) -> int:
    return main(["import", *map(str, arguments)])


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, output = NETWORKS["resnet50"]().save(tmp_path / "resnet50.onnx"), tmp_path / "network.yaml"
    assert run(path, "--dim", "batch=2", "--name", "mine", "--output", output) == 0
    text = capsys.readouterr().out
    assert text.startswith("mine: 54 layers in 24 shapes, 8,178,368,512 MACs\n")
    assert "Not scheduled: 0.41% of 8,212,438,016 operations" in text
    network = load_network(output)
    assert (network.name, network.macs) == ("mine", 8_178_368_512)
    assert network.source == "resnet50.onnx, ONNX opset 17, batch 2, batch = 2"
    assert run(path, "--batch", 1, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["macs"], len(answer["layers"]), answer["layers"][0]["name"]) == (4_089_184_256, 24, "conv1")
    assert sum(own["operations"] for own in answer["unscheduled"]) == answer["operations"] - answer["macs"]


@pytest.mark.parametrize(
    "arguments",
    [["--dim", "batch"], ["--dim", "batch=-1"], ["--dim", "=3"], ["--batch", "0"], ["--dim", "b=1", "--dim", "b=2"]],
)
def test_wrong_calls_end_with_status_2(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small("b", 3, 8, 8).save(tmp_path / "model.onnx"), *arguments) == 2
    assert capsys.readouterr().err


def test_an_output_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(small().save(tmp_path / "model.onnx"), "--output", tmp_path / "no" / "such.yaml") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_without_the_package_onnx_the_command_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "onnx.py").write_text("raise ImportError('no onnx here')\n", encoding="utf-8")
    path = small().save(tmp_path / "model.onnx")
    completed = subprocess.run(
        [sys.executable, "-m", "dse", "import", str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))},
        cwd=tmp_path,
    )
    assert completed.returncode == 3
    assert completed.stderr.startswith("dse: ONNX models are read with the package onnx")
    assert 'pip install "dse[onnx]"' in completed.stderr
