"""WSGI middleware that answers for the client's pages and files; everything else goes on to Flask."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from flask import Flask

from backend.http.middleware.security_headers import CHOSEN_HEADERS, HEADERS
from backend.http.request_state import KEY, RequestState
from backend.web.files import ClientFile, ClientFiles
from backend.web.screens import Screens
from backend.web.shell import Shell

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READS = ("GET", "HEAD")
# No screen begins like this: most requests are told apart by their first letters.
OF_THE_API = ("/api/", "/linkding/", "/metrics")
ASSETS = "/assets/"
# Each file is encoded once, so what is shortest comes first: Brotli knows the words of HTML and scripts.
CODINGS = ("br", "zstd", "gzip")
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
# Scripts and styles are files of ours; pictures of pages that are read come from their sites.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https: http:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'none';"
    " base-uri 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types fuze"
)
SECURITY = [
    *HEADERS.items(),
    ("Content-Security-Policy", POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Origin-Agent-Cluster", "?1"),
]


# A script or a style obeys the policy of the page that loads it: its own may be short, of fifty files each.
OF_ASSETS = [
    *HEADERS.items(),
    ("Content-Security-Policy", "default-src 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]


class WebClient:
    """Answers GET and HEAD for screens, assets, the manifest and the service worker."""

    def __init__(self, app: WSGIApplication) -> None:
        """Wrap `app`. The files are read when the first of them is asked for."""
        self._app = app
        self._shell = lru_cache(maxsize=8)(self._make_shell)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(OF_THE_API) or environ["REQUEST_METHOD"] not in READS:
            return self._app(environ, start_response)
        found = self._find(path, environ.get("SCRIPT_NAME", ""))
        if found is None:
            return self._app(environ, start_response)
        return _send(*found, environ, start_response)

    @cached_property
    def _files(self) -> ClientFiles:
        return ClientFiles()

    @cached_property
    def _screens(self) -> Screens:
        return Screens(self._files.text("routes.js"))

    def preload(self) -> None:
        """Read and encode all files; processes that are forked afterwards share them."""
        self._files.encode()

    def _make_shell(self, base: str) -> Shell:
        return Shell(self._files, base)

    def _find(self, path: str, base: str) -> tuple[ClientFile, str] | None:
        """Return the file of an address, and how it may be stored."""
        if path.startswith(ASSETS):
            version, _, name = path.removeprefix(ASSETS).partition("/")
            file = self._files.by_path.get(name) if version == self._files.version else None
            return (file, IMMUTABLE) if file else None
        screen = self._screens.module_of(path)
        file = self._shell(base).page(screen) if screen else self._shell(base).by_name.get(path[1:])
        return (file, REVALIDATED) if file else None


def register_web_client(app: Flask) -> None:
    """Serve the web client in front of Flask, behind the fast path of the API."""
    client = app.extensions["web_client"] = WebClient(app.wsgi_app)
    app.wsgi_app = client  # type: ignore[method-assign]


def preload_web_client(app: Flask) -> None:
    """Read and encode the client's files before the processes are forked: no first visit waits for that."""
    client: WebClient = app.extensions["web_client"]
    client.preload()


def _send(file: ClientFile, stored: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    state: RequestState = environ[KEY]
    environ[CHOSEN_HEADERS] = OF_ASSETS if stored == IMMUTABLE else SECURITY
    body, coding = file.body(state.negotiation.choose(CODINGS))
    etag = f'"{file.etag}:{coding}"' if coding else f'"{file.etag}"'
    headers = [
        ("ETag", etag),
        ("Cache-Control", stored),
        ("Vary", "Accept-Encoding"),
        ("X-Request-ID", state.request_id),
    ]
    if etag in environ.get("HTTP_IF_NONE_MATCH", ""):
        start_response("304 NOT MODIFIED", headers)
        return []
    headers += [("Content-Type", file.media_type), ("Content-Length", str(len(body)))]
    if coding:
        headers.append(("Content-Encoding", coding))
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
