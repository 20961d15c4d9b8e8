"""Pages of this machine that tests save."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TEXT = " ".join(
    f"Sentence {number} tells of the lighthouse and of quokkas that live beside it." for number in range(40)
)
ARTICLE = f"<html><head><title>Quokkas by the lighthouse</title></head><body><article><h1>Quokkas</h1><p>{TEXT}</p>"
HOSTILE = f"""<html><head><title>&lt;img src=x onerror="window.hacked=1"&gt; hostile</title>
<script>window.hacked = 1</script></head><body><article><h1>Hostile</h1>
<p>{TEXT} <a href="javascript:window.top.hacked=1">press me</a> <a href="https://example.org/">a page</a></p>
<p onclick="window.top.hacked=1">{TEXT}<script>window.top.hacked = 1</script>
<img src="x" onerror="window.top.hacked=1"><svg onload="window.top.hacked=1"></svg></p></article></body></html>"""
GERMAN = f"""<html lang="de"><head><title>Gezeiten</title></head><body><article><h1>Gezeiten</h1>
<p>{"Die Tafel nennt die Stunden von Hochwasser und Niedrigwasser. " * 20}</p></article></body></html>"""
PAGES = {"/article": ARTICLE, "/hostile": HOSTILE, "/german": GERMAN}


class PageHandler(BaseHTTPRequestHandler):
    """Sends the page of a path."""

    def do_GET(self) -> None:
        page = PAGES.get(self.path.partition("?")[0])
        body = (page or "").encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


class SavedSite:
    """The site, served while it is a context."""

    def __enter__(self) -> SavedSite:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), PageHandler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
