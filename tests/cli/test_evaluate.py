"""`dse evaluate` from the command line: answers, exit statuses, batches, and errors without a traceback."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dse.cli import main
from dse.cli.evaluation import BLOCK_LINES

ARCH: dict[str, Any] = {
    "arithmetic": {"instances": 8, "word-bits": 16},
    "storage": [
        {"name": "Registers", "instances": 8, "entries": 64},
        {"name": "Buffer", "instances": 1, "entries": 4096, "read_bandwidth": 4},
        {"name": "DRAM", "instances": 1, "technology": "DRAM", "bandwidth": 1},
    ],
}
PROBLEM: dict[str, Any] = {"shape": "cnn-layer", "R": 3, "S": 1, "P": 8, "Q": 1, "C": 4, "K": 8, "N": 1}
MAPPING: list[dict[str, Any]] = [
    {"target": "Registers", "type": "temporal", "factors": "R=3 C=2", "permutation": "RC"},
    {"target": "Buffer", "type": "spatial", "factors": "K=8"},
    {"target": "Buffer", "type": "temporal", "factors": "P=8"},
    {"target": "DRAM", "type": "temporal", "factors": "C=2"},
    {"target": "Buffer", "type": "bypass", "bypass": ["Weights"]},
]
POINT = {"arch": ARCH, "problem": PROBLEM, "mapping": MAPPING}
TOO_SMALL = ARCH | {"storage": [{"name": "Registers", "instances": 8, "entries": 2}, *ARCH["storage"][1:]]}
REASON = "couldn't map level Registers: mapped tile size 13 exceeds buffer capacity 2"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command line: (exit status, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as error:  # --help
            status = int(error.code or 0)
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return status, output.out, output.err

    return call


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The point as three files, as CoSA and Timeloop have them."""
    found = {}
    for key, content in POINT.items():
        found[key] = tmp_path / f"{key}.yaml"
        found[key].write_text(yaml.safe_dump({key: content}, sort_keys=False))
    return found


def write_batch(path: Path, *lines: object) -> Path:
    """One line each: bytes as they are, anything else as JSON."""
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines) + b"\n")
    return path


def answers(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# One mapping


def test_table_for_a_person(run: Run, files: dict[str, Path]) -> None:
    status, out, err = run("evaluate", *files.values())
    assert (status, err) == (0, "")
    for words in ("Registers", "Buffer", "DRAM", "for P in 0..7", "K in 0..7 (spatial, X)", "cycles", "utilization"):
        assert words in out
    assert "bound by the bandwidth of DRAM" in out


def test_json_is_one_object_as_the_contract_says(run: Run, files: dict[str, Path]) -> None:
    status, out, err = run("evaluate", "--json", *reversed(files.values()))
    assert (status, err) == (0, "")
    answer = json.loads(out)
    assert answer["valid"] is True
    assert {"cycles", "energy_pJ", "utilization", "area_um2", "levels"} <= answer.keys()
    assert answer["area_um2"] is None
    assert [level["name"] for level in answer["levels"]] == ["Registers", "Buffer", "DRAM"]
    assert answer["levels"][1]["tensors"].keys() == {"Inputs", "Outputs"}
    for level in answer["levels"]:
        assert {"name", "cycles", "tensors"} <= level.keys()
        for counts in level["tensors"].values():
            assert counts.keys() == {"reads", "fills", "updates", "energy_pJ"}
    assert answer["cycles"] == max(level["cycles"] for level in answer["levels"])
    # Weights are read once in full: 8 filters of 4 channels and 3 rows.
    assert answer["levels"][2]["tensors"]["Weights"]["reads"] == 96


def test_one_file_may_hold_everything_and_architecture_may_be_spelt_out(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump({"architecture": ARCH, "problem": PROBLEM, "mapping": MAPPING}))
    assert run("evaluate", path)[0] == 0


def test_a_mapping_that_does_not_fit_is_status_1_with_timeloops_reason(run: Run, files: dict[str, Path]) -> None:
    files["arch"].write_text(yaml.safe_dump({"arch": TOO_SMALL}))
    assert run("evaluate", *files.values()) == (1, "", f"invalid: {REASON}\n")
    status, out, err = run("evaluate", "--json", *files.values())
    assert (status, json.loads(out), err) == (1, {"valid": False, "error": REASON}, "")


# Wrong input: status 2, every fault on a line of its own


def test_wrong_values_name_file_line_and_key(run: Run, files: dict[str, Path]) -> None:
    text = files["arch"].read_text().replace("entries: 4096", "entries: 16k").replace("word-bits", "word-bit")
    files["arch"].write_text(text)
    files["problem"].write_text("problem:\n  R: 3\n  S: 0\n  P: 8\n  Q: 1\n  C: 4\n  N: 1\n")
    status, out, err = run("evaluate", "--json", *files.values())
    assert (status, out) == (2, "")
    arch, problem = files["arch"], files["problem"]
    lines = [f"{number}" for number, line in enumerate(text.splitlines(), 1) if "word-bit" in line or "16k" in line]
    assert err.splitlines() == [
        f'dse: {arch}:{lines[0]}: arch.arithmetic.word-bit: unknown key; did you mean "word-bits"?',
        f'dse: {arch}:{lines[1]}: arch.storage[1].entries: expected an integer of at least 0, got "16k"',
        f"dse: {problem}:3: problem.S: expected a positive integer, got 0",
        f"dse: {problem}:1: problem.K: expected a positive integer, got nothing",
    ]


def test_factors_that_do_not_multiply(run: Run, files: dict[str, Path]) -> None:
    files["mapping"].write_text(yaml.safe_dump({"mapping": MAPPING[:-2]}))
    status, _, err = run("evaluate", *files.values())
    assert status == 2
    assert "product of all factors of dimension C is 2, which is not equal to the dimension size" in err
    assert f"{files['mapping']}:1: mapping" in err


def test_files_that_are_no_input(run: Run, files: dict[str, Path], tmp_path: Path) -> None:
    contents = {"empty.yaml": "", "list.yaml": "- 1", "broken.yaml": "arch: [", "twice.yaml": "arch: 1"}
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    names = [*contents, "missing.yaml"]
    status, out, err = run("evaluate", files["arch"], *(tmp_path / name for name in names), tmp_path)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 6
    for name in names:
        assert str(tmp_path / name) in err
    assert f"dse: {tmp_path}: cannot be read: Is a directory" in err


@pytest.mark.parametrize("left_out", ["arch", "problem", "mapping"])
def test_a_missing_part_is_named(run: Run, files: dict[str, Path], left_out: str) -> None:
    status, _, err = run("evaluate", *(path for key, path in files.items() if key != left_out))
    assert status == 2
    assert f"no file has the key {left_out}" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--batch"],
        ["--batch", "in.jsonl", "arch.yaml"],
        ["--evaluator", "guess", "arch.yaml"],
        ["arch.yaml", "--output", "out.jsonl"],
        ["--jsn", "arch.yaml"],
    ],
)
def test_wrong_calls(run: Run, arguments: list[str]) -> None:
    status, out, err = run("evaluate", *arguments)
    assert (status, out) == (2, "")
    assert "Error:" in err


# Batches


def test_batch_answers_line_for_line_and_echoes_ids(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    nested = b'{"id": 9, "arch": ' + b"[" * 100_000
    write_batch(
        source,
        POINT | {"id": 7, "note": "other keys are ignored"},
        POINT | {"arch": TOO_SMALL, "id": "small"},
        b"not json",
        b"",
        [1, 2],
        {"id": {"any": "value"}, "arch": ARCH},
        POINT | {"problem": PROBLEM | {"R": -3, "Z": 1}},
        POINT | {"mapping": MAPPING[:1], "id": None},
        POINT | {"mapping": [{"target": "Buffer", "type": "bypass", "keep": [["Weights"]]}]},
        POINT | {"arch": None},
        b'{"id": 8, "arch": {"storage": NaN}, "problem": 1e999, "mapping": Infinity}',
        b"\xff\xfe",
        nested,
        POINT,
    )
    assert run("evaluate", "--batch", source, "--output", target) == (0, "", "")
    found = answers(target)
    assert len(found) == 14
    assert [answer["valid"] for answer in found] == [True, *[False] * 12, True]
    ids = {index: answer["id"] for index, answer in enumerate(found) if "id" in answer}
    assert ids == {0: 7, 1: "small", 5: {"any": "value"}, 7: None, 10: 8}
    assert {key: value for key, value in found[0].items() if key != "id"} == found[13]
    assert found[1] == {"id": "small", "valid": False, "error": REASON}
    assert all(answer["error"] for answer in found[1:13])
    assert "problem: expected a value, got nothing" in found[5]["error"]
    assert "mapping: expected a value, got nothing" in found[5]["error"]
    assert "problem.R: expected a positive integer, got -3" in found[6]["error"]
    assert "problem.Z: unknown key" in found[6]["error"]
    assert not list(tmp_path.glob(".*"))


def test_batch_answer_equals_the_single_one(run: Run, files: dict[str, Path], tmp_path: Path) -> None:
    source = write_batch(tmp_path / "in.jsonl", POINT)
    _, single, _ = run("evaluate", "--json", *files.values())
    assert run("evaluate", "--batch", source) == (0, single, "")


def test_an_empty_batch_has_no_answers(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.touch()
    assert run("evaluate", "--batch", source, "--output", target) == (0, "", "")
    assert target.read_bytes() == b""


def test_a_batch_larger_than_one_block_keeps_its_order(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    good, bad = json.dumps(POINT)[1:], json.dumps(POINT | {"arch": TOO_SMALL})[1:]
    source.write_text("".join(f'{{"id": {i}, {bad if i % 3 else good}\n' for i in range(BLOCK_LINES + 50)))
    assert run("evaluate", "--batch", source, "--output", target)[0] == 0
    found = answers(target)
    assert [answer["id"] for answer in found] == list(range(BLOCK_LINES + 50))
    assert [answer["valid"] for answer in found] == [i % 3 == 0 for i in range(BLOCK_LINES + 50)]


def test_a_batch_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    missing, target = tmp_path / "missing.jsonl", tmp_path / "out.jsonl"
    for arguments in ([], ["--output", target]):
        status, out, err = run("evaluate", "--batch", missing, *arguments)
        assert (status, out) == (2, "")
        assert err == f"dse: {missing}: cannot be read: No such file or directory\n"
    assert run("evaluate", "--batch", tmp_path)[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    source = write_batch(tmp_path / "in.jsonl", POINT)
    for target in (tmp_path / "no folder" / "out.jsonl", source / "out.jsonl"):
        status, out, err = run("evaluate", "--batch", source, "--output", target)
        assert (status, out) == (2, "")
        assert err.startswith(f"dse: {target}: cannot be written: ")
    status, _, err = run("evaluate", "--batch", source, "--output", tmp_path)
    assert status == 2
    assert "is a directory" in err


def test_an_output_takes_its_name_only_when_it_is_complete(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("what was there\n")
    assert run("evaluate", "--batch", tmp_path / "missing.jsonl", "--output", target)[0] == 2
    assert target.read_text() == "what was there\n"
    assert run("evaluate", "--batch", write_batch(tmp_path / "in.jsonl", POINT), "--output", target)[0] == 0
    assert answers(target)[0]["valid"] is True


def test_an_output_that_is_a_pipe_stays_one(run: Run, tmp_path: Path) -> None:
    source, pipe = write_batch(tmp_path / "in.jsonl", POINT), tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    assert run("evaluate", "--batch", source, "--output", pipe)[0] == 0
    reader.join(timeout=10)
    assert json.loads(received[0])["valid"] is True
    assert pipe.is_fifo()


def test_an_output_that_is_a_link_is_followed(run: Run, tmp_path: Path) -> None:
    source, real, link = write_batch(tmp_path / "in.jsonl", POINT), tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    link.symlink_to(real)
    assert run("evaluate", "--batch", source, "--output", link)[0] == 0
    assert link.is_symlink()
    assert answers(real)[0]["valid"] is True


# As a process


def test_module_prints_one_line_for_a_missing_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dse", "evaluate", str(tmp_path / "missing.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"dse: {tmp_path / 'missing.yaml'}: cannot be read: No such file or directory\n"


def test_a_reader_that_goes_away_is_no_error(files: dict[str, Path], tmp_path: Path) -> None:
    source = write_batch(tmp_path / "in.jsonl", *[POINT] * 300)
    command = f'"{sys.executable}" -m dse evaluate --batch "{source}" | head -n 1'
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["valid"] is True
    assert done.stderr == ""
