"""The project as it is installed: what it depends on, the lock, the Makefile and the wheel."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import dse

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {name: [Requirement(line) for line in lines] for name, lines in PROJECT["optional-dependencies"].items()}
DEVELOPMENT = EXTRAS.pop("dev")


def locked_versions() -> dict[str, Version]:
    """Version of each package in the lock, by canonical name; each package stands there once."""
    pins = re.findall(r"^(\S+)==(\S+)", LOCK, flags=re.MULTILINE)
    versions = {canonicalize_name(name): Version(version) for name, version in pins}
    assert len(versions) == len(pins)
    return versions


@pytest.mark.parametrize("requirement", RUNTIME + DEVELOPMENT, ids=str)
def test_lock_satisfies_each_declared_dependency(requirement: Requirement) -> None:
    assert locked_versions()[canonicalize_name(requirement.name)] in requirement.specifier


def test_lock_hashes_every_package_and_names_no_host() -> None:
    entries = re.split(r"^(?=\S+==)", LOCK, flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), f"no hash: {entry.splitlines()[0]}"
    assert "://" not in LOCK
    assert "--index-url" not in LOCK
    assert "--find-links" not in LOCK


def third_party_imports(source: Path) -> set[str]:
    """Top-level modules that a source file imports anywhere, without dse itself and the standard library."""
    modules = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules.add(node.module.partition(".")[0])
    return modules - sys.stdlib_module_names - {"dse"}


def test_every_imported_package_is_declared() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in sum(EXTRAS.values(), RUNTIME)}
    distributions = packages_distributions()
    for source in sorted((ROOT / "dse").rglob("*.py")):
        for module in third_party_imports(source):
            owners = {canonicalize_name(name) for name in distributions.get(module, [module])}
            assert owners & declared, (
                f"{source.relative_to(ROOT)} imports {module}, which pyproject.toml does not declare"
            )


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (\S+)$", makefile, flags=re.MULTILINE))
    assert {"venv", "sweep", "test", "lint", "bench", "check", "lock", "clean"} <= targets
    completed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in completed.stdout.splitlines() if line.startswith("make ")} == targets


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "dse sweep experiments/simba_resnet50.yaml --output runs/simba_resnet50"),
        (["STUDY=other/small.yaml"], "dse sweep other/small.yaml --output runs/small"),
        (["STUDY=other/small.yaml", "OUT=elsewhere"], "dse sweep other/small.yaml --output elsewhere"),
    ],
)
def test_make_sweep_runs_the_study_into_the_folder(arguments: list[str], expected: str) -> None:
    completed = subprocess.run(
        ["make", "--dry-run", "sweep", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f".venv/bin/{expected}" in completed.stdout


def test_wheel_holds_types_marker_entry_point_and_nothing_but_the_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    dist_info = f"dse-{dse.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert "dse = dse.cli:main" in archive.read(f"{dist_info}/entry_points.txt").decode()
    assert "dse/py.typed" in names
    assert {"dse/arch_templates/simba.yaml", "dse/workloads/resnet50.yaml", "dse/experiments/smoke.yaml"} <= set(names)
    assert f"{dist_info}/licenses/LICENSE" in names
    assert {name.partition("/")[0] for name in names} == {"dse", dist_info}
