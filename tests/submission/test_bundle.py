"""Bundles: a study and all that it names in one folder, with the same meaning."""

from pathlib import Path, PurePosixPath

import pytest

from dse.errors import InputError
from dse.specification.study import load_study
from dse.submission.bundle import STUDY_FILE, bundle_study
from dse.sweep.plan import plan_study

TEMPLATE = Path(__file__).resolve().parents[2] / "arch_templates" / "simba.yaml"


def unpacked(files: dict[str, str], folder: Path) -> Path:
    for name, content in files.items():
        assert not PurePosixPath(name).is_absolute()
        assert ".." not in PurePosixPath(name).parts
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder / STUDY_FILE


def test_a_bundle_means_the_same(small_study: Path, tmp_path: Path) -> None:
    copy = load_study(unpacked(bundle_study(small_study), tmp_path / "bundle"))
    assert plan_study(copy).plan == plan_study(load_study(small_study)).plan


def test_files_all_over_the_disk_end_in_one_folder(tmp_path: Path) -> None:
    """A template above, a network elsewhere that takes a layer from yet another folder, and a bare problem."""
    for folder in ("templates", "networks", "layers", "studies"):
        (tmp_path / folder).mkdir()
    (tmp_path / "templates" / "mine.yaml").write_text(TEMPLATE.read_text())
    (tmp_path / "layers" / "one.yaml").write_text("problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}\n")
    (tmp_path / "networks" / "net.yaml").write_text(
        "network: {name: net, layers: [{name: a, problem: ../layers/one.yaml}]}\n"
    )
    study = tmp_path / "studies" / "study.yaml"
    study.write_text(
        "study: {name: s, template: ../templates/mine.yaml, parameters: {pe_count: [4, 8]}, "
        f"networks: [../networks/net.yaml, {tmp_path}/layers/one.yaml], objective: cosa}}\n"
    )
    copy = load_study(unpacked(bundle_study(study), tmp_path / "bundle"))
    original = load_study(study)
    assert [network.name for network in copy.networks] == ["net", "one"]
    assert [network.layers for network in copy.networks] == [network.layers for network in original.networks]
    assert list(copy.space.variants()) == list(original.space.variants())


def test_tables_of_costs_and_weights_of_networks_go_along(small_study: Path, tmp_path: Path) -> None:
    """A template with a table of its own, and the same study with another one, and a network that counts twice."""
    mine = TEMPLATE.read_text() + "costs: {source: accelergy, file: tables/ert.yaml}\n"
    (tmp_path / "mine" / "tables").mkdir(parents=True)
    (tmp_path / "mine" / "template.yaml").write_text(mine)
    table = "ERT: {version: 0.3, tables: [{name: GlobalBuffer, actions: [{name: random_read, energy: 5}]}]}\n"
    (tmp_path / "mine" / "tables" / "ert.yaml").write_text(table)
    (tmp_path / "other.yaml").write_text(table.replace("5", "7"))
    (tmp_path / "layer.yaml").write_text("problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}\n")
    text = (
        "study: {name: s, template: mine/template.yaml, parameters: {pe_count: [4, 8]}, objective: cosa, "
        "networks: [{network: layer.yaml, weight: 2}]COSTS}\n"
    )
    for costs, energy_pj in (("", 5), (", costs: {source: accelergy, file: [other.yaml]}", 7)):
        study = tmp_path / "study.yaml"
        study.write_text(text.replace("COSTS", costs))
        copy = load_study(unpacked(bundle_study(study), tmp_path / f"bundle{energy_pj}"))
        assert [variant.architecture.storage[4].read_energy_pj for variant in copy.space.variants()] == [energy_pj] * 2
        ours, theirs = plan_study(load_study(study)), plan_study(copy)
        assert theirs.plan.goals == ours.plan.goals
        assert theirs.points() == ours.points()
        if costs:
            assert theirs.plan.costs == ours.plan.costs


def test_a_wrong_study_is_refused_before_it_is_sent(small_study: Path) -> None:
    small_study.write_text(small_study.read_text().replace("pe_count", "pe_counts"))
    with pytest.raises(InputError, match="no variable of this name"):
        bundle_study(small_study)
