"""Settings of the whole test suite."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A time limit on each example makes a test fail where the machine is busy, not where the code is wrong.
settings.register_profile("dse", deadline=None, print_blob=True)
settings.load_profile("dse")

SMALL_STUDY = """study:
  name: small
  template: simba
  parameters:
    pe_count: [4, 8]
    global_buffer_kib: [32, 64, 128]
  networks: [first.yaml, second.yaml]
  objective: cosa
"""
FIRST_NETWORK = """network:
  name: first
  layers:
    - {name: pointwise, count: 2, problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}}
    - {name: dense, count: 1, problem: {R: 1, S: 1, P: 1, Q: 1, C: 64, K: 100, N: 1}}
    - {name: again, count: 3, problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}}
"""
SECOND_NETWORK = """network:
  name: second
  layers:
    - {name: pointwise, count: 5, problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}}
"""


# Files that take a minute or more, mostly waiting for clusters. They run first: at the end, a core would wait for one.
SLOWEST = ("tests/submission/", "tests/sweep/executors/", "tests/cli/test_study_commands.py", "tests/docs/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(SLOWEST))


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test takes schedules from the user's cache, or leaves any there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test takes schedules from the cache of another."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def small_study(tmp_path: Path) -> Path:
    """A study of 6 variants on two networks that share one of their two distinct problems: 12 schedules, seconds."""
    folder = tmp_path / "study"
    folder.mkdir()
    return write_small_study(folder)


def write_small_study(folder: Path) -> Path:
    """The same, in a folder of one's own."""
    (folder / "first.yaml").write_text(FIRST_NETWORK)
    (folder / "second.yaml").write_text(SECOND_NETWORK)
    path = folder / "small.yaml"
    path.write_text(SMALL_STUDY)
    return path
