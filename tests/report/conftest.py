"""Finished studies that the tests of reports read."""

from pathlib import Path

import pytest

from dse.cli import main

NETWORK = """network:
  name: two
  layers:
    - {name: pointwise, count: 2, problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}}
    - {name: dense, count: 1, problem: {R: 1, S: 1, P: 1, Q: 1, C: 64, K: 96, N: 1}}
"""


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two finished studies of two variants each, by EDP and by CoSA's objective."""
    folder = tmp_path_factory.mktemp("studies")
    (folder / "two.yaml").write_text(NETWORK)
    parameters = {"edp": "pe_count: [1, 8]", "cosa": "pe_count: [2, 8], weight_buffer_kib: [8]"}
    for name, own in parameters.items():
        (folder / f"{name}.yaml").write_text(
            f"study: {{name: {name}, template: simba, parameters: {{{own}}}, networks: [two.yaml], "
            f"objective: {name}, scheduler: {{gap: 0.05, time_limit: 10}}}}\n"
        )
        options = ["--workers", "1", "--quiet", "--no-prune"]
        assert main(["sweep", str(folder / f"{name}.yaml"), "--output", str(folder / name), *options]) == 0
    return {name: folder / name for name in parameters}
