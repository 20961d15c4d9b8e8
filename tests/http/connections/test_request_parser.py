"""Headers that are parsed once are those that gunicorn parses each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ExpectationFailed, ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from backend.http.connections import request_parser
from backend.http.connections.request_parser import LONGEST_REMEMBERED, REMEMBERED, RememberingRequest

pytestmark = pytest.mark.unit
CLIENT = ("192.0.2.1", 5)
OF_BROWSER = [
    "Host: fuze.example",
    "Authorization: Bearer one",
    "Accept: application/json",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Cookie: a=1; b=2",
    "X-Twice: 1",
    "X-Twice: 2",
]


@pytest.fixture(autouse=True)
def remembered() -> Iterator[dict[bytes, request_parser.Headers]]:
    """What is remembered: nothing at the beginning."""
    request_parser._headers.clear()
    yield request_parser._headers
    request_parser._headers.clear()


def parsed(
    lines: list[str],
    *,
    kind: type[Request] = RememberingRequest,
    start: str = "GET /a HTTP/1.1",
    client: object = CLIENT,
) -> Request:
    config = Config()
    config.set("forwarded_allow_ips", "")
    head = "\r\n".join([start, *lines, "", ""]).encode("latin-1")
    return kind(config, IterUnreader([head]), client, 1)


def test_headers_are_those_of_gunicorn_at_first_and_later(remembered: dict[bytes, request_parser.Headers]) -> None:
    expected = parsed(OF_BROWSER, kind=Request).headers
    for _ in range(3):
        assert parsed(OF_BROWSER).headers == expected
    assert len(remembered) == 1


def test_what_one_request_does_with_its_headers_no_other_one_sees() -> None:
    parsed(OF_BROWSER).headers.append(("X-ADDED", "1"))
    parsed(OF_BROWSER).headers.clear()
    assert parsed(OF_BROWSER).headers == parsed(OF_BROWSER, kind=Request).headers


@pytest.mark.parametrize("other", ["Authorization: Bearer two", "authorization: Bearer one ", "X-Other: 1"])
def test_headers_that_differ_in_a_byte_are_parsed(other: str) -> None:
    parsed(OF_BROWSER)
    lines = [OF_BROWSER[0], other, *OF_BROWSER[2:]]
    assert parsed(lines).headers == parsed(lines, kind=Request).headers


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("no colon", "InvalidHeader"),
        (": empty", "InvalidHeader"),
        ("Value: \x00", "InvalidHeader"),
        ("Host: two.example", "InvalidHeader"),
        ("Sp ace: 1", "InvalidHeaderName"),
        ("Name\x00: 1", "InvalidHeaderName"),
        (" folded", "ObsoleteFolding"),
    ],
)
def test_what_gunicorn_refuses_is_refused_each_time(
    line: str, fault: str, remembered: dict[bytes, request_parser.Headers]
) -> None:
    for _ in range(2):
        for kind in (Request, RememberingRequest):
            with pytest.raises(ParseException) as raised:
                parsed([*OF_BROWSER, line], kind=kind)
            assert type(raised.value).__name__ == fault
    assert not remembered


def test_an_expectation_is_that_of_each_request() -> None:
    lines = [*OF_BROWSER, "Expect: 100-continue"]
    for start, is_expected in (("POST /a HTTP/1.0", False), ("POST /a HTTP/1.1", True), ("POST /a HTTP/1.1", True)):
        assert parsed(lines, start=start)._expected_100_continue is is_expected
    for _ in range(2):
        with pytest.raises(ExpectationFailed):
            parsed([*OF_BROWSER, "Expect: much"])


@pytest.mark.parametrize(
    "line", ["Content-Length: 0", "Transfer-Encoding: chunked", f"X-Long: {'a' * LONGEST_REMEMBERED}"]
)
def test_bodies_and_long_headers_are_not_remembered(line: str, remembered: dict[bytes, request_parser.Headers]) -> None:
    parsed([*OF_BROWSER, line])
    assert not remembered


def test_a_unix_socket_is_asked_for_the_scheme_each_time() -> None:
    """Its peer is the proxy of this machine."""
    lines = [*OF_BROWSER, "X-Forwarded-Proto: https"]
    assert parsed(lines).scheme == "http"
    for _ in range(2):
        assert parsed(lines, client="").scheme == "https"
    assert parsed(lines).scheme == "http"


def test_few_are_remembered(remembered: dict[bytes, request_parser.Headers]) -> None:
    for number in range(REMEMBERED * 2 + 1):
        parsed([f"X-Number: {number}"])
        assert 0 < len(remembered) <= REMEMBERED
