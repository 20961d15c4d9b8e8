"""Every number of metrics and statistics over a simulated year, compared with those of `benchmarks.expected_year`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient

from backend.dashboard.schemas import Interval
from benchmarks.expected_year import (
    NAMES,
    expected_accounts,
    expected_content,
    expected_engagement,
    expected_series,
    expected_users,
    midnight,
    of_team,
)
from benchmarks.simulated_content import SimulatedContent
from benchmarks.simulated_year import EDGES, SimulatedYear

ZONES = ("UTC", *EDGES, "Pacific/Auckland", "America/St_Johns")
DAYS = 400


@dataclass
class DashboardCheck:
    """Compares answers with a year.

    Attributes:
        year: What has happened.
        content: What there is.
        compared: How many numbers were compared.
        differences: Those that are not the expected ones.
    """

    year: SimulatedYear
    content: SimulatedContent
    compared: int = 0
    differences: list[str] = field(default_factory=list)

    def team(self, client: FlaskClient, headers: dict[str, str], team: int, zone: str) -> None:
        """Compare what a member of an organization is told in a time zone."""
        self._metrics(client, headers, team, zone)
        part = of_team(self.year, team)
        for interval in get_args(Interval):
            last = self.year.now.astimezone(ZoneInfo(zone)).date()
            first = last - timedelta(days=DAYS - 1)
            query = {"from": str(first), "to": str(last), "interval": interval, "time_zone": zone}
            told = _ask(client, headers, "statistics", query)["data"]
            series = expected_series(part, zone, interval, first, last)
            totals = {name: sum(point[name] for point in series) for name in NAMES}
            self._compare(f"{team} {zone} {interval}", told, {"series": series, "totals": totals})

    def server(self, client: FlaskClient, headers: dict[str, str], zone: str, admins: int) -> None:
        """Compare what an administrator is told of the server in a time zone."""
        self._metrics(client, headers, None, zone, admins)

    def _metrics(
        self, client: FlaskClient, headers: dict[str, str], team: int | None, zone: str, admins: int = 0
    ) -> None:
        scope = "server" if team is None else "organization"
        answer = _ask(client, headers, "metrics", {"time_zone": zone, "scope": scope})
        told, now, part = answer["data"], datetime.fromisoformat(answer["metadata"]["timestamp"]), self.year
        if team is None:
            users = expected_accounts(part, now, zone, admins)
        else:
            part = of_team(self.year, team)
            users = expected_users(part, now, zone)
        told["period_start"] = datetime.fromisoformat(told["period_start"])
        wanted = {
            "users": users,
            "engagement": expected_engagement(part, now, zone),
            "content": expected_content(self.content, team),
            "period_start": midnight(now, zone, 29),
        }
        self._compare(f"{team or 'server'} {zone} metrics", told, wanted)

    def _compare(self, name: str, told: dict[str, Any], wanted: dict[str, Any]) -> None:
        found = dict(_leaves(name, {part: told[part] for part in wanted}))
        expected = dict(_leaves(name, wanted))
        self.compared += len(expected)
        self.differences += [
            f"{path}: {found.get(path, 'nothing')}, not {expected.get(path, 'nothing')}"
            for path in dict.fromkeys((*found, *expected))
            if found.get(path, path) != expected.get(path, path)
        ]


def _ask(client: FlaskClient, headers: dict[str, str], name: str, query: dict[str, str]) -> dict[str, Any]:
    response = client.get(f"/api/v1/dashboard/{name}", headers=headers, query_string=query)
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.get_json()
    return answer


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from _leaves(f"{path} {key}", part)
    else:
        yield path, value
