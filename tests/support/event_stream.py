"""A client of Server-Sent Events, as HTML has them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.live import LiveServer


@dataclass(frozen=True)
class ReceivedEvent:
    """An event with its id, and the job in it."""

    id: str
    job: dict[str, Any]


class EventClient:
    """One stream, read as it comes."""

    def __init__(self, server: LiveServer, token: str | None, job_id: str, *, method: str = "GET", **headers: str):
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        sent = {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): text for name, text in headers.items()}}
        self._connection.request(method, f"/api/v1/jobs/{job_id}/events", headers=sent)
        self.response = self._connection.getresponse()
        self.comments: list[str] = []
        self.retry = 0

    @property
    def status(self) -> int:
        return self.response.status

    def events(self) -> Iterator[ReceivedEvent]:
        """The events, until the server ends the stream as HTTP has it."""
        assert self.status == 200, self.response.read()
        fields: dict[str, str] = {}
        for line in iter(self.response.readline, b""):
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "" and value:
                self.comments.append(value)
            elif name == "retry":
                self.retry = int(value)
            elif name:
                fields[name] = value
            elif "data" in fields:
                yield ReceivedEvent(fields["id"], json.loads(fields["data"]))
                fields = {}

    def close(self) -> None:
        """Hang up."""
        self.response.close()
        self._connection.close()
