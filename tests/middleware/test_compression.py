"""Answers are compressed as the client prefers, and only where it pays (R-HTTP 5)."""

from __future__ import annotations

import gzip
import json

import brotli
import pytest
from backports import zstd

from tests.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
LONG = "/api/openapi.json"
INFLATE = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0.5, br;q=0", "gzip"),
        ("*", "zstd"),
        ("deflate", None),
        ("identity", None),
        ("", None),
        ("rubbish;;q=x", None),
    ],
)
def test_a_long_answer_is_compressed_as_the_client_prefers(anonymous: Api, accepted: str, chosen: str | None) -> None:
    plain = anonymous.get(LONG).data
    response = anonymous.request("GET", LONG, headers={"Accept-Encoding": accepted})
    assert response.headers.get("Content-Encoding") == chosen
    assert "accept-encoding" in {name.lower() for name in response.vary}
    assert (INFLATE[chosen](response.data) if chosen else response.data) == plain
    assert response.content_length == len(response.data)


def test_a_short_answer_is_sent_as_it_is(ada: Api) -> None:
    response = ada.request("GET", "/profile", headers={"Accept-Encoding": "br, gzip, zstd"})
    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers
    assert "accept-encoding" in {name.lower() for name in response.vary}


def test_a_long_list_is_compressed(ada: Api) -> None:
    ada.save("https://example.org/long", description="long " * 1000)
    response = ada.request("GET", "/bookmarks", headers={"Accept-Encoding": "br"})
    assert response.headers["Content-Encoding"] == "br"
    assert json.loads(brotli.decompress(response.data))["total"] == 1
