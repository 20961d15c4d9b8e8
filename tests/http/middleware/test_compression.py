"""Answers are compressed as the client prefers, and only where it pays (R-HTTP 5)."""

from __future__ import annotations

import gzip
import json
from itertools import product

import brotli
import pytest
from backports import zstd

from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
LONG = "/api/openapi.json"
INFLATE_ORDER = ("zstd", "br", "gzip")
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
        ("*;q=0.5, br", "br"),
        ("zstd;q=0, *", "br"),
        ("zstd;q=0", None),
        ("br;q=0, gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("GZIP ; Q=0.7 , zstd ; q=0.000", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip;q=1.5, br;q=0.0001", None),
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


WEIGHTS = (None, "0", "0.5", "1")
COMBINATIONS = list(product(WEIGHTS, repeat=5))


def _header(weights: tuple[str | None, ...]) -> str:
    named = zip(("zstd", "br", "gzip", "identity", "*"), weights, strict=True)
    return ", ".join(f"{name};q={weight}" for name, weight in named if weight is not None)


@pytest.mark.parametrize("length", [10, 2_000], ids=["short", "long"])
def test_nothing_is_sent_in_what_the_client_has_ruled_out(ada: Api, length: int) -> None:
    """RFC 9110, 12.5.3: all combinations of all codings."""
    path = f"/bookmarks/{ada.save('https://example.org/', description='a' * length)['id']}"
    plain = ada.get(path).data
    for weights in COMBINATIONS:
        *ours, identity, other = (None if weight is None else float(weight) for weight in weights)
        accepted = {
            name: (weight if weight is not None else (other or 0))
            for name, weight in zip(INFLATE_ORDER, ours, strict=True)
        }
        refuses_plain = (identity if identity is not None else (1 if other is None else other)) == 0
        header = _header(weights)
        answer = ada.request("GET", path, headers={"Accept-Encoding": header})
        if refuses_plain and not any(accepted.values()):
            assert answer.status_code == 406, header
            continue
        assert answer.status_code == 200, header
        coding = answer.headers.get("Content-Encoding")
        if coding is None:
            assert not refuses_plain, header
            assert answer.data == plain
        else:
            assert accepted[coding] == max(accepted.values()) > 0, header
            assert accepted[coding] >= (identity or 0), header
            assert INFLATE[coding](answer.data) == plain
        assert answer.content_length == len(answer.data)


def test_a_short_cached_response_and_a_refusal_are_compressed_for_who_takes_nothing_else(ada: Api) -> None:
    for _ in range(3):
        for path, status in (("/profile", 200), ("/bookmarks/1", 404)):
            answer = ada.request("GET", path, headers={"Accept-Encoding": "gzip, identity;q=0"})
            assert (answer.status_code, answer.headers["Content-Encoding"]) == (status, "gzip")
            assert json.loads(gzip.decompress(answer.data))
    etag = ada.request("GET", "/profile", headers={"Accept-Encoding": "gzip, *;q=0"}).headers["ETag"]
    again = ada.request("GET", "/profile", headers={"Accept-Encoding": "gzip, *;q=0", "If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert ada.request("GET", "/profile", headers={"Accept-Encoding": "*;q=0"}).status_code == 406
    refused = ada.post("/bookmarks", {"url": "https://example.org/"}, headers={"Accept-Encoding": "*;q=0"})
    assert refused.status_code == 406
    assert refused.content_type == "application/problem+json"
    assert ada.get("/bookmarks").json["total"] == 0
