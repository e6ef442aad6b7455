"""A manifest for KubeRay: a RayJob that brings its own cluster, sweeps into a volume, and takes the cluster down.

Fields are those of `ray.io/v1` in KubeRay 1.6 and later (CRD reference, RayJobSpec and AuthOptions). The token is in a
Secret, which the operator hands to the pods; the study is in a ConfigMap.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import Any

import yaml

from dse.errors import InputError, ToolError
from dse.submission.bundle import STUDY_FILE, bundle_study
from dse.submission.job import SweepJob

__all__ = ["Pods", "apply", "manifest"]

_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"  # RFC 1123
_LONGEST_NAME = 47  # KubeRay adds to it
_STUDY_FOLDER = "/etc/dse/study"
_MOST_BYTES = 900_000  # of a ConfigMap: 1 MiB with everything


@dataclass(frozen=True, slots=True)
class Pods:
    """What the cluster is made of. `image` has the project installed; `claim` is a PersistentVolumeClaim that all pods
    can mount, at `mount`; `secret` holds the token under the key `auth_token`.
    """

    image: str
    claim: str
    secret: str
    ray_version: str
    mount: str = "/results"
    workers: int = 2
    cpus: int = 4
    memory: str = "8Gi"
    tries: int = 3

    def __post_init__(self) -> None:
        for what, name in (("claim", self.claim), ("secret", self.secret)):
            if not re.fullmatch(_NAME, name):
                raise InputError(f'expected the name of a {what} in lower case, digits and "-", got "{name}"')


def manifest(job: SweepJob, pods: Pods) -> str:
    """The ConfigMap and the RayJob, as YAML. Raises InputError where the study or the folder does not fit."""
    if not job.output.is_relative_to(pods.mount) or ".." in job.output.parts:
        raise InputError(
            f"--output: expected a folder below {pods.mount}, where the claim is mounted, got {job.output}"
        )
    name = _name(job.name)
    files = bundle_study(job.study)
    if sum(map(len, files.values())) > _MOST_BYTES:
        raise InputError(f"the study's files are larger than a ConfigMap may be ({_MOST_BYTES:,} bytes)")
    keys = {file: file.replace("/", ".") for file in files}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{name}-study"},
        "data": {keys[file]: content for file, content in files.items()},
    }
    items = [{"key": key, "path": file} for file, key in keys.items()]
    volumes = [
        {"name": "study", "configMap": {"name": f"{name}-study", "items": items}},
        {"name": "results", "persistentVolumeClaim": {"claimName": pods.claim}},
    ]
    ray_job = {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": name},
        "spec": {
            "entrypoint": shlex.join(job.command(f"{_STUDY_FOLDER}/{STUDY_FILE}", "--address", "auto")),
            "metadata": {"dse_output": str(job.output), "dse_python": job.python, "dse_study": job.name},
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": 300,
            "backoffLimit": pods.tries,  # a new cluster goes on in the same folder
            "rayClusterSpec": {
                "rayVersion": pods.ray_version,
                "authOptions": {"mode": "token", "secretName": pods.secret},
                "headGroupSpec": {
                    "rayStartParams": {"num-cpus": "0"},  # the driver alone
                    "template": _pod("ray-head", pods, volumes),
                },
                "workerGroupSpecs": [
                    {
                        "groupName": "workers",
                        "replicas": pods.workers,
                        "minReplicas": 1,
                        "maxReplicas": pods.workers,
                        "rayStartParams": {},
                        "template": _pod("ray-worker", pods, []),
                    }
                ],
            },
        },
    }
    # Through JSON, so that no YAML alias stands for what occurs twice.
    return "---\n".join(
        yaml.safe_dump(json.loads(json.dumps(item)), sort_keys=False, width=120) for item in (config, ray_job)
    )


def apply(text: str) -> str:
    """Hand a manifest to the Kubernetes cluster of kubectl's context; what kubectl says."""
    try:
        done = subprocess.run(["kubectl", "apply", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ToolError("Kubernetes cannot be used: kubectl is not installed here (--dry-run prints)") from error
    if done.returncode:
        raise ToolError(f"kubectl: {(done.stderr.strip() or f'status {done.returncode}').splitlines()[-1]}")
    return done.stdout


def _name(study: str) -> str:
    """A name that Kubernetes takes."""
    plain = re.sub(r"[^a-z0-9]+", "-", study.lower()).strip("-")
    return f"dse-{plain}"[:_LONGEST_NAME].rstrip("-")


def _pod(container: str, pods: Pods, volumes: list[dict[str, Any]]) -> dict[str, Any]:
    amounts = {"cpu": str(pods.cpus), "memory": pods.memory}
    spec: dict[str, Any] = {
        "name": container,
        "image": pods.image,
        "env": [{"name": "RAY_USAGE_STATS_ENABLED", "value": "0"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {"requests": amounts, "limits": amounts},
    }
    places = {"study": _STUDY_FOLDER, "results": pods.mount}
    if volumes:
        spec["volumeMounts"] = [{"name": name, "mountPath": places[name]} for name in places]
        spec["volumeMounts"][0]["readOnly"] = True
        return {"spec": {"containers": [spec], "volumes": volumes}}
    return {"spec": {"containers": [spec]}}
