"""deploy/: what can be checked without Docker or a cluster."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import kubernetes_validate
import pytest
import yaml
from prometheus_client import REGISTRY

import bot.__main__  # it registers everything that is measured
import bot.telemetry
from bot.settings import SECRETS, Settings
from deploy.production import production
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text())
MANIFESTS = [
    (path.name, manifest)
    for path in sorted((DEPLOY / "kubernetes").glob("*.yml"))
    for manifest in yaml.safe_load_all(path.read_text())
    if manifest["kind"] != "Kustomization"
]
PODS = [(name, m["spec"]["template"]["spec"]) for name, m in MANIFESTS if m["kind"] in ("Deployment", "StatefulSet")]
OF_ENGINE = {"ENGINE_HOST", "ENGINE_PORT", "ENGINE_MODEL", "ENGINE_SECRET", "ACTIONS_URL", "ACTIONS_SECRET"}
OF_LIBRARIES = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "MPLCONFIGDIR", "FORWARDED_ALLOW_IPS"}
OF_LOGS = {"LOG_FORMAT"}


def known() -> set[str]:
    """Every variable of the environment that something reads."""
    plain = {name.upper() for name in Settings.model_fields} | OF_ENGINE | OF_LIBRARIES | OF_LOGS
    return plain | {f"{name}_FILE" for name in (*SECRETS, "ENGINE_SECRET", "ACTIONS_SECRET")}


def named() -> Iterator[tuple[str, str]]:
    """(where, variable) of every variable that deploy/ sets."""
    for name, service in COMPOSE["services"].items():
        if name not in ("postgres", "proxy"):
            yield from ((name, variable) for variable in service["environment"])
    for name, pod in PODS:
        yield from ((name, each["name"]) for container in pod["containers"] for each in container["env"])
    for path in DEPLOY.glob("*.Dockerfile"):
        settings = re.findall(r"^ENV ((?:.*\\\n)*.*)$", path.read_text(), re.MULTILINE)
        build_only = {"UV_COMPILE_BYTECODE"}
        yield from (
            (path.name, variable)
            for lines in settings
            for variable in re.findall(r"([A-Z_]+)=", lines)
            if variable not in build_only
        )


def test_the_compose_file_is_one() -> None:
    vendored = Path(check_jsonschema.__file__).parent / "builtin_schemas/vendor/compose-spec.json"
    schema = json.loads(vendored.read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(COMPOSE)


@pytest.mark.parametrize(("name", "manifest"), MANIFESTS, ids=[f"{n}-{m['kind']}" for n, m in MANIFESTS])
def test_every_manifest_is_one_of_kubernetes(name: str, manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_every_manifest_is_applied() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yml").read_text())["resources"]
    assert sorted(listed) == sorted({name for name, _ in MANIFESTS})


@pytest.mark.parametrize(("where", "variable"), sorted(set(named())))
def test_every_setting_that_is_named_is_one_that_something_reads(where: str, variable: str) -> None:
    assert variable in known()


def test_settings_of_kubernetes_are_all_used_and_all_there() -> None:
    (settings,) = [m["data"] for _, m in MANIFESTS if m["kind"] == "ConfigMap"]
    wanted = {
        each["valueFrom"]["configMapKeyRef"]["key"]
        for _, pod in PODS
        for container in pod["containers"]
        for each in container["env"]
    }
    assert wanted == set(settings)


def test_a_secret_is_only_where_it_is_read() -> None:
    for name, service in COMPOSE["services"].items():
        files = {Path(value).name for key, value in service.get("environment", {}).items() if key.endswith("_FILE")}
        assert files == set(service.get("secrets", ())), name


def test_nobody_but_the_proxy_can_be_reached_from_outside() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]
    for name, service in COMPOSE["services"].items():
        if name.startswith("engine"):
            assert service["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_containers_run_as_nobody_and_write_nothing() -> None:
    for name, service in COMPOSE["services"].items():
        if name not in ("postgres",):
            assert service["read_only"], name
    for name, pod in PODS:
        assert pod["securityContext"]["runAsNonRoot"], name
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"], name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert {"startupProbe", "livenessProbe", "readinessProbe", "resources"} <= set(container), name
    for path in DEPLOY.glob("*.Dockerfile"):
        last = path.read_text().rpartition("\nFROM ")[2]
        assert "USER 10001:10001" in last, path.name


def test_only_bots_ask_engines_and_only_engines_ask_actions() -> None:
    policies = {m["metadata"]["name"]: m["spec"] for _, m in MANIFESTS if m["kind"] == "NetworkPolicy"}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for asked, asking in (("engine", "bot"), ("actions", "engine")):
        (rule,) = policies[asked]["ingress"]
        assert rule["from"] == [{"podSelector": {"matchLabels": {"app": asking}}}]


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_images_copy_what_is_there_and_what_is_not_left_out(path: Path) -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.+)$", path.read_text(), re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert source in let_in or source.partition("/")[0] in let_in, source


@pytest.mark.parametrize("folder", ["", "engine"])
def test_an_image_gets_every_dependency_with_its_hashes_and_no_tool_of_developers(folder: str) -> None:
    project, lock = ((ROOT / folder / name).read_text() for name in ("pyproject.toml", "requirements.txt"))
    kept = production(project, lock)
    names = re.findall(r"^([a-z0-9._-]+)==", kept, re.MULTILINE)
    direct = {re.split(r"[\[>=<;@ ]", spec)[0].lower() for spec in tomllib.loads(project)["project"]["dependencies"]}
    assert direct <= set(names)
    assert not {"pytest", "mypy", "ruff", "hypothesis", "playwright", "onnx"} & set(names)
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[a-z0-9])", kept))


def test_a_dependency_that_the_lock_does_not_hold_stops_the_build() -> None:
    with pytest.raises(SystemExit, match="Not in the lock: newcomer"):
        production('[project]\ndependencies = ["newcomer"]', "other==1 \\\n    --hash=sha256:00\n    # via app\n")


def test_the_dashboard_shows_only_what_is_measured() -> None:
    dashboard = json.loads((DEPLOY / "grafana/waypoint.json").read_text())
    shown = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b((?:waypoint|process)_[a-z_]+)", target["expr"])
    }
    measured = {sample for metric in REGISTRY.collect() for sample in _samples(metric)}
    assert shown <= measured
    stages = set(re.findall(r'stage=\\?"([a-z_]+)', json.dumps(dashboard)))
    assert stages <= set(bot.telemetry.STAGES)


def _samples(metric: Any) -> Iterator[str]:
    yield metric.name
    if metric.type == "counter":
        yield f"{metric.name}_total"
    if metric.type == "histogram":
        yield from (f"{metric.name}_{end}" for end in ("bucket", "count", "sum"))
