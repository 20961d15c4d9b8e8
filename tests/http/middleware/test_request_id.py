"""X-Request-ID: taken when harmless, made otherwise, always returned."""

from __future__ import annotations

import re

import pytest

from tests.support.api import Api

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "0" * 128, "7d6a1c0e-0c5b-4d9c-8d5e-6a4f0b7b2f11"])
def test_a_harmless_id_is_kept(anonymous: Api, given: str) -> None:
    response = anonymous.request("GET", "/profile", headers={"X-Request-ID": given})
    assert response.headers.get_all("X-Request-ID") == [given]
    assert response.json["request_id"] == given


@pytest.mark.parametrize("given", ["", " ", "a b", "0" * 129, "a;b", "a/b", "é", "<script>", "a\tb", '"', "{id}"])
def test_any_other_id_is_replaced(anonymous: Api, given: str) -> None:
    response = anonymous.request("GET", "/profile", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])
    assert response.json["request_id"] == response.headers["X-Request-ID"]


def test_every_request_without_one_gets_its_own(anonymous: Api) -> None:
    assert len({anonymous.get("/api/health/live").headers["X-Request-ID"] for _ in range(20)}) == 20
