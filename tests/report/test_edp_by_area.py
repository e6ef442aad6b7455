"""`experiments/edp_by_area.py`: the picture of variants with their proven intervals."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from dse import Study, sweep

ROOT = Path(__file__).resolve().parents[2]
LAYER = "problem: {R: 1, S: 1, P: 4, Q: 4, C: 8, K: 8, N: 1}\n"


def test_it_draws_every_variant_and_refuses_what_has_no_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "layer.yaml").write_text(LAYER)
    for objective in ("edp", "cosa"):
        study = {
            "name": objective,
            "template": "weight_stationary",
            "costs": {"source": "cacti", "node_nm": 22},
            "parameters": {"mesh_x": [4, 8]},
            "networks": ["layer.yaml"],
            "objective": objective,
        }
        sweep(Study.from_dict(study, tmp_path), tmp_path / objective, workers=1, prune=False, cache=False, quiet=True)
    script = runpy.run_path(str(ROOT / "experiments" / "edp_by_area.py"))
    rows = script["points"](tmp_path / "edp", None)
    assert [name for *_, name in rows] == ["v0", "v1"]
    assert all(0 < area_mm2 < 10 and 0 < proven <= found for area_mm2, found, proven, _ in rows)
    picture = tmp_path / "picture.svg"
    monkeypatch.setattr("sys.argv", ["edp_by_area.py", str(tmp_path / "edp"), "--output", str(picture)])
    script["main"]()
    assert picture.read_bytes().startswith(b"<?xml")
    monkeypatch.setattr("sys.argv", ["edp_by_area.py", str(tmp_path / "cosa"), "--output", str(picture)])
    with pytest.raises(SystemExit) as left:
        script["main"]()
    assert left.value.code == 2
    assert "no variant has an area and a bound" in capsys.readouterr().err
