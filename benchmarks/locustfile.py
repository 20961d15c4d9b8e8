"""The load of `benchmarks.mixed` for Locust, which is no requirement of Fuze; in an environment of its own:

    pip install locust
    PYTHONPATH=. locust -f benchmarks/locustfile.py --host http://127.0.0.1:8000 --users 50 --spawn-rate 10

Each user registers, saves `FUZE_BOOKMARKS` links (100) and then sends the mix, with `FUZE_WAIT` seconds (0) between two
requests. Lists and items go by Zipf's law. Start Fuze with ENABLE_RATE_LIMITING=false: its limits would answer for it.
"""

from __future__ import annotations

import os
import random
import secrets

from locust import FastHttpUser, constant, task
from locust.exception import StopUser

from benchmarks.mix import EXPECTED, MIX, Draw, Person, request_of

BOOKMARKS = int(os.environ.get("FUZE_BOOKMARKS", "100"))
BULK = 100
WORDS = (
    "cache",
    "index",
    "queue",
    "python",
    "search",
    "vector",
    "lease",
    "token",
    "garden",
    "harbour",
    "violin",
    "bread",
)


class Reader(FastHttpUser):
    """Somebody with bookmarks of their own who reads, searches and writes."""

    wait_time = constant(float(os.environ.get("FUZE_WAIT", "0")))

    def on_start(self) -> None:
        """Register, and save links to read."""
        self.chance = random.Random(secrets.randbits(64))
        self.draw = Draw(self.chance, 1.0)
        token = self._register()
        self.headers = {"Authorization": f"Bearer {token}"}
        links = [self._link(number) for number in range(BOOKMARKS)]
        ids = [id_ for start in range(0, BOOKMARKS, BULK) for id_ in self._save(links[start : start + BULK])]
        self.person = Person(token, ids, [str(link["url"]) for link in links])

    @task
    def send(self) -> None:
        """Send one request of the mix."""
        kind = self.chance.choices(list(MIX), weights=list(MIX.values()))[0]
        method, path, body = request_of(kind, self.person, WORDS, self.draw, self.chance)
        url = f"/api/v1/{path}"
        with self.client.request(method, url, json=body, headers=self.headers, name=kind, catch_response=True) as reply:
            if reply.status_code != EXPECTED[kind]:
                reply.failure(f"status {reply.status_code}")

    def _register(self) -> str:
        name = f"load-{secrets.token_hex(8)}"
        account = {"email": f"{name}@example.org", "username": name, "password": secrets.token_urlsafe(16)}
        reply = self.client.post("/api/v1/auth/register", json=account, name="(register)")
        if reply.status_code != 201:
            raise StopUser
        return str(reply.json()["access_token"])

    def _link(self, number: int) -> dict[str, object]:
        title = " ".join(self.chance.choices(WORDS, k=4))
        return {"url": f"https://load.example/{secrets.token_hex(8)}/{number}", "title": title, "capture": False}

    def _save(self, links: list[dict[str, object]]) -> list[int]:
        reply = self.client.post("/api/v1/bookmarks/bulk", json={"items": links}, headers=self.headers, name="(save)")
        if reply.status_code >= 300:
            raise StopUser
        return [result["id"] for result in reply.json()["results"]]
