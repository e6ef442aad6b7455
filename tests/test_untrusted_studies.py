"""A study from a stranger runs no code, writes nowhere but into the output folder, and takes no machine down."""

import itertools
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dse.cli import main

LAYER = "problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}"
STUDY = """study:
  name: {name}
  template: {template}
  parameters:
    pe_count: [4, 8]
  constraints: {constraints}
  networks: [{network}]
  objective: cosa
"""
TAGS = (
    "!!python/object/apply:os.system ['touch pwned']",
    "!!python/object/new:os.system ['touch pwned']",
    "!!python/object/apply:subprocess.check_output [[touch, pwned]]",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!python/object:dse.errors.Fault {message: x}",
    "!mine x",
)
EXPRESSIONS = (
    "__import__('os').system('touch pwned')",
    "().__class__.__base__.__subclasses__()",
    "pe_count.__class__",
    "(lambda: 1)()",
    "[x for x in (1,)][0]",
    "f'{pe_count}'",
    "exec('1')",
    "open('pwned', 'w')",
    "9**9**9**9",
    "(" * 240 + "1" + ")" * 240,
    "1 " + "+ 1 " * 100_000,
    "-" * 100_000 + "1",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stranger's files lie, and where commands are called."""
    place = tmp_path / "from" / "a" / "stranger"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    return place


def write(folder: Path, **values: str) -> Path:
    (folder / "layer.yaml").write_text(values.pop("layer", LAYER))
    path = folder / "study.yaml"
    defaults = {"name": "plain", "template": "simba", "constraints": "[]", "network": "layer.yaml"}
    path.write_text(STUDY.format(**(defaults | values)))
    return path


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def refused(study: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The message with which a sweep of the study ends, having made nothing."""
    before = everything(study.parents[3])
    start = time.monotonic()
    assert main(["sweep", str(study), "--output", str(study.parents[3] / "run"), "--workers", "1"]) == 2
    assert time.monotonic() - start < 20
    assert everything(study.parents[3]) == before
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize("tag", TAGS)
def test_tags_are_refused_wherever_they_stand(folder: Path, tag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "study.yaml:2: " in refused(write(folder, name=tag), capsys)
    assert "layer.yaml:1: " in refused(write(folder, layer=f"problem: {tag}"), capsys)
    (folder / "template.yaml").write_text(f"variables: {{pe_count: 4}}\narch: {tag}\n")
    message = refused(write(folder, template="template.yaml"), capsys)
    assert "template.yaml:2: " in message
    assert "tag" in message


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_expressions_compute_and_nothing_else(
    folder: Path, expression: str, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(write(folder, constraints=f'["{expression}"]'), capsys)
    assert "study.yaml:6: study.constraints[0]: " in message
    template = 'variables:\n  pe_count: 4\n  bad: "EXPRESSION"\narch: {}\n'.replace("EXPRESSION", expression)
    (folder / "template.yaml").write_text(template)
    assert "template.yaml:3: variables.bad: " in refused(write(folder, template="template.yaml"), capsys)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in itertools.pairwise("abcdefghij")),
        "study: &a [*a]\n",
        "study: " + "[" * 5000 + "]" * 5000 + "\n",
    ],
    ids=["a billion laughs", "a loop", "a deep nest"],
)  # fmt: skip
def test_a_file_that_explodes_is_refused(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    study = write(folder)
    study.write_text(text)
    assert f"{study}: " in refused(study, capsys)


@pytest.mark.parametrize(
    "name",
    ["../../out", "/tmp/dse-out", "..", "a\\nb", "'; DROP TABLE result; --", "$\\\\frac{", "\\e]0;x\\a", "x" * 5000],
    ids=range(8),
)
def test_names_are_no_paths(folder: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a study, its network and its layers are called, results go into the output folder and nowhere else."""
    network = f'network: {{name: "{name}", layers: [{{name: "{name}", {LAYER}}}]}}'
    study = write(folder, name=f'"{name}"', layer=network)
    before = everything(tmp_path)
    run = tmp_path / "run"
    assert main(["sweep", str(study), "--output", str(run), "--workers", "1", "--quiet", "--no-cache"]) == 0
    assert {path for path in everything(tmp_path) - before if not path.is_relative_to(run)} == set()
    assert {path.parent for path in everything(run)} == {run}
    capsys.readouterr()
    for target in ("slurm", "ray"):
        options = ["--output", "/results/x", "--address", "http://127.0.0.1:1", "--dry-run"]
        assert main(["submit", str(study), "--target", target, *options]) == 0
        script = capsys.readouterr().out
        assert "/out" not in script


def test_a_study_file_whose_name_is_a_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = write(folder).rename(folder / "x\ntouch pwned #.yaml")
    assert main(["submit", str(study), "--target", "slurm", "--output", "run", "--dry-run"]) == 0
    script = capsys.readouterr().out
    harmless = script.replace(f"'{study}'", "STUDY")
    assert "touch pwned" not in harmless


def test_modules_beside_a_study_are_not_imported(folder: Path, tmp_path: Path) -> None:
    """The command is called in the stranger's folder, where modules lie that would be loaded if it came first."""
    for module in ("yaml", "numpy", "ray", "cvxpy", "click", "random", "dse"):
        (folder / f"{module}.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\n")
    study = write(folder)
    dse = [str(Path(sys.executable).with_name("dse")), "sweep", str(study), "--workers", "1", "--quiet", "--no-cache"]
    subprocess.run([*dse, "--output", str(tmp_path / "run")], check=True, capture_output=True, cwd=folder)
    assert not (tmp_path / "pwned").exists()


def test_the_results_of_a_sweep_follow_the_umask_and_hold_no_secret(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "5ec4e7" * 10)
    sweep = f"'{sys.executable}' -m dse sweep '{write(folder)}' --output '{tmp_path / 'run'}'"
    command = f"umask 077; exec {sweep} --workers 1 --no-cache"
    done = subprocess.run(["bash", "-c", command], check=True, capture_output=True, cwd=tmp_path)
    assert b"5ec4e7" not in done.stdout + done.stderr
    files = [path for path in everything(tmp_path / "run") if path.is_file()]
    assert files
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        assert b"5ec4e7" not in path.read_bytes()
