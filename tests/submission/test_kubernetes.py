"""The manifest for KubeRay, held to the fields that ray.io/v1 has."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dse.submission.bundle import bundle_study

Call = Callable[..., subprocess.CompletedProcess[str]]

# RayJobSpec, RayClusterSpec, HeadGroupSpec and WorkerGroupSpec of KubeRay 1.6 (CRD reference, ray.io/v1), where used.
JOB = {
    "entrypoint": str,
    "metadata": dict,
    "shutdownAfterJobFinishes": bool,
    "ttlSecondsAfterFinished": int,
    "backoffLimit": int,
    "rayClusterSpec": dict,
}
CLUSTER = {"rayVersion": str, "authOptions": dict, "headGroupSpec": dict, "workerGroupSpecs": list}
HEAD = {"rayStartParams": dict, "template": dict}
WORKERS = HEAD | {"groupName": str, "replicas": int, "minReplicas": int, "maxReplicas": int}
TARGET = ("--target", "kubernetes", "--image", "registry/dse:1", "--claim", "results", "--secret", "ray-token")


def check(data: dict[str, Any], fields: dict[str, type]) -> None:
    assert data.keys() == fields.keys()
    assert {name: type(value) for name, value in data.items()} == fields


@pytest.fixture
def manifest(small_study: Path, dse: Call) -> list[dict[str, Any]]:
    options = ("--pods", "3", "--cpus", "8", "--dry-run", "--output", "/results/small", "--", "--retry-failed")
    done = dse("submit", small_study, *TARGET, *options)
    assert done.returncode == 0, done.stderr
    assert "&id" not in done.stdout  # no YAML aliases
    return list(yaml.safe_load_all(done.stdout))


def test_the_job_has_the_structure_of_a_ray_job(manifest: list[dict[str, Any]]) -> None:
    _, job = manifest
    assert (job["apiVersion"], job["kind"], job["metadata"]) == ("ray.io/v1", "RayJob", {"name": "dse-small"})
    spec = job["spec"]
    check(spec, JOB)
    assert spec["entrypoint"] == (
        "python -P -m dse sweep /etc/dse/study/study.yaml --output /results/small --address auto --retry-failed"
    )
    assert spec["shutdownAfterJobFinishes"] is True
    cluster = spec["rayClusterSpec"]
    check(cluster, CLUSTER)
    check(cluster["headGroupSpec"], HEAD)
    (workers,) = cluster["workerGroupSpecs"]
    check(workers, WORKERS)
    assert (workers["replicas"], workers["minReplicas"], workers["maxReplicas"]) == (3, 1, 3)
    for group in (cluster["headGroupSpec"], workers):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"] == "registry/dse:1"
        assert container["resources"]["limits"] == {"cpu": "8", "memory": "8Gi"}


def test_the_token_is_in_a_secret_alone(manifest: list[dict[str, Any]]) -> None:
    _, job = manifest
    assert job["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token", "secretName": "ray-token"}
    assert "RAY_AUTH_TOKEN" not in yaml.safe_dump_all(manifest)


def test_the_study_is_mounted_as_it_is(manifest: list[dict[str, Any]], small_study: Path) -> None:
    config, job = manifest
    assert (config["apiVersion"], config["kind"]) == ("v1", "ConfigMap")
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    study, results = head["volumes"]
    assert study["configMap"]["name"] == config["metadata"]["name"]
    mounted = {item["path"]: config["data"][item["key"]] for item in study["configMap"]["items"]}
    assert mounted == bundle_study(small_study)
    assert results == {"name": "results", "persistentVolumeClaim": {"claimName": "results"}}
    mounts = {mount["name"]: mount["mountPath"] for mount in head["containers"][0]["volumeMounts"]}
    assert mounts == {"study": "/etc/dse/study", "results": "/results"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((*TARGET, "--output", "/other/x"), "expected a folder below /results"),
        ((*TARGET, "--output", "/results/../x"), "expected a folder below /results"),
        ((*TARGET, "--output", "x"), "expected an absolute path"),
        (("--target", "kubernetes", "--output", "/results/x"), "needs --image, --claim and --secret"),
        ((*TARGET, "--secret", "A b", "--output", "/results/x"), "expected the name of a secret"),
    ],
)
def test_what_cannot_be_is_refused(small_study: Path, dse: Call, options: tuple[str, ...], message: str) -> None:
    done = dse("submit", small_study, *options, "--dry-run")
    assert done.returncode == 2
    assert message in done.stderr
