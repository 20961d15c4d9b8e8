"""A person in a browser: pages, what goes wrong in them, and the API as that person."""

from __future__ import annotations

import shutil
from typing import Any

from tests.support.api import PASSWORD

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WAIT_MS = 15_000
# What a test provokes: a refused request is written to the console by the browser.
EXPECTED = ("Failed to load resource", "net::ERR_INTERNET_DISCONNECTED", "Blocked script execution")
WATCH_POLICY = """
window.violations = [];
const note = (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI);
addEventListener('securitypolicyviolation', note);
"""


def browser_flags() -> list[str]:
    """Return what chromium needs in a container."""
    return ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


class Visitor:
    """A person with a browser profile of their own."""

    def __init__(self, context: Any, name: str | None) -> None:
        self.context = context
        self.faults: list[str] = []
        self.name = name
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(WATCH_POLICY)
        if name:
            self._register(name)
        self.page = self.tab()

    def tab(self) -> Any:
        """Open another tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", self._note)
        return page

    def open(self, path: str) -> Any:
        """Open a screen; its page."""
        self.page.goto(path)
        self.page.locator("h1").first.wait_for()
        return self.page

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API as this person; the answer's body."""
        response = self.context.request.fetch(
            f"/api/v1{path}", method=method, data=body, headers={"Authorization": f"Bearer {self.token}"}
        )
        assert response.ok, f"{method} {path}: {response.status} {response.text()}"
        return response.json() if response.status != 204 else None

    def violations(self) -> list[str]:
        """Return what the policy has refused on the present page."""
        found: list[str] = self.page.evaluate("window.violations")
        return found

    def _register(self, name: str) -> None:
        account = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
        made = self.context.request.post("/api/v1/auth/register", data=account).json()
        self.token = made["access_token"]
        cookie = {"refresh_token": made["refresh_token"]}
        assert self.context.request.post("/api/v1/auth/refresh?cookie=true", data=cookie).ok

    def _note(self, message: Any) -> None:
        if message.type == "error" and not any(text in message.text for text in EXPECTED):
            self.faults.append(f"console: {message.text}")
