"""Finding timeloop-model."""

from __future__ import annotations

from pathlib import Path

import pytest

from dse.errors import ToolError
from dse.timeloop import find_timeloop


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(monkeypatch, tmp_path) -> Path:
    """No Timeloop in the environment."""
    monkeypatch.delenv("TIMELOOP_DIR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "commands"))
    return tmp_path


@pytest.mark.parametrize("place", ["timeloop-model", "bin/timeloop-model", "build/timeloop-model"])
def test_finds_it_in_a_folder(place, nowhere, monkeypatch) -> None:
    path = executable(nowhere / "home" / place)
    assert find_timeloop(path) == path
    assert find_timeloop(nowhere / "home") == path
    monkeypatch.setenv("TIMELOOP_DIR", str(nowhere / "home"))
    assert find_timeloop() == path


def test_the_option_comes_before_the_variable_and_that_before_path(nowhere, monkeypatch) -> None:
    on_path, in_variable, given = (
        executable(nowhere / name / "timeloop-model") for name in ("commands", "home", "own")
    )
    assert find_timeloop() == on_path
    monkeypatch.setenv("TIMELOOP_DIR", str(nowhere / "home"))
    assert find_timeloop() == in_variable
    assert find_timeloop(given) == given


def test_a_wrong_option_is_not_passed_over(nowhere) -> None:
    executable(nowhere / "commands" / "timeloop-model")
    (nowhere / "text").write_text("no program")
    for name, reason in (("missing", "does not exist"), ("text", "no program that can be run"), ("", "stands there")):
        with pytest.raises(ToolError, match=reason) as caught:
            find_timeloop(nowhere / name)
        assert caught.value.exit_status == 3


def test_says_where_it_looked_and_how_to_install_it(nowhere, monkeypatch) -> None:
    with pytest.raises(ToolError) as caught:
        find_timeloop()
    assert "TIMELOOP_DIR (not set)" in str(caught.value)
    assert f"PATH ({nowhere}/commands)" in str(caught.value)
    assert "https://github.com/NVlabs/timeloop" in str(caught.value)
    monkeypatch.setenv("TIMELOOP_DIR", "/empty")
    with pytest.raises(ToolError, match=r"TIMELOOP_DIR \(/empty, its bin/ and build/\)"):
        find_timeloop()
