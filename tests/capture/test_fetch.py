"""The guarded fetch: whom it refuses, DNS, redirects and time (DESIGN 7; issue 2, Shows 4)."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from backend.capture.fetch import FetchPolicy, fetch_page
from tests.capture.fetching import ENDLESS, HTML, PRIVATE, PUBLIC, Names, bounds, failure, given_up, silent_listener
from tests.capture.local_server import LocalServer, head, redirect, response, running

pytestmark = pytest.mark.unit

# The only address that the test of hostile redirects allows: the redirecting server's own.
START = "127.77.0.1"


# ---- Addresses that are refused


HOSTILE_NAMES = {
    "example.com": [["93.184.215.14"]],  # harmless itself: a URL that is let through to it shows as an attempt
    "private.example": [["10.0.0.5"]],
    "loopback.example": [["127.0.0.1"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "six.example": [["::1"]],
    "mapped.example": [["::ffff:192.168.1.1"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "scoped.example": [["fe80::1%lo"]],
    "mixed.example": [["93.184.215.14", "10.0.0.5"]],
    "mixed6.example": [["93.184.215.14", "2606:2800:220:1::1", "fd00::1"]],
    "unspecified.example": [["0.0.0.0"]],
    "intranet": [["192.168.0.10"]],
    "nothing.example": [[]],
}
HOSTILE_URLS = [
    # Loopback and this host, plainly
    "http://127.0.0.1/", "http://127.0.0.1:8000/", "https://127.0.0.1/", "http://127.255.255.254/",
    "http://0.0.0.0/", "http://0/", "http://0.1.2.3/", "http://[::1]/", "http://[::]/", "http://localhost/",
    "http://LOCALHOST:6379/", "http://localhost./", "http://foo.localhost/", "https://localhost:5432/",
    # IPv4 in other spellings
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0X7F.0.0.1/", "http://0177.0.0.1/",
    "http://017700000001/", "http://127.1/", "http://127.0.1/", "http://127.0.0.1./", "http://3232235521/",
    "http://0xa9fea9fe/", "http://2852039166/", "http://0251.0376.0251.0376/", "http://169.254.43518/",
    "http://00000000177.0.0.1/", "http://256.256.256.256/", "http://1.2.3.4.5/", "http://4294967297/",
    # Full-width and enclosed digits, ideographic dots, percent signs
    "http://１２７.０.０.１/", "http://127。0。0。1/", "http://127．0．0．1/", "http://①②⑦.⓪.⓪.①/",
    "http://ｌｏｃａｌｈｏｓｔ/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://%31%32%37.0.0.1/", "http://127%2e0%2e0%2e1/",
    "http://%6c%6f%63alhost/",
    # Private, shared, reserved, documentation, benchmarking, multicast
    "http://10.0.0.1/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/",
    "http://100.64.0.1/", "http://192.0.0.1/", "http://192.0.2.1/", "http://198.18.0.1/",
    "http://198.51.100.7/", "http://203.0.113.7/", "http://224.0.0.1/", "http://240.0.0.1/",
    "http://255.255.255.255/",
    # Cloud metadata
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/opc/v2/instance/", "http://168.63.129.16/", "http://[fd00:ec2::254]/latest/",
    "http://[fd20:ce::254]/", "http://metadata.google.internal/computeMetadata/v1/",
    # IPv6, and IPv4 inside it
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:0:127.0.0.1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::10.0.0.1]/", "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:7f00:1::]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/",
    "http://[::1%25lo]/", "http://[fc00::1]/", "http://[fdff::1]/", "http://[fec0::1]/", "http://[ff02::1]/",
    "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[100::1]/", "http://[0:0:0:0:0:0:0:1]/",
    "http://[v1.127]/", "http://[::1", "http://[::1].example.com/",
    # Names that lead there
    "http://private.example/", "http://loopback.example/", "http://six.example/", "http://mapped.example/",
    "http://nat64.example/", "http://scoped.example/", "http://mixed.example/", "http://mixed6.example/",
    "http://unspecified.example/", "http://intranet/", "http://nothing.example/", "http://PRIVATE.example./",
    "http://unknown.example/",
    # Confusing authorities
    "http://user@example.com/", "http://user:secret@example.com/", "http://@example.com/",
    "http://example.com@127.0.0.1/", "http://example.com:80@127.0.0.1/", "http://127.0.0.1\\@example.com/",
    "http://example.com\\@127.0.0.1/", "http://127.0.0.1\\.example.com/", "http://127.0.0.1#@example.com/",
    "http://127.0.0.1?@example.com/", "http://127.0.0.1:80:80/", "http://127.0.0.1 .example.com/",
    "http://1\t27.0.0.1/", "http://127.0.0.1\n/", "http:/127.0.0.1/", "http:127.0.0.1", "http:///127.0.0.1/",
    "http:\\\\127.0.0.1\\", "//127.0.0.1/", "http://", "http://:80/", "http://example.com:0/",
    "http://example.com:65536/", "http://example.com:-1/", "http://exa mple.com/", "http://a..b/",
    "http://example.com/\x00", "http://" + "a" * 64 + ".com/", "http://" + "a." * 200 + "com/",
    "http://example.com/" + "a" * 9000, "http://example.com/\ud800", "",
    # Other schemes
    "ftp://example.com/", "gopher://example.com:70/", "ws://example.com/", "wss://example.com/",
    "file:///etc/passwd", "file://127.0.0.1/etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "data:text/html,hello", "javascript:alert(1)",
    "unix:///run/docker.sock", "http+unix://%2Frun%2Fdocker.sock/", "ws://127.0.0.1/", "HTTPS+http://127.0.0.1/",
]  # fmt: skip


@pytest.fixture(scope="module")
def start() -> Iterator[LocalServer]:
    with running(START) as running_server:
        yield running_server


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a socket is asked to connect to; only START is really connected."""
    seen: list[Any] = []
    connect = socket.socket.connect

    def record(self: socket.socket, address: Any) -> None:
        seen.append(address)
        if address[0] != START:
            raise ConnectionRefusedError
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", record)
    monkeypatch.setattr(socket.socket, "connect_ex", record)
    return seen


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_without_a_single_connection(url: str, attempts: list[Any]) -> None:
    assert not failure(url, FetchPolicy(resolve=Names(HOSTILE_NAMES), timeout_seconds=5)).retryable
    assert attempts == []


@pytest.mark.parametrize("url", [url for url in HOSTILE_URLS if not re.search(r"[\x00\n\ud800]", url)])
def test_a_redirect_to_a_hostile_url_connects_nowhere_else(url: str, start: LocalServer, attempts: list[Any]) -> None:
    """Some, such as `http:127.0.0.1`, are relative references here; what no header can carry is left out."""
    names = Names({**HOSTILE_NAMES, "start.example": [[START]]})
    start.answers["/"] = redirect(url.encode().decode("latin-1"))
    policy = bounds(names, allowed_networks=[ip_network(START)])
    assert not failure(start.url(host="start.example"), policy).retryable
    assert set(attempts) == {(START, start.port)}


def test_the_table_of_hostile_urls_counts_attempts_that_are_made(attempts: list[Any]) -> None:
    failure("http://example.com:81/", FetchPolicy(resolve=Names(HOSTILE_NAMES)))
    assert attempts == [("93.184.215.14", 81)]


@pytest.mark.parametrize("network", ["127.0.0.0/8", "127.0.0.1/32"])
def test_an_operator_may_allow_a_private_network(network: str, server: LocalServer) -> None:
    server.answers["/"] = response(body=HTML, content_type="text/html")
    for host in ("127.0.0.1", "127.1", "localhost", "0x7f000001"):
        page = fetch_page(server.url(host=host), bounds(allowed_networks=[ip_network(network)]))
        assert page.body == HTML


def test_an_ipv6_address_can_be_fetched() -> None:
    with running("::1") as server:
        server.answers["/"] = response(body=HTML, content_type="text/html")
        page = fetch_page(server.url(host="[::1]"), bounds(allowed_networks=[ip_network("::1")]))
    assert page.url == f"http://[::1]:{server.port}/"
    assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


# ---- DNS


def test_a_name_that_changes_its_answer_is_connected_where_it_was_checked(server: LocalServer) -> None:
    server.answers["/"] = response(body=HTML, content_type="text/html")
    names = Names({"rebind.example": [[PUBLIC], [PRIVATE]]})
    with running(PRIVATE, server.port) as private:
        page = fetch_page(server.url(host="rebind.example"), bounds(names))
    assert page.body == HTML
    assert server.requests[0].headers["host"] == f"rebind.example:{server.port}"
    assert names.asked == ["rebind.example"]
    assert private.connections == 0


def test_a_name_that_changes_its_answer_is_refused_on_the_next_hop(server: LocalServer) -> None:
    server.answers["/"] = redirect("/next")
    names = Names({"rebind.example": [[PUBLIC], [PRIVATE]]})
    with running(PRIVATE, server.port) as private:
        assert not failure(server.url(host="rebind.example"), bounds(names)).retryable
    assert names.asked == ["rebind.example"] * 2
    assert private.connections == 0


@pytest.mark.parametrize("answer", [[PUBLIC, PRIVATE], [PRIVATE, PUBLIC], ["::1", PUBLIC]])
def test_one_forbidden_address_among_good_ones_refuses_the_name(answer: Sequence[str], server: LocalServer) -> None:
    assert not failure(server.url(host="mixed.example"), bounds(Names({"mixed.example": [answer]}))).retryable
    assert server.connections == 0


def test_the_next_address_is_tried_when_one_refuses_or_stays_silent(server: LocalServer) -> None:
    server.answers["/"] = response(body=HTML, content_type="text/html")
    more = [f"127.0.0.{number}" for number in range(5, 10)]  # So that silence has a seventh of the time.
    names = Names({"many.example": [["127.0.0.3", "127.0.0.4", PUBLIC, *more]]})
    policy = bounds(names, allowed_networks=[ip_network("127.0.0.0/8")], timeout_seconds=6)
    with silent_listener("127.0.0.4", server.port):
        assert fetch_page(server.url(host="many.example"), policy).body == HTML


def test_at_most_eight_addresses_of_a_name_are_tried(attempts: list[Any]) -> None:
    answer = [f"93.184.215.{number}" for number in range(1, 100)]
    failure("http://many.example/", FetchPolicy(resolve=Names({"many.example": [answer]})))
    assert attempts == [(address, 80) for address in answer[:8]]


@pytest.mark.parametrize(
    ("code", "retryable"),
    [(socket.EAI_NONAME, False), (socket.EAI_NODATA, False), (socket.EAI_AGAIN, True),
     (socket.EAI_FAIL, True), (socket.EAI_SYSTEM, True)],
)  # fmt: skip
def test_a_failed_lookup_is_retried_only_if_the_name_may_exist(code: int, retryable: bool) -> None:
    def fail(host: str) -> Sequence[str]:
        raise socket.gaierror(code, "secret resolver words")

    refusal = failure("http://name.example/", bounds(fail))
    assert refusal.retryable is retryable
    assert "secret" not in refusal.reason


def test_a_lookup_that_hangs_ends_at_the_deadline() -> None:
    released = threading.Event()

    def hang(host: str) -> Sequence[str]:
        released.wait(ENDLESS)
        return [PUBLIC]

    given_up("http://slow.example/", bounds(hang, timeout_seconds=0.3))
    released.set()


def test_the_system_resolver_is_the_default() -> None:
    assert "127.0.0.1" in FetchPolicy().resolve("127.0.0.1")
    assert not failure("http://127.0.0.1/", FetchPolicy()).retryable


# ---- Redirects


@pytest.mark.parametrize(
    ("location", "path"),
    [("/b", "/b"), ("c", "/a/c"), ("../d", "/d"), ("?q=1", "/a/page?q=1"), ("/e#part", "/e"),
     ("/sp ace", "/sp%20ace"), ("/é", "/%C3%A9")],
)  # fmt: skip
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_relative_redirects_are_followed(status: int, location: str, path: str, server: LocalServer) -> None:
    server.answers["/a/page"] = redirect(location.encode().decode("latin-1"), status)
    server.answers[path] = response(body=HTML, content_type="text/html")
    page = fetch_page(server.url("/a/page"), bounds())
    assert page.url == server.url(path)
    assert page.body == HTML


def test_a_redirect_without_a_host_change_may_name_scheme_and_host(server: LocalServer) -> None:
    server.answers["/"] = redirect(f"//{PUBLIC}:{server.port}/b")
    server.answers["/b"] = response(body=HTML)
    assert fetch_page(server.url(), bounds()).url == server.url("/b")


def test_the_last_allowed_redirect_is_followed_and_one_more_is_not(server: LocalServer) -> None:
    for number in range(5):
        server.answers[f"/{number}"] = redirect(f"/{number + 1}")
    server.answers["/5"] = response(body=HTML)
    assert fetch_page(server.url("/0"), bounds()).body == HTML
    assert not failure(server.url("/0"), bounds(max_redirects=4)).retryable
    assert server.paths == ["/0", "/1", "/2", "/3", "/4", "/5", "/0", "/1", "/2", "/3", "/4"]


def test_a_redirect_loop_ends(server: LocalServer) -> None:
    server.answers["/"] = redirect("/")
    assert not failure(server.url()).retryable
    assert len(server.requests) == 6


@pytest.mark.parametrize("status", [300, 302, 304, 305])
def test_a_3xx_answer_that_leads_nowhere_is_no_page(status: int, server: LocalServer) -> None:
    server.answers["/"] = head(status, content_length="0")
    assert not failure(server.url()).retryable


def test_cookies_stay_with_the_host_that_set_them(server: LocalServer) -> None:
    names = Names({"one.example": [[PUBLIC]], "two.example": [[PUBLIC]]})
    server.answers["/"] = redirect("/again", set_cookie="seen=1=2; Path=/; Domain=.example; expires=99999999999")
    server.answers["/again"] = redirect("/more", set_cookie="other = x")
    server.answers["/more"] = redirect(server.url("/elsewhere", host="two.example"), set_cookie="; Max-Age=x")
    server.answers["/elsewhere"] = redirect(server.url("/end", host="one.example"), set_cookie="n=\xff")
    server.answers["/end"] = response(body=HTML)
    fetch_page(server.url(host="one.example"), bounds(names))
    sent = [request.headers.get("cookie") for request in server.requests]
    assert sent == [None, "seen=1=2", "seen=1=2; other=x", None, None]


def test_a_site_that_redirects_until_its_cookie_comes_back_is_read(server: LocalServer) -> None:
    def ask_for_cookie(connection: socket.socket) -> None:
        known = server.requests[-1].headers.get("cookie") == "seen=1"
        connection.sendall(response(body=HTML) if known else redirect("/", set_cookie="seen=1; HttpOnly"))

    server.answers["/"] = ask_for_cookie
    assert fetch_page(server.url(), bounds()).body == HTML


# ---- Time


@pytest.mark.parametrize("part", ["status line", "headers", "body", "chunks", "gzip"])
def test_a_server_that_drips_ends_at_the_deadline(part: str, server: LocalServer) -> None:
    beginnings = {
        "status line": b"H",
        "headers": b"HTTP/1.1 200 OK\r\nX-Long: ",
        "body": head(content_type="text/html", content_length="100000"),
        "chunks": head(content_type="text/html", transfer_encoding="chunked"),
        "gzip": head(content_type="text/html", content_encoding="gzip") + b"\x1f\x8b\x08\x08" + b"0" * 6,
    }
    drops = {"status line": b"T", "chunks": b"1\r\na\r\n"}

    def drip(connection: socket.socket) -> None:
        connection.sendall(beginnings[part])
        for _ in range(int(ENDLESS / 0.02)):
            connection.sendall(drops.get(part, b"a"))
            time.sleep(0.02)

    server.answers["/"] = drip
    given_up(server.url(), bounds(timeout_seconds=0.3))


def test_a_server_that_says_nothing_ends_at_the_deadline(server: LocalServer) -> None:
    server.answers["/"] = lambda connection: time.sleep(ENDLESS)
    given_up(server.url(), bounds(timeout_seconds=0.3))


def test_an_address_that_does_not_accept_ends_at_the_deadline() -> None:
    with silent_listener(PUBLIC) as port:
        given_up(f"http://{PUBLIC}:{port}/", bounds(timeout_seconds=0.3))


def test_redirects_share_one_deadline(server: LocalServer) -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(0.4)
        connection.sendall(redirect("/"))

    server.answers["/"] = slow
    given_up(server.url(), bounds(timeout_seconds=0.5))
    assert len(server.requests) <= 2


def test_endless_interim_answers_end_at_the_deadline(server: LocalServer) -> None:
    def interim(connection: socket.socket) -> None:
        end = time.monotonic() + ENDLESS
        while time.monotonic() < end:
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)

    server.answers["/"] = interim
    given_up(server.url(), bounds(timeout_seconds=0.3))
