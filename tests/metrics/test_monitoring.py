"""Documents, alerts and dashboards: they name the metrics that there are, and Prometheus takes them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from flask import Flask
from werkzeug.datastructures import MIMEAccept

from backend.metrics.service import render_metrics
from tests.support.metrics import Scrape

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
NAME = re.compile(r"\bfuze_[a-z_]+")
SUFFIXES = ("_bucket", "_count", "_sum", "_total")


def rendered() -> Scrape:
    text, _ = render_metrics(MIMEAccept())
    return Scrape(text.decode())


def test_the_documents_name_every_metric(context: Flask) -> None:
    families = rendered().families
    told = set(NAME.findall((ROOT / "docs" / "metrics.md").read_text()))
    names = {f"{name}_total" if family.type == "counter" else name for name, family in families.items()}
    assert names == told


def expressions() -> list[str]:
    """What alerts and dashboards ask Prometheus."""
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    panels = [
        panel
        for path in sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))
        for panel in json.loads(path.read_text())["panels"]
    ]
    return [
        *(rule["expr"] for group in rules for rule in group["rules"]),
        *(target["expr"] for panel in panels for target in panel["targets"]),
    ]


def test_alerts_and_dashboards_ask_for_metrics_that_exist(context: Flask) -> None:
    families = rendered().families
    for expression in expressions():
        for name in NAME.findall(expression):
            family = re.sub(f"({'|'.join(SUFFIXES)})$", "", name)
            assert name in families or family in families, expression


def test_every_alert_has_its_place_in_the_runbook() -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"][0]["rules"]
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert [rule["alert"] for rule in rules] == headings
    assert all(rule["annotations"]["runbook"].endswith(f"#{rule['alert'].lower()}") for rule in rules)


def test_every_dashboard_is_provisioned_and_has_a_name_of_its_own() -> None:
    documents = [json.loads(path.read_text()) for path in (MONITORING / "grafana" / "dashboards").glob("*.json")]
    assert len({document["uid"] for document in documents}) == len(documents) >= 5
    [source] = yaml.safe_load((MONITORING / "grafana/provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert {panel["datasource"]["uid"] for document in documents for panel in document["panels"]} == {source["uid"]}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here: apt-get install prometheus")
@pytest.mark.parametrize(
    "what", [["check", "rules", "alerts.yml"], ["check", "config", "--syntax-only", "prometheus.yml"]]
)
def test_prometheus_takes_its_files(what: list[str]) -> None:
    done = subprocess.run(["promtool", *what], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
