"""Ray's jobs: the study and the project's source go to the cluster's head, and the sweep runs there.

The address is that of the head's dashboard, which takes jobs. The token is Ray's own matter (RAY_AUTH_TOKEN or a file
that only its owner reads): it travels in a header, and stands in no job's description.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dse
from dse.errors import InputError, ToolError
from dse.submission.bundle import STUDY_FILE, bundle_study
from dse.submission.job import SweepJob
from dse.sweep.executors.credentials import token_settings

__all__ = ["RayJobs", "ray_request"]

_FOLDER = "study"
_OUTPUT, _PYTHON, _STUDY = "dse_output", "dse_python", "dse_study"
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_START = 60.0
_TALKATIVE = ("ray.dashboard.modules.dashboard_sdk", "ray._private.runtime_env.packaging")
_SECONDS_FOR_STATUS = 120.0


def ray_request(job: SweepJob) -> dict[str, Any]:
    """What is asked of the cluster, without the files."""
    return {
        "submission_id": f"dse-{job.name}-{secrets.token_hex(4)}",
        "entrypoint": shlex.join(job.command(f"{_FOLDER}/{STUDY_FILE}", "--address", "auto")),
        "metadata": {_OUTPUT: str(job.output), _PYTHON: job.python, _STUDY: job.name},
    }


class RayJobs:
    """The jobs of a cluster."""

    def __init__(self, address: str) -> None:
        """Raises ToolError where no cluster takes jobs there, InputError where others can read its token."""
        os.environ.update(token_settings())
        from ray.exceptions import AuthenticationError  # noqa: PLC0415  (it loads Ray)
        from ray.job_submission import JobSubmissionClient  # noqa: PLC0415

        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            self._client = JobSubmissionClient(address)
        except AuthenticationError as error:
            raise ToolError(f"Ray's jobs at {address}: {_first_line(error)} (is it in RAY_AUTH_TOKEN?)") from error
        except (RuntimeError, OSError, ValueError) as error:
            raise _unusable(address, error) from error
        self._address = address

    def submit(self, job: SweepJob, request: Mapping[str, Any]) -> str:
        """Send the study with the project's own source, so that the cluster runs this very version; the job's name."""
        with _files(job) as folder, self._named():
            return self._submitted(**request, runtime_env={"working_dir": str(folder)})

    def state(self, name: str) -> str:
        """PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED. Raises InputError where the cluster has no such job."""
        return str(self._info(name).status)

    def wait(self, name: str) -> str:
        """Wait for the end of a job; its last state."""
        while (state := self.state(name)) in ("PENDING", "RUNNING"):
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return state

    def output(self, name: str) -> str:
        """What a job has written."""
        with self._named():
            text: str = self._client.get_job_logs(name)
        return text

    def status(self, name: str) -> dict[str, Any] | None:
        """What `dse status --json` says of the job's folder, asked where that is; None where there is no folder yet."""
        info = self._info(name)
        if _OUTPUT not in (info.metadata or {}):
            raise InputError(f'"{name}" is no job of dse submit')
        command = [info.metadata[_PYTHON], "-P", "-m", "dse", "status", info.metadata[_OUTPUT], "--json"]
        with self._named():
            asked = self._submitted(
                entrypoint=shlex.join(command),
                submission_id=f"dse-status-{secrets.token_hex(4)}",
                runtime_env=info.runtime_env,
            )
        deadline = time.monotonic() + _SECONDS_FOR_STATUS
        while self.state(asked) in ("PENDING", "RUNNING") and time.monotonic() < deadline:
            time.sleep(_SECONDS_BETWEEN_LOOKS / 4)
        answers = [line for line in self.output(asked).splitlines() if line.startswith("{")]
        with self._named():
            if self.state(asked) not in ("PENDING", "RUNNING"):
                self._client.delete_job(asked)
        answer: dict[str, Any] | None = json.loads(answers[-1]) if answers else None
        return answer

    def _submitted(self, **request: Any) -> str:
        """The name of a new job; a cluster that is just starting gets a minute until it takes one."""
        deadline = time.monotonic() + _SECONDS_TO_START
        while True:
            try:
                name: str = self._client.submit_job(**request)
            except RuntimeError as error:
                if "No available agent" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            else:
                return name

    def _info(self, name: str) -> Any:
        try:
            return self._client.get_job_info(name)
        except (RuntimeError, ConnectionError) as error:
            if "does not exist" in str(error) or "404" in str(error):
                raise InputError(f'{self._address} has no job "{name}"') from error
            raise _unusable(self._address, error) from error

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say which cluster it is that fails."""
        try:
            yield
        except (RuntimeError, ConnectionError, ValueError) as error:
            raise _unusable(self._address, error) from error


@contextmanager
def _files(job: SweepJob) -> Iterator[Path]:
    """A folder with the study's files and the source of the project."""
    with tempfile.TemporaryDirectory(prefix="dse-job-") as name:
        folder = Path(name)
        for file, content in bundle_study(job.study).items():
            place = folder / _FOLDER / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")
        shutil.copytree(Path(dse.__file__).parent, folder / "dse", ignore=shutil.ignore_patterns("__pycache__"))
        yield folder


def _unusable(address: str, error: Exception) -> ToolError:
    return ToolError(f"Ray's jobs at {address} cannot be used: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
