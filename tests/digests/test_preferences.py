"""The preferences of digests in the profile."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.clock import utc_now
from backend.digests.schedule import next_due
from tests.digests.subscribers import due_at, subscribe
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def test_the_profile_switches_them_on_and_off_and_moves_them(ada: Api) -> None:
    on = ada.patch("/profile", {"digest": True}, headers={"Accept-Language": "de-AT, en;q=0.5"}).json
    assert (on["digest"], on["language"]) == (True, "de")
    assert ada.get("/profile").json == on
    assert due_at(ada) == next_due(utc_now(), ZoneInfo("UTC"), "monday")
    changed = ada.patch("/profile", {"time_zone": "Asia/Kathmandu", "week_start": "saturday", "language": "en"}).json
    assert (changed["digest"], changed["language"]) == (True, "en")
    assert due_at(ada) == next_due(utc_now(), ZoneInfo("Asia/Kathmandu"), "saturday")
    ada.patch("/profile", {"digest": False})
    assert due_at(ada) is None
    assert ada.get("/profile").json["digest"] is False
    ada.patch("/profile", {"time_zone": "UTC"})
    assert due_at(ada) is None


def test_another_change_of_the_profile_does_not_put_off_what_is_due(ada: Api) -> None:
    subscribe(ada)
    before = due_at(ada)
    for body in ({"username": "countess"}, {"digest": True}, {"language": "de"}, {"time_zone": "UTC"}):
        assert ada.patch("/profile", body).status_code == 200
    assert due_at(ada) == before


@pytest.mark.parametrize("body", [{"digest": "yes"}, {"digest": None}, {"language": "fr"}, {"language": "../en"}])
def test_what_is_no_preference_is_refused(ada: Api, body: dict[str, Any]) -> None:
    assert list(field_errors(ada.patch("/profile", body))) == [f"body.{next(iter(body))}"]
