"""What can be said about the container files without running containers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from secrets import token_hex
from typing import Any

import pytest
import yaml

from backend.local_stack.processes import spawn, terminate
from config import Part, Settings, load_settings
from tests.support.processes import eventually
from tests.support.stack import ROOT

pytestmark = [pytest.mark.unit]

APPLICATION = ("migrate", "web", "worker", "scheduler")
# Who may know which secret, beside the server that it lets into.
SECRETS = {
    "SECRET_KEY": {"web", "worker"},
    "JWT_SECRET_KEY": {"web"},
    "POSTGRES_PASSWORD": {"postgres", "migrate"},
    "POSTGRES_OWNER_PASSWORD": {"migrate"},
    "POSTGRES_APP_PASSWORD": {"migrate", "web", "worker", "scheduler"},
    "REDIS_PASSWORD": {"redis", "web", "worker", "scheduler"},
}
OTHER_SECRETS = {
    "PREVIOUS_SECRET_KEYS": {"web", "worker"},
    "SMTP_URL": {"worker"},
    "LLM_API_KEY": {"worker"},
    "EMBEDDING_API_KEY": {"web", "worker"},
    "GRAFANA_PASSWORD": {"grafana"},
    "METRICS_TOKEN": {"web", "prometheus"},
    "OTEL_EXPORTER_OTLP_HEADERS": {"web", "worker"},
    "SENTRY_DSN": {"web", "worker"},
}
CADDY = shutil.which("caddy", path=f"{os.environ['PATH']}:/usr/bin")
TEXT = (ROOT / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(TEXT)
    return document


@pytest.fixture(scope="module")
def services(compose) -> dict[str, Any]:
    services: dict[str, Any] = compose["services"]
    return services


def test_the_production_services_are_there_and_monitoring_is_a_choice(services):
    always = {name for name, service in services.items() if "profiles" not in service}
    assert always == {"postgres", "redis", *APPLICATION}
    assert {name for name, service in services.items() if service.get("profiles") == ["monitoring"]} == {
        "prometheus",
        "grafana",
    }
    assert {name for name, service in services.items() if service.get("profiles") == ["internet"]} == {"caddy"}


def test_every_service_has_a_health_check_or_says_that_it_has_none(services):
    for name, service in services.items():
        check = service["healthcheck"]
        assert check.get("disable") is True if name in ("migrate", "worker", "scheduler") else check["test"]


def test_the_application_waits_for_servers_and_migrations(services):
    for name in ("web", "worker", "scheduler"):
        assert {other: wait["condition"] for other, wait in services[name]["depends_on"].items()} == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "redis": "service_healthy",
        }
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["migrate"]["restart"] == "no"


def test_whatever_is_waited_for_exists_and_can_get_healthy(services):
    for service in services.values():
        for other, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "test" in services[other]["healthcheck"]


def test_no_secret_has_a_value_or_a_default():
    for name in (*SECRETS, "FRONTEND_URL"):
        uses = re.findall(rf"\$\{{{name}(.*?)\}}", TEXT)
        assert uses
        assert all(use.startswith(":?") for use in uses)
    assert re.findall(r"\$\{GRAFANA_PASSWORD(.*?)\}", TEXT) == [":-"]
    assert not re.search(r"(PASSWORD|SECRET\w*): (?!\$\{)\S", TEXT)


def test_every_variable_is_explained_in_the_example():
    example = (ROOT / ".env.example").read_text()
    for name in set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT)):
        assert re.search(rf"^#?{name}=", example, re.MULTILINE), name


def test_the_servers_are_published_nowhere_and_have_no_way_out(compose, services):
    assert compose["networks"]["inner"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert "ports" not in services[name]
        assert services[name]["networks"] == ["inner"]


def test_the_data_outlives_the_containers(compose, services):
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert services["redis"]["volumes"] == ["redis:/data"]
    assert "--appendonly yes" in services["redis"]["command"][-1]
    named = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert {name for name in named if not name.startswith(".")} == set(compose["volumes"])


def test_files_that_are_mounted_exist(services):
    for service in services.values():
        for volume in service.get("volumes", []):
            if volume.startswith("./"):
                assert (ROOT / volume.split(":")[0]).exists()


def test_application_containers_can_do_no_more_than_they_need(services):
    for name in APPLICATION:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["environment"]["ENVIRONMENT"] == "production"


def test_no_container_can_do_more_than_it_needs(services):
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "/tmp" in service["tmpfs"], name
        assert "privileged" not in service, name
    # Only what lets its entrypoint become another user.
    assert {name: service["cap_add"] for name, service in services.items() if "cap_add" in service} == {
        "redis": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
        "caddy": ["NET_BIND_SERVICE"],
    }


@pytest.mark.parametrize(("secret", "known_to"), [*SECRETS.items(), *OTHER_SECRETS.items()])
def test_a_secret_is_known_to_those_alone_who_use_it(services, secret, known_to):
    found = {name for name, service in services.items() if re.search(rf"\$\{{{secret}\W", str(service))}
    assert found == known_to


def test_no_container_gets_the_whole_file_of_settings(services):
    assert not any("env_file" in service for service in services.values())


def test_every_setting_reaches_a_container_and_all_that_they_get_are_settings(services):
    """A new setting belongs into `environment` of each container that uses it."""
    given = set().union(*(services[name]["environment"] for name in APPLICATION))
    # There Redis is a container of its own, and lines are JSON, without colours.
    assert given == set(Settings.model_fields) - {"EMBEDDED_REDIS_MAXMEMORY_MB", "LOG_COLOR"}


def test_a_setting_goes_through_under_its_own_name(services):
    for name in APPLICATION:
        for variable, value in services[name]["environment"].items():
            if re.fullmatch(r"\$\{.*\}", value):
                assert re.match(rf"\$\{{{variable}:[-?]", value)


def _values(services: dict[str, Any], name: str, **known: str) -> dict[str, str]:
    """What a container's variables hold when nothing is set but what must be."""
    given = services[name]["environment"]
    filled = {
        variable: re.sub(r"\$\{([A-Z_]+):.*?\}", lambda found: known.get(found[1], ""), value)
        for variable, value in given.items()
    }
    return {variable: known.get(variable, value) for variable, value in filled.items()}


@pytest.mark.parametrize(
    ("name", "part"), [("web", "web"), ("worker", "worker"), ("scheduler", "scheduler"), ("migrate", "migrate")]
)
def test_what_a_container_gets_is_enough_for_its_part(services, monkeypatch, tmp_path, name: str, part: Part):
    monkeypatch.chdir(tmp_path)
    for variable in Settings.model_fields:
        monkeypatch.delenv(variable, raising=False)
    known = {secret: token_hex(32) for secret in SECRETS} | {"FRONTEND_URL": "https://fuze.example.org"}
    for variable, value in _values(services, name, **known).items():
        monkeypatch.setenv(variable, value)
    settings = load_settings(part)
    assert settings.database_url.startswith("postgresql+psycopg2://fuze_app:")
    assert settings.migration_url.partition("//")[2].startswith("fuze_owner:" if name == "migrate" else "fuze_app:")


@pytest.mark.processes
@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_the_parts_behind_the_web_server_run_on_what_their_containers_get(services, servers, directory, name):
    known = {secret: token_hex(32) for secret in SECRETS} | {"FRONTEND_URL": "https://fuze.example.org"}
    variables = _values(
        services, name, **known, **{**servers, "FUZE_DATA_DIR": str(directory)}, EMBEDDING_PROVIDER="none"
    )
    with (directory / "log").open("wb") as log:
        process = spawn(
            [sys.executable, "-m", "backend", *services[name]["command"][3:]],
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), **{**variables, "REDIS_PASSWORD": ""}},
            cwd=directory,
            output=log,
        )
    try:
        said = "worker serves" if name == "worker" else "scheduler sends due work"
        assert eventually(lambda: said in (directory / "log").read_text() or process.poll() is not None, 60)
        assert process.poll() is None, (directory / "log").read_text()
        assert "Traceback" not in (directory / "log").read_text()
    finally:
        terminate(process, signal.SIGTERM, 30)


def test_redis_may_drop_what_expires_and_nothing_else(services):
    [_, _, command] = services["redis"]["command"]
    assert "--maxmemory-policy volatile-ttl" in command
    assert '--maxmemory "$$REDIS_MAXMEMORY"' in command
    assert services["redis"]["environment"]["REDIS_MAXMEMORY"] == "${REDIS_MAXMEMORY:-512mb}"


def test_the_commands_of_the_containers_exist(services):
    text = (ROOT / "backend" / "cli" / "__init__.py").read_text()
    for name in ("migrate", "worker", "scheduler"):
        command = services[name]["command"]
        assert command[:3] == ["python", "-m", "backend"]
        assert f'"{command[3]}"' in text


def test_the_image_runs_as_nobody_special_and_knows_its_health():
    lines = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER fuze$", lines, re.MULTILINE)
    assert re.search(r"^ENTRYPOINT \[\"tini\", \"--\"\]$", lines, re.MULTILINE)
    assert "/api/health/live" in lines
    assert len(re.findall(r"^FROM ", lines, re.MULTILINE)) == 2


def test_what_the_image_copies_is_let_through_and_exists():
    ignore = (ROOT / ".dockerignore").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name in " ".join(copied).split():
        assert f"!{name}\n" in ignore
        assert (ROOT / name).exists()


@pytest.mark.skipif(CADDY is None, reason="caddy is not installed")
def test_caddy_takes_its_settings_and_is_trusted_by_nobody_else(compose, services):
    settings = ["--config", str(ROOT / "deploy" / "Caddyfile"), "--adapter", "caddyfile"]
    checked = subprocess.run(
        [str(CADDY), "validate", *settings],
        env={**os.environ, "FUZE_DOMAIN": "fuze.example.org"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert {name for name, service in services.items() if "front" in service.get("networks", ())} == {"caddy", "web"}
    [network] = compose["networks"]["front"]["ipam"]["config"]
    assert f"TRUSTED_PROXIES={network['subnet']}" in (ROOT / "docs" / "deployment.md").read_text()


def test_prometheus_asks_one_web_container_for_the_metrics_of_all(services):
    """All containers share a data directory: to ask each of them would count everything several times."""
    document = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text())
    [job] = document["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["static_configs"] == [{"targets": ["web:8000"]}]
    assert all("data:/data" in services[name]["volumes"] for name in ("web", "worker", "scheduler"))
    assert job["authorization"]["credentials_file"] in services["prometheus"]["entrypoint"][-1]
