"""The commands around a study as a user calls them: sweep, pareto, export, compare, validate."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dse.cli import main

ROOT = Path(__file__).resolve().parents[2]


def export(folder: Path, *options: str) -> bytes:
    path = folder.with_name("exported")
    assert main(["export", str(folder), *options, "--output", str(path)]) == 0
    return path.read_bytes()


def stored(folder: Path) -> int:
    """Committed results of a sweep that may be running."""
    store = folder / "results.sqlite"
    if not store.exists():
        return 0
    connection = sqlite3.connect(store)
    try:
        count: int = connection.execute("SELECT count(*) FROM result").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # the table is not made yet
    finally:
        connection.close()
    return count


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(study file, folder of its finished sweep), shared by tests that only read."""
    folder = tmp_path_factory.mktemp("finished")
    network = "problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}\n"
    (folder / "layer.yaml").write_text(network)
    study = folder / "study.yaml"
    study.write_text(
        "study: {name: shared, template: simba, parameters: {pe_count: [4, 8], global_buffer_kib: [32, 64]}, "
        "networks: [layer.yaml], objective: cosa}\n"
    )
    assert main(["sweep", str(study), "--output", str(folder / "run"), "--workers", "1", "--quiet"]) == 0
    return study, folder / "run"


def test_sweep_ends_with_the_front_its_files_and_what_to_do_next(
    finished: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    study, run = finished
    capsys.readouterr()
    assert main(["sweep", str(study), "--output", str(run), "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("shared: layer, objective cosa. 4 of 4 variants complete, ")
    assert lines[-3] == f"In {run}: pareto.csv, variants.csv, layers.csv, pareto.png, pareto.svg, report.html"
    assert lines[-1] == f"Report: {run}/report.html"
    assert lines[-2] == f"Look further: dse pareto {run} --all; dse export {run} --format csv --level layer"
    assert err == "4 schedules, 4 of them stored already\n"
    for name in ("pareto.csv", "variants.csv", "layers.csv", "pareto.png", "pareto.svg", "report.html"):
        assert (run / name).stat().st_size > 100


def test_pareto_prints_the_contract_object(finished: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, run = finished
    capsys.readouterr()
    assert main(["pareto", str(run), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["objectives"] == ["cycles", "energy_pJ"]
    assert [point["variant"] for point in answer["points"]] == ["v0", "v1", "v2", "v3"]
    for point in answer["points"]:
        assert point.keys() >= {"variant", "parameters", "cycles", "energy_pJ", "area_um2", "on_front"}
        assert point["networks"]["layer"]["cycles"] == point["cycles"]
    front = {point["variant"] for point in answer["points"] if point["on_front"]}
    assert main(["pareto", str(run), "--all"]) == 0
    table = capsys.readouterr().out
    assert {line.split()[0] for line in table.splitlines() if " * " in line and "front" not in line} == front


def test_exported_files_hold_the_same_as_standard_output(
    finished: tuple[Path, Path], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _, run = finished
    for file_format in ("csv", "jsonl", "parquet"):
        for level in ("layer", "variant"):
            options = ["--format", file_format, "--level", level]
            capfdbinary.readouterr()
            assert main(["export", str(run), *options]) == 0
            assert capfdbinary.readouterr().out == export(run, *options)
    assert export(run, "--format", "csv") == (run / "layers.csv").read_bytes()
    assert b"total_seconds" in export(run, "--format", "csv", "--timings")


def test_compare_puts_studies_side_by_side(
    finished: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, run = finished
    other = study.with_name("other.yaml")
    other.write_text(study.read_text().replace("shared", "other").replace("[4, 8]", "[16]"))
    assert main(["sweep", str(other), "--output", str(tmp_path / "run"), "--workers", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["compare", str(run), str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "hypervolume" in out
    assert f"  {run}  " in out
    assert main(["compare", "--json", str(run), str(tmp_path / "run")]) == 0
    (network,) = json.loads(capsys.readouterr().out)["networks"]
    assert [study["variants"] for study in network["studies"]] == [4, 2]
    assert main(["compare", str(run)]) == 2
    assert main(["compare", str(run), str(run)]) == 2


def test_interrupted_and_killed_sweeps_go_on_to_the_same_result(small_study: Path, tmp_path: Path) -> None:
    """Interrupt, then kill, then finish in another process; the export equals that of a sweep in one go, on Ray."""
    (small_study.parent / "first.yaml").write_text("problem: {R: 3, S: 3, P: 14, Q: 14, C: 64, K: 64, N: 1}\n")
    text = small_study.read_text().replace("[4, 8]", "[4, 8, 12, 16, 24, 32]").replace("128]", "128, 256]")
    small_study.write_text(text)
    total = 6 * 4 * 2
    run, whole = tmp_path / "run", tmp_path / "whole"
    options = ["--no-cache", "--workers", "1", "--output", str(run)]
    sweep = [sys.executable, "-m", "dse", "sweep", str(small_study), *options]
    for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)):
        before = stored(run)
        with subprocess.Popen(sweep, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 120
            while stored(run) <= before and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(number)
            _, err = process.communicate()
        assert process.returncode == expected
        assert before < stored(run) < total
        if expected == 130:
            again = f"dse sweep {small_study} --output {run} --workers 1 --no-cache"
            stopped = f"dse: interrupted; {stored(run)} schedules are stored in {run}, this goes on:\n     {again}\n"
            assert err.endswith(stopped)
            assert "Traceback" not in err
    left = stored(run)
    done = subprocess.run(sweep, capture_output=True, text=True, check=True)
    assert f"{total} schedules, {left} of them stored already" in done.stderr
    on_ray = [*sweep[:-4], "--workers", "2", "--output", str(whole)]
    done = subprocess.run(on_ray, capture_output=True, text=True, check=True, env=os.environ | {"HOME": str(tmp_path)})
    assert f"{total}/{total} schedules (100 %)" in done.stderr
    assert not (tmp_path / ".ray").exists()
    for file_format in ("csv", "jsonl", "parquet"):
        for level in ("layer", "variant"):
            options = ["--format", file_format, "--level", level]
            assert export(run, *options) == export(whole, *options)
    for name in ("pareto.csv", "pareto.svg", "pareto.png"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()


def test_variants_that_cannot_be_scheduled_are_listed_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.yaml").write_text(
        """variables: {words: 64}
arch:
  arithmetic: {instances: 4, word-bits: 8}
  storage:
    - {name: Buffer, entries: words, instances: 1, word-bits: 8}
    - {name: DRAM, technology: DRAM, instances: 1, word-bits: 8}
"""
    )
    (tmp_path / "layer.yaml").write_text("problem: {R: 1, S: 1, P: 2, Q: 2, C: 4, K: 4, N: 1}\n")
    study = tmp_path / "s.yaml"
    text = "study: {name: s, template: t.yaml, parameters: {words: [1, 64]}, networks: [layer.yaml], objective: cosa}"
    study.write_text(text)
    arguments = ["sweep", str(study), "--workers", "1", "--quiet", "--output"]
    assert main([*arguments, str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "1 of 2 variants complete, 1 on the Pareto front" in out
    assert "1 of 2 variants incomplete, not compared:\n  v0 words=1: layer: " in out
    assert main(["pareto", str(tmp_path / "run"), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["points"]
    assert (first["cycles"], first["on_front"], first["complete"]) == (None, False, False)
    assert first["error"].startswith("layer: ")
    assert second["complete"]
    study.write_text(text.replace("[1, 64]", "[1]"))
    assert main([*arguments, str(tmp_path / "none")]) == 1
    assert "0 of 1 variants complete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["sweep", "none.yaml", "--output", "run"], "none.yaml: cannot be read: No such file or directory"),
        (["sweep", "broken.yaml", "--output", "run"], "broken.yaml:1: not valid YAML"),
        (
            ["sweep", "typo.yaml", "--output", "run"],
            'typo.yaml:1: study.template: unknown template "simbaa"; did you mean',
        ),
        (["sweep", "good.yaml", "--output", "full"], 'full: holds something else ("notes.txt")'),
        (["sweep", "good.yaml"], "Missing option '--output'"),
        (["sweep", "good.yaml", "--output", "run", "--workers", "0"], "Invalid value for '--workers'"),
        (["sweep", "good.yaml", "--output", "run", "--workers", "2", "--address", "x"], "not both"),
        (["pareto", "none"], "none: there is no such folder"),
        (["pareto", "full"], "full: holds no study"),
        (["export", "full", "--format", "csv"], "full: holds no study"),
        (["export", "full", "--format", "xls"], "Invalid value for '--format'"),
        (["compare", "full", "none"], "full: holds no study"),
        (["validate"], "Missing argument"),
    ],
)
def test_wrong_calls_end_with_a_clear_line_and_status_2(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.yaml").write_text("study: [1")
    (tmp_path / "layer.yaml").write_text("problem: {R: 1, S: 1, P: 2, Q: 2, C: 4, K: 4, N: 1}\n")
    good = "study: {name: s, template: simba, parameters: {pe_count: [4]}, networks: [layer.yaml], objective: cosa}"
    (tmp_path / "good.yaml").write_text(good)
    (tmp_path / "typo.yaml").write_text(good.replace("simba", "simbaa"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("x")
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert expected in err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_validate_says_what_every_shipped_file_is(capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        path for folder in ("arch_templates", "workloads", "experiments") for path in (ROOT / folder).glob("*.yaml")
    ]
    assert main(["validate", *map(str, files)]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == len(files)
    assert "experiments/smoke.yaml: study of " in out
    assert "arch_templates/simba.yaml: template with the variables pe_count, " in out
    assert "workloads/resnet50.yaml: network ResNet-50 of 54 layers (24 listed), 4,089,184,256 MACs" in out


def test_validate_checks_files_that_belong_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "problem.yaml").write_text("problem: {R: 1, S: 1, P: 1, Q: 1, C: 4, K: 4, N: 1}\n")
    (tmp_path / "mapping.yaml").write_text(
        "mapping:\n  - {target: DRAM, type: temporal, factors: C=4 K=3}\n  - {target: DRAMM, type: temporal}\n"
    )
    arch, problem, mapping = (
        str(ROOT / "arch_templates/simba.yaml"),
        *(str(tmp_path / name) for name in ("problem.yaml", "mapping.yaml")),
    )
    assert main(["validate", mapping]) == 0
    assert "mapping (not checked: give it together with" in capsys.readouterr().out
    assert main(["validate", arch, problem, mapping]) == 2
    assert 'mapping.yaml:3: mapping[1].target: unknown storage level "DRAMM"; did you mean "DRAM"?' in (
        capsys.readouterr().err
    )
    Path(mapping).write_text("mapping: [{target: DRAM, type: temporal, factors: C=4 K=4}]\n")
    assert main(["validate", arch, problem, mapping]) == 0
    assert "mapping of the problem onto the architecture" in capsys.readouterr().out


def test_validate_reports_the_faults_of_all_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = {
        "a.yaml": "arch: {arithmetic: {instances: 0}, storage: [{name: D, class: DRAM, instances: 1, word: 8}]}",
        "b.yaml": "problem: {R: 1, S: 1, P: 1, Q: 1, C: x, N: 1}",
        "c.yaml": "netwrk: {}",
        "d.yaml": "",
    }
    for name, text in bad.items():
        (tmp_path / name).write_text(text)
    assert main(["validate", *(str(tmp_path / name) for name in bad), str(tmp_path / "e.yaml")]) == 2
    err = capsys.readouterr().err
    for part in (
        "a.yaml:1: arch.arithmetic.instances",
        "a.yaml:1: arch.storage[0].word",
        'b.yaml:1: problem.C: expected a positive integer, got "x"',
        "b.yaml:1: problem.K",
        'c.yaml:1: netwrk: unknown key; did you mean "network"?',
        "d.yaml",
        "e.yaml: cannot be read",
    ):
        assert part in err


def test_schedule_takes_a_template_with_its_defaults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "problem.yaml").write_text("problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}\n")
    arguments = [
        str(ROOT / "arch_templates/simba.yaml"),
        str(tmp_path / "problem.yaml"),
        "--objective",
        "cosa",
        "--json",
    ]
    assert main(["schedule", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["valid"]
