"""Below a path of a host, behind Debian's nginx and Caddy with the configurations of docs/deployment.md."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from backend.app import create_app
from backend.local_stack.processes import spawn, terminate
from config import Settings
from tests.support.api import PASSWORD
from tests.support.live import LiveServer, serving
from tests.support.processes import eventually, free_port

ROOT = Path(__file__).parents[3]
PATHS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
NGINX, CADDY = (shutil.which(name, path=PATHS) for name in ("nginx", "caddy"))
PERSON = {"email": "ada@example.org", "username": "ada", "password": PASSWORD}


def documented(language: str) -> str:
    """The configuration that the documentation shows."""
    text = (ROOT / "docs" / "deployment.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[0]


def nginx(directory: Path, port: int, behind: int) -> list[str]:
    server = documented("nginx").replace("listen 80;", f"listen 127.0.0.1:{port};").replace(":8000;", f":{behind};")
    places = "".join(
        f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = (
        f"daemon off; pid {directory}/pid; error_log stderr; events {{}} http {{ access_log off; {places} {server} }}"
    )
    (directory / "nginx.conf").write_text(main)
    return [str(NGINX), "-c", str(directory / "nginx.conf"), "-p", str(directory)]


def caddy(directory: Path, port: int, behind: int) -> list[str]:
    site = documented("caddy").replace("example.org {", f"http://127.0.0.1:{port} {{", 1).replace(":8000", f":{behind}")
    (directory / "Caddyfile").write_text("{\n\tadmin off\n}\n" + site)
    return [str(CADDY), "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]


@contextmanager
def running(command: list[str], directory: Path, port: int) -> Iterator[None]:
    with (directory / "log").open("wb") as log:
        environment = {"HOME": str(directory), "PATH": PATHS}
        process = spawn(command, env=environment, cwd=directory, output=log)
    try:
        assert eventually(lambda: ask(port, "GET", "/fuze/api/health/live")[0] == 200, 30), (
            directory / "log"
        ).read_text()
        yield
    finally:
        terminate(process, signal.SIGTERM, 10)


def ask(
    port: int, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json", **sent} if body else sent)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except OSError:
            return 0, http.client.HTTPMessage(), b""


@pytest.fixture(scope="module")
def behind(settings: Settings, migrated_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    variables = {
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "FUZE_DATA_DIR": str(settings.FUZE_DATA_DIR),
        "EMBEDDING_PROVIDER": "none",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    with serving(tmp_path_factory.mktemp("behind"), variables) as server:
        yield server


@pytest.mark.integration
@pytest.mark.processes
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(nginx, marks=pytest.mark.skipif(NGINX is None, reason="nginx is not installed")),
        pytest.param(caddy, marks=pytest.mark.skipif(CADDY is None, reason="caddy is not installed")),
    ],
)
def test_all_addresses_lie_below_the_path(
    app: Flask, behind: LiveServer, tmp_path: Path, make: Callable[[Path, int, int], list[str]]
) -> None:
    port = free_port()
    with running(make(tmp_path, port, behind.port), tmp_path, port):
        assert ask(port, "POST", "/fuze/api/v1/auth/register", PERSON)[0] == 201
        login = {"login": "ada", "password": PASSWORD}
        status, headers, content = ask(port, "POST", "/fuze/api/v1/auth/login?cookie=true", login)
        assert status == 200, content
        cookies = {cookie.partition("=")[0]: cookie for cookie in headers.get_all("Set-Cookie", [])}
        assert "Path=/fuze/api/v1/auth;" in cookies["fuze_refresh"] + ";"
        token = {"Authorization": f"Bearer {json.loads(content)['access_token']}"}

        status, headers, content = ask(
            port, "POST", "/fuze/api/v1/bookmarks", {"url": "https://example.org/1"}, **token
        )
        assert (status, headers["Location"]) == (201, f"/fuze/api/v1/bookmarks/{json.loads(content)['id']}")
        for _ in range(2):  # From the database, then from the cache.
            assert ask(port, "GET", headers["Location"], **token)[0] == 200
        missing = ask(port, "GET", "/fuze/api/v1/bookmarks/999999", **token)
        assert (missing[0], json.loads(missing[2])["instance"]) == (404, "/fuze/api/v1/bookmarks/999999")

        _, _, page = ask(port, "GET", "/fuze/api/docs")
        linked = re.findall(r'(?:src|href)="(/[^"]+)"', page.decode())
        assert len(linked) == 3
        for address in linked:
            assert address.startswith("/fuze/api/docs/assets/")
            assert ask(port, "GET", address)[0] == 200
        _, _, start = ask(port, "GET", "/fuze/api/docs/assets/start.js")
        assert b'"/fuze/api/openapi.json"' in start
        assert json.loads(ask(port, "GET", "/fuze/api/openapi.json")[2])["servers"][0]["url"] == "/fuze"
        # Encoded signs get through as they are.
        assert ask(port, "GET", "/fuze/api/v1/bookmarks?tag=a%2Fb%20c", **token)[0] == 200


@pytest.fixture
def below(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    return create_app(settings.model_copy(update={"BASE_PATH": "/fuze"}))


@pytest.mark.integration
@pytest.mark.parametrize("path", ["/fuze/api/docs", "/api/docs"])
def test_a_base_path_holds_whether_or_not_the_proxy_takes_it_off(below: Flask, path: str) -> None:
    answer = below.test_client().get(path)
    assert answer.status_code == 200
    assert 'src="/fuze/api/docs/assets/swagger-ui-bundle.js"' in answer.text


@pytest.mark.integration
@pytest.mark.parametrize("path", ["/fuzexapi/docs", "/fuze", "/fuze/fuze/api/docs", "/other/api/docs"])
def test_another_path_is_nothing(below: Flask, path: str) -> None:
    assert below.test_client().get(path).status_code == 404


@pytest.mark.integration
def test_a_prefix_of_a_stranger_is_ignored(app: Flask) -> None:
    answer = app.test_client().get("/api/docs", headers={"X-Forwarded-Prefix": "/evil"})
    assert "/evil" not in answer.text


@pytest.mark.integration
@pytest.mark.parametrize(
    ("sent", "base"),
    [
        ("/fuze", "/fuze"), ("/fuze/", "/fuze"), ("/a, /b/c", "/b/c"), ("", ""), ("/", ""), ("fuze", ""),
        ("//evil.example", ""),
        ("/\"><script>", ""), ("/a b", ""), ("/../x", ""), ("https://evil.example", ""), ("/api", ""),
        ("/" + "a/" * 20, ""),
    ],
)  # fmt: skip
def test_only_a_plain_path_is_a_prefix(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, sent: str, base: str
) -> None:
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    proxied = create_app(
        settings.model_copy(update={"TRUSTED_PROXIES": Settings(TRUSTED_PROXIES="127.0.0.1").TRUSTED_PROXIES})
    )
    page = proxied.test_client().get("/api/docs", headers={"X-Forwarded-Prefix": sent}).text
    assert f'src="{base}/api/docs/assets/start.js"' in page
