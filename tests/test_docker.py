"""What a team starts in containers: compose file, image and manifests are what their programs accept."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from kubernetes_validate import validate

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = {
    line.partition("=")[0]: line.partition("=")[2]
    for line in (DOCKER / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
}
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<rule>:[-?+])(?P<word>[^}]*))?\}")


def filled_in(text: str, given: dict[str, str]) -> str:
    """A compose file with its variables' values, as `docker compose` puts them in."""

    def value(found: re.Match[str]) -> str:
        name, rule, word = found["name"], found["rule"], found["word"]
        own = given.get(name, "")
        if rule == ":?" and not own:
            raise ValueError(f"{name}: {word}")
        if rule == ":+":
            return str(word) if own else ""
        return own or (word if rule == ":-" else "") or ""

    return VARIABLE.sub(value, text)


def accepted(text: str) -> list[str]:
    """Names of the services of a compose file that holds to the specification."""
    # The reader knows neither this word of Docker's, nor that merging is done before it looks.
    whole = yaml.safe_load(text.replace("host-gateway", "127.0.0.1"))
    shown = {name: part for name, part in whole.items() if not name.startswith("x-")}
    return list(PyCompose.from_yaml(yaml.safe_dump(shown)).service_names())


def test_compose_accepts_the_file_with_the_example_and_passwords() -> None:
    text = filled_in(
        (DOCKER / "compose.yaml").read_text(), EXAMPLE | dict.fromkeys(missing_in(EXAMPLE), "secret")
    )
    assert set(accepted(text)) == set(SERVICES)
    with pytest.raises(ValueError, match="mem_limt"):
        accepted(text.replace("mem_limit", "mem_limt"))


def missing_in(given: dict[str, str]) -> list[str]:
    """Variables without which compose refuses to start."""
    found = VARIABLE.finditer((DOCKER / "compose.yaml").read_text())
    return sorted({one["name"] for one in found if one["rule"] == ":?" and not given.get(one["name"])})


def test_only_passwords_have_to_be_given() -> None:
    assert missing_in(EXAMPLE) == ["AVA_CVAT_PASSWORD", "POSTGRES_PASSWORD"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_looked_at_limited_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]


def test_code_runs_on_cpus_or_on_gpus_under_one_name() -> None:
    assert set(SERVICES) >= {"code-cpu", "code-gpu"}
    for name in ("code-cpu", "code-gpu"):
        assert SERVICES[name]["profiles"] == [name.removeprefix("code-")]
        assert SERVICES[name]["networks"]["default"]["aliases"] == ["code"]
    workspace = yaml.safe_load((DOCKER / "dagster/workspace.yaml").read_text())
    assert workspace["load_from"][0]["grpc_server"]["host"] == "code"
    assert EXAMPLE["COMPOSE_PROFILES"].split(",") == ["cpu", "embedded"]
    assert "TORCH_INDEX" in SERVICES["code-gpu"]["build"]["args"]


# -- the image -------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, one line each."""
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def pip_lines() -> list[list[str]]:
    """What the image asks pip to install, with the default of each argument."""
    defaults = dict(text.split("=", 1) for word, text in instructions() if word == "ARG")
    parts = [part for word, text in instructions() if word == "RUN" for part in text.split("&&")]
    lines = [filled_in(part, defaults).replace('"', "").split() for part in parts]
    return [line[2:] for line in lines if line[:2] == ["pip", "install"]]


def test_what_is_needed_is_installed_before_the_code_comes_and_without_test_tools() -> None:
    order = [f"{word} {text}" for word, text in instructions()]
    install = next(n for n, line in enumerate(order) if line.startswith("RUN pip install"))
    code = next(n for n, line in enumerate(order) if line.startswith("COPY ava_core"))
    assert install < code
    needed, own = pip_lines()
    assert ".[s3]" in needed
    assert "--no-deps" in own
    assert not any("dev" in part for line in (needed, own) for part in line)


def test_all_that_is_copied_is_there_and_sent_to_the_builder() -> None:
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for word, text in instructions():
        if word == "COPY":
            for source in [part for part in text.split()[:-1] if not part.startswith("--")]:
                assert (ROOT / source).exists(), source
                assert source in sent, source


@pytest.mark.nightly
def test_the_images_own_lines_can_be_installed(tmp_path: Path) -> None:
    """The index of torch's builds is left out: what it serves is the same release."""
    for number, line in enumerate(pip_lines()):
        rest = [part for part in line if part != "--no-cache-dir"]
        if "--extra-index-url" in rest:
            at = rest.index("--extra-index-url")
            del rest[at : at + 2]
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--report",
            str(tmp_path / str(number)),
        ]
        done = subprocess.run([*command, *rest], cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr


# -- Kubernetes ------------------------------------------------------------------------------------------------


def manifests() -> list[dict[str, Any]]:
    """The manifests, in their order."""
    return list(yaml.safe_load_all((DOCKER / "kubernetes.yaml").read_text()))


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_each_manifest_holds_to_its_schema(manifest: dict[str, Any]) -> None:
    validate(manifest, "1.30", strict=True)


def test_pods_run_what_compose_runs() -> None:
    of_compose = {name.replace("-cpu", ""): service for name, service in SERVICES.items()}
    deployments = [one for one in manifests() if one["kind"] == "Deployment"]
    assert {one["metadata"]["name"] for one in deployments} == {"code", "daemon", "webserver", "console"}
    for one in deployments:
        pod = one["spec"]["template"]
        assert pod["metadata"]["labels"] == one["spec"]["selector"]["matchLabels"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        container = pod["spec"]["containers"][0]
        assert container["args"] == of_compose[one["metadata"]["name"]]["command"].split()
        assert container["resources"]["limits"]["memory"]
