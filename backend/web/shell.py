"""The page that every screen begins as, and the files whose addresses stay the same."""

from __future__ import annotations

import json
from html import escape

from backend.web.files import MEDIA_TYPES, ClientFile, ClientFiles

ENTRY = "main.js"
# It runs before the rest of the page is read, and no module imports it.
FIRST = "core/early-session.js"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#f7f7f4">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#16181b">
<meta name="fuze-assets" content="{assets}/">
<meta name="description" content="What you save to read and use">
<title>Fuze</title>
<base href="{base}/">
<script src="{assets}/{first}"></script>
<link rel="icon" href="{assets}/icons/fuze.svg" type="image/svg+xml">
<link rel="apple-touch-icon" href="{assets}/icons/fuze-192.png">
<link rel="manifest" href="{base}/manifest.webmanifest">
<link rel="stylesheet" href="{assets}/styles.css">
{modules}
<script type="module" src="{assets}/main.js"></script>
</head>
<body>
<div id="app"><p class="starting" role="status">Fuze</p></div>
<noscript>
<p class="starting">Fuze needs JavaScript here. The API works without: <a href="{base}/api/docs">API</a></p>
</noscript>
</body>
</html>
"""


class Shell:
    """The shell below one base path, such as `/fuze`; "" at the top of a host."""

    def __init__(self, files: ClientFiles, base: str) -> None:
        """Write the manifest and the service worker for this base path; pages are written when they are asked for."""
        self._files = files
        self._base = base
        self.assets = f"{base}/assets/{files.version}"
        self._pages: dict[str, ClientFile] = {}
        self.by_name = {
            "manifest.webmanifest": _file(".webmanifest", self._manifest()),
            "service-worker.js": _file(".js", self._service_worker()),
        }

    def page(self, screen: str) -> ClientFile:
        """Return the page that names all modules of a screen, so that the browser asks for all of them at once."""
        if screen not in self._pages:
            self._pages[screen] = _file(".html", self._page(screen))
        return self._pages[screen]

    def _page(self, screen: str) -> str:
        modules = dict.fromkeys(path for entry in (ENTRY, screen) for path in self._files.imported_by(entry))
        # They are fetched at a low priority, so that the first request of the API need not wait for all of them.
        links = [
            f'<link rel="modulepreload" fetchpriority="low" href="{self.assets}/{path}">'
            for path in modules
            if path != ENTRY
        ]
        values = {"assets": escape(self.assets), "base": escape(self._base), "first": FIRST}
        return PAGE.format(**values, modules="\n".join(links))

    def _manifest(self) -> str:
        manifest = json.loads(self._files.text("manifest.webmanifest"))
        for icon in manifest["icons"]:
            icon["src"] = f"{self.assets}/{icon['src']}"
        return json.dumps(manifest, ensure_ascii=False)

    def _service_worker(self) -> str:
        """Write the worker with the version and the addresses that it stores beforehand."""
        stored = [f"{self.assets}/{path}" for path in self._files.by_path if path.endswith((".js", ".css", ".svg"))]
        head = f"const VERSION = {json.dumps(self._files.version)};\nconst BASE = {json.dumps(self._base)};\n"
        return f"{head}const STORED = {json.dumps(stored)};\n{self._files.text('service-worker.js')}"


def _file(suffix: str, text: str) -> ClientFile:
    return ClientFile(MEDIA_TYPES[suffix], text.encode())
