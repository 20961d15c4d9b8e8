"""What can be said about the container files without running containers."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.cli.stack import ROOT

pytestmark = [pytest.mark.unit]

APPLICATION = ("migrate", "web", "worker", "scheduler")
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
    for name in ("SECRET_KEY", "JWT_SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
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
                assert (ROOT / volume.split(":")[0]).is_file()


def test_application_containers_can_do_no_more_than_they_need(services):
    for name in APPLICATION:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["environment"]["ENVIRONMENT"] == "production"


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


def test_prometheus_asks_every_web_container():
    document = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text())
    [job] = document["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["dns_sd_configs"] == [{"names": ["web"], "type": "A", "port": 8000}]
