"""How the real server sends an export: in chunks, packed if the client likes, and cut where something fails."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager

import brotli
import pytest
from sqlalchemy import text

from backend.extensions import db
from backend.redis.client import redis_client
from tests.support.api import Api
from tests.support.live import LiveServer
from tests.support.processes import eventually

pytestmark = [pytest.mark.integration, pytest.mark.processes]
NOTE = 200_000
BOOKMARKS = 150
CLIENTS = " AND backend_type = 'client backend'"


@pytest.fixture
def hoarder(ada: Api) -> Iterator[Api]:
    """With 30 MB of notes: more than sockets hold. Waits in the end until the server has noticed who hung up."""
    items = [{"url": f"https://example.org/{number}", "capture": False} for number in range(BOOKMARKS)]
    assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == BOOKMARKS
    with ada.app.app_context():
        db.session.execute(text(f"UPDATE bookmarks SET notes = repeat('n', {NOTE})"))
        db.session.commit()
    yield ada

    def is_quiet() -> bool:
        with ada.app.app_context():
            return not redis_client().keys("*export-streams*")

    assert eventually(is_quiet)


@contextmanager
def exporting(live: LiveServer, person: Api, file_format: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
    """An export whose body is not read yet."""
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
    given = {
        "Authorization": f"Bearer {person.token}",
        **{name.replace("_", "-"): one for name, one in headers.items()},
    }
    connection.request("GET", f"/api/v1/bookmarks/export?format={file_format}", headers=given)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def test_an_export_comes_in_chunks_and_whole(hoarder: Api, live: LiveServer) -> None:
    with exporting(live, hoarder, "json") as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        body = response.read()
    assert body.endswith(b"]}\n")
    assert body.count(b"n" * NOTE) == BOOKMARKS


def test_a_client_that_likes_it_packed_gets_it_packed(hoarder: Api, live: LiveServer) -> None:
    with exporting(live, hoarder, "html", Accept_Encoding="br") as response:
        assert response.headers["Content-Encoding"] == "br"
        packed = response.read()
    assert len(packed) < 1_000_000
    assert brotli.decompress(packed).count(b"<DT><A ") == BOOKMARKS


@pytest.mark.parametrize("file_format", ["csv", "json", "html"])
def test_what_fails_in_the_middle_is_cut_not_ended(hoarder: Api, live: LiveServer, file_format: str) -> None:
    with exporting(live, hoarder, file_format) as response:
        assert response.status == 200
        response.read(1000)
        with hoarder.app.app_context():
            db.session.execute(text("DELETE FROM memberships"))
            db.session.commit()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()


def test_a_client_that_hangs_up_frees_its_place(hoarder: Api, live: LiveServer) -> None:
    for _ in range(2):
        with exporting(live, hoarder, "csv") as response:
            response.read(1000)

    def starts() -> bool:
        with exporting(live, hoarder, "csv") as response:
            return response.status == 200

    assert eventually(starts)


def test_streams_that_nobody_reads_hold_no_connection_to_the_database(hoarder: Api, live: LiveServer) -> None:
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    with exporting(live, hoarder, "csv") as first, exporting(live, hoarder, "csv") as second:
        first.read(1000)
        second.read(1000)

        def rests() -> bool:
            with hoarder.app.app_context():
                return db.session.scalar(text(open_ones + CLIENTS)) == 0

        assert eventually(rests)
