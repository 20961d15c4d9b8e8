"""The fast path stands behind the proxies: what they say of a request holds for cached responses too."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from backend.app import create_app
from config import Settings
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def test_a_hit_below_a_base_path_and_behind_tls_is_served_before_flask(
    ada: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    proxies = [ipaddress.ip_network("127.0.0.1/32")]
    app = create_app(settings.model_copy(update={"BASE_PATH": "/fuze", "TRUSTED_PROXIES": proxies}))
    headers = {"Authorization": f"Bearer {ada.token}", "X-Forwarded-Proto": "https"}
    first = app.test_client().get("/fuze/api/v1/bookmarks", headers=headers)
    assert first.status_code == 200

    def refuse(*_: Any) -> Any:
        raise AssertionError("Flask has begun")

    monkeypatch.setattr(app, "full_dispatch_request", refuse)
    second = app.test_client().get("/fuze/api/v1/bookmarks", headers=headers)
    assert (second.status_code, second.data) == (200, first.data)
    assert second.headers["Strict-Transport-Security"] == first.headers["Strict-Transport-Security"]
