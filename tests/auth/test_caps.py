"""R-TRUST 5: how many API tokens and organizations one person may have, also when they ask all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def make_token(api: Api, number: int = 0) -> TestResponse:
    return api.post("/auth/tokens", {"name": f"script {number}", "scopes": ["*:read"]})


def make_organization(api: Api, number: int = 0) -> TestResponse:
    return api.post("/organizations", {"name": f"Team {number}"})


MAKE = {"MAX_API_TOKENS_PER_PERSON": make_token, "MAX_ORGANIZATIONS_PER_OWNER": make_organization}
PATHS = {"MAX_API_TOKENS_PER_PERSON": "/auth/tokens", "MAX_ORGANIZATIONS_PER_OWNER": "/organizations"}


@pytest.mark.parametrize("setting", MAKE)
def test_a_person_has_fifty_of_them(app: Flask, setting: str) -> None:
    assert getattr(app.extensions["settings"], setting) == 50


@pytest.mark.parametrize("setting", MAKE)
def test_one_more_is_a_conflict_until_one_is_deleted(
    ada: Api, bob: Api, app: Flask, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setattr(app.extensions["settings"], setting, 2)
    make, path = MAKE[setting], PATHS[setting]
    made = [make(ada, number) for number in range(3)]
    assert [one.status_code for one in made] == [201, 201, 409]
    assert made[2].json["limit"] == 2
    assert "2 is the most" in made[2].json["detail"]
    assert make(bob).status_code == 201
    body = {} if path == "/auth/tokens" else {"json": {"name": "Team 0"}}
    assert ada.request("DELETE", f"{path}/{made[0].json['id']}", **body).status_code == 204
    assert make(ada, 3).status_code == 201


@pytest.mark.parametrize("setting", MAKE)
def test_those_who_ask_at_once_do_not_get_more(
    ada: Api, app: Flask, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setattr(app.extensions["settings"], setting, 3)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(lambda number: MAKE[setting](Api(app, session=ada.session), number).status_code, range(8))
        )
    assert sorted(statuses) == [201] * 3 + [409] * 5
