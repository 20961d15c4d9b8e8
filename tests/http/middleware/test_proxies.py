"""X-Forwarded-*: believed from the proxies that the operator names, and from nobody else (R-LIMIT 2)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from loguru import logger
from sqlalchemy import select
from werkzeug.test import Client, EnvironBuilder

from backend.app import create_app
from backend.auth.models import Session
from backend.extensions import db
from backend.http.middleware.proxies import TrustedProxyFix
from config import Settings
from tests.support.api import PASSWORD, Api
from tests.support.live import LiveServer, serving
from tests.support.processes import eventually

NETWORKS = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32")]


def seen(peer: str, **forwarded: str) -> tuple[str, str, str]:
    """The client's address, scheme and host as the application sees them."""
    found: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.update(environ)
        start_response("204 No Content", [])
        return []

    headers = {f"X-Forwarded-{name}": value for name, value in forwarded.items()}
    environ = EnvironBuilder(base_url="http://direct", headers=headers, environ_base={"REMOTE_ADDR": peer})
    Client(TrustedProxyFix(app, NETWORKS)).open(environ)
    return found["REMOTE_ADDR"], found["wsgi.url_scheme"], found["HTTP_HOST"]


@pytest.mark.unit
@pytest.mark.parametrize("peer", ["203.0.113.7", "192.0.2.2", "::1", "127.0.0.1", "", "10.0.0.1.evil"])
def test_a_stranger_is_not_believed(peer: str) -> None:
    assert seen(peer, For="198.51.100.1", Proto="https", Host="evil") == (peer, "http", "direct")


@pytest.mark.unit
@pytest.mark.parametrize("peer", ["10.1.2.3", "192.0.2.1", "2001:db8::1"])
def test_a_named_proxy_is_believed(peer: str) -> None:
    assert seen(peer, For="198.51.100.1", Proto="https", Host="fuze.example") == (
        "198.51.100.1",
        "https",
        "fuze.example",
    )


@pytest.mark.unit
@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("1.2.3.4, 198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("10.0.0.8, 198.51.100.1,10.0.0.9 , 192.0.2.1", "198.51.100.1"),
        ("10.0.0.8, 10.0.0.9", "10.0.0.8"),
        ("2001:db9::5, 2001:db8::5", "2001:db9::5"),
        ("", "10.1.2.3"),
        ("1.2.3.4, 198.51.100.1:51234", "198.51.100.1"),
        ("198.51.100.1, 10.0.0.9:443", "198.51.100.1"),
        ("[2001:db9::5]:51234, [2001:db8::5]", "2001:db9::5"),
        ("unknown", "10.1.2.3"),
        ("198.51.100.1, <script>", "10.1.2.3"),
        ("1.2.3.4.5:80", "10.1.2.3"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(forwarded: str, client: str) -> None:
    assert seen("10.1.2.3", For=forwarded)[0] == client


@pytest.mark.integration
@pytest.mark.requires_db
@pytest.mark.parametrize(("trusted", "address"), [(["127.0.0.0/8"], "198.51.100.1"), ([], "127.0.0.1")])
def test_a_session_remembers_where_it_was_opened(
    app: Flask, ada: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch, trusted: list[str], address: str
) -> None:
    monkeypatch.setattr("backend.app.track_app", lambda _: None)
    networks = [ipaddress.ip_network(network) for network in trusted]
    behind = create_app(settings.model_copy(update={"TRUSTED_PROXIES": networks}))
    headers = {"X-Forwarded-For": "1.2.3.4, 198.51.100.1", "X-Forwarded-Proto": "https"}
    response = Api(behind).post("/auth/login", {"login": "ada", "password": PASSWORD}, headers=headers)
    assert response.status_code == 200
    assert ("Strict-Transport-Security" in response.headers) == bool(trusted)
    with app.app_context():
        assert db.session.scalars(select(Session.ip).order_by(Session.created_at.desc()).limit(1)).one() == address


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="WARNING")
    yield lines
    logger.remove(sink)


@pytest.mark.unit
def test_a_proxy_that_is_not_trusted_is_warned_of_once_and_the_line_says_what_to_set(warnings: list[str]) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("204 No Content", [])
        return []

    proxied = TrustedProxyFix(app, [])
    peers = ["203.0.113.7"] * 3 + ["172.18.0.5", "172.18.0.6", "198.51.100.200", "not an address"] * 20
    for number, peer in enumerate(peers):
        headers = {"X-Forwarded-For": f"9.9.9.{number}"}
        Client(proxied).open(EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": peer}))
    assert len(warnings) == 2, "one for the internet, one for the operator's own network"
    assert "set TRUSTED_PROXIES=172.18.0.5 (or its network)" in "".join(warnings)
    assert "9.9.9." not in "".join(warnings)


@pytest.mark.unit
def test_nobody_is_warned_of_trusted_proxies_and_of_requests_without_the_header(warnings: list[str]) -> None:
    seen("10.1.2.3", For="198.51.100.1")
    seen("203.0.113.7")
    seen("203.0.113.7", Proto="https")
    assert warnings == []


@pytest.mark.integration
def test_a_server_without_named_proxies_warns_once(live: LiveServer) -> None:
    for _ in range(5):
        assert live.request("GET", "/api/health/live", X_Forwarded_For="198.51.100.77").status == 200
    assert eventually(lambda: "set TRUSTED_PROXIES=127.0.0.1 " in live.logged())
    assert live.logged().count("set TRUSTED_PROXIES=127.0.0.1 ") == 1
    assert "198.51.100.77" not in live.logged()


@pytest.mark.unit
@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("::ffff:203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.1.2.3", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "198.51.100.1, ::ffff:10.0.0.9", "198.51.100.1"),
        ("10.1.2.3", "[::ffff:198.51.100.1]:443", "198.51.100.1"),
        ("::FFFF:c000:201", "198.51.100.1", "198.51.100.1"),
        ("2001:db8::1", "::ffff:198.51.100.1", "198.51.100.1"),
    ],
)
def test_mapped_addresses_are_those_of_ipv4(peer: str, forwarded: str, client: str) -> None:
    assert seen(peer, For=forwarded)[0] == client


@pytest.mark.unit
def test_a_proxy_may_be_named_by_its_mapped_address(monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = [ipaddress.ip_network(text) for text in ("::ffff:203.0.113.0/120", "::ffff:198.51.100.1")]
    monkeypatch.setitem(globals(), "NETWORKS", mapped)
    assert seen("203.0.113.200", For="192.0.2.9")[0] == "192.0.2.9"
    assert seen("::ffff:198.51.100.1", For="192.0.2.9")[0] == "192.0.2.9"
    assert seen("203.0.114.1", For="192.0.2.9")[0] == "203.0.114.1"


@pytest.mark.parametrize("host", ["::", "[::]"])
@pytest.mark.processes
def test_a_server_for_both_kinds_of_addresses_knows_ipv4_clients(
    app: Flask, settings: Settings, tmp_path: Path, host: str
) -> None:
    environment = {
        "ENVIRONMENT": "development",
        "HOST": host,
        "SECRET_KEY": settings.SECRET_KEY.get_secret_value(),
        "JWT_SECRET_KEY": settings.JWT_SECRET_KEY.get_secret_value(),
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "FUZE_DATA_DIR": str(tmp_path),
        "EMBEDDING_PROVIDER": "none",
    }
    with serving(tmp_path, environment) as server:
        account = {"email": "eve@example.org", "username": "eve", "password": PASSWORD}
        session = server.send("POST", "/api/v1/auth/register", account)
        assert session.status == 201
        logins = server.send("GET", "/api/v1/auth/sessions", None, session.json["access_token"])
        assert [login["ip"] for login in logins.json["items"]] == ["127.0.0.1"]
        [refused] = server.exchange(b"nonsense\r\n\r\n")
        assert refused.status == 400
        assert eventually(lambda: refused.json["request_id"] in server.logged())
        assert "::ffff:" not in server.logged()
