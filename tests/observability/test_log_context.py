"""The id of a request reaches what it starts: messages, passes and their lines (R-LOG 2)."""

from __future__ import annotations

import json
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from backend.actor import Actor
from backend.extensions import db
from backend.http.request_state import current_request_id
from backend.http.response_cache.refresh_ahead import RefreshAhead
from backend.jobs.message_fields import MessageOrigin
from backend.jobs.queue import REQUEST_OF, Message, requests_of, rq_queue, send
from backend.jobs.worker import make_worker
from backend.observability.log_context import log_context
from backend.redis.client import redis_client
from tests.support.api import Api
from tests.support.logged import logged

pytestmark = [pytest.mark.integration, pytest.mark.requires_redis]


def test_a_block_works_for_its_request_and_inner_blocks_too() -> None:
    assert current_request_id() == ""
    with log_context(request_id="outer", job="a.job"):
        with log_context(attempt=2):
            assert current_request_id() == "outer"
            with log_context(request_id="inner"):
                assert current_request_id() == "inner"
        assert current_request_id() == "outer"
        seen: list[str] = []
        thread = threading.Thread(target=lambda: seen.append(current_request_id()))
        thread.start()
        thread.join()
        assert seen == [""]
    assert current_request_id() == ""


def test_a_request_inside_of_a_block_has_its_own_id(app: Flask) -> None:
    with log_context(request_id="outer"), app.test_request_context(headers={"X-Request-ID": "of-the-request"}):
        assert current_request_id() == "of-the-request"


def test_messages_that_a_job_sends_carry_the_id_of_its_request(context: Flask) -> None:
    with log_context(request_id="of-the-test"):
        send([Message("capture.read_due_pages", queue="capture"), Message("mail.send_mail", {"mail_id": "1"})])
    for name in ("capture", "interactive"):
        [message_id] = rq_queue(name).get_job_ids()
        [meta] = redis_client().hmget(f"rq:job:{message_id}", "meta")
        assert json.loads(meta or b"") == {"request_id": "of-the-test"}


def test_the_request_that_saved_a_link_is_known_to_the_pass_that_captures_it(ada: Api, context: Flask) -> None:
    response = ada.post("/bookmarks", {"url": "https://example.org/a"}, headers={"X-Request-ID": "of-the-test"})
    subject = f"capture:{response.json['id']}"
    assert requests_of([subject, "capture:0"]) == {subject: MessageOrigin("of-the-test")}
    assert 0 < redis_client().ttl(REQUEST_OF + subject) <= 3600


@pytest.mark.parametrize("value", ["no json", '{"request_id": "two words"}', '{"request_id": 1}'])
def test_what_redis_says_of_requests_is_checked(context: Flask, value: str) -> None:
    redis_client().set(f"{REQUEST_OF}capture:1", value)
    assert requests_of(["capture:1"]) == {}


def test_lists_that_are_refreshed_behind_a_write_work_for_its_request(app: Flask) -> None:
    seen: list[Any] = []
    is_done = threading.Event()

    def refresh(actor: Actor) -> None:
        seen.append(current_request_id())
        is_done.set()

    with log_context(request_id="of-the-test"):
        RefreshAhead(app, refresh).later(Actor(1, 1, "owner"))
    assert is_done.wait(10)
    assert seen == ["of-the-test"]


def test_a_message_that_fails_is_one_line_with_its_exception(context: Flask) -> None:
    job: Any = SimpleNamespace(func_name="mail.send_mail", id="m1", meta={"request_id": "of-the-test"})
    worker = make_worker()
    with logged(pattern="{level} {message} {extra}") as lines:
        try:
            raise RuntimeError("the reason")
        except RuntimeError:
            worker.handle_exception(job, *sys.exc_info())
    [line] = lines
    assert line.startswith("ERROR job mail.send_mail failed {}")
    assert line.count("RuntimeError: the reason") == 1


def test_a_message_that_fails_for_want_of_the_database_has_no_traceback(context: Flask) -> None:
    job: Any = SimpleNamespace(func_name="mail.send_mail", id="m1", meta={})
    worker = make_worker()
    away = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    with logged(pattern="{level} {message}") as lines:
        for engine in (away, db.engine):
            try:
                with engine.connect() as connection:
                    connection.execute(text("SELECT missing"))
            except SQLAlchemyError:
                worker.handle_exception(job, *sys.exc_info())
    assert lines[0] == "WARNING job mail.send_mail failed: the database is not available\n"
    assert lines[1].startswith("ERROR job mail.send_mail failed\nTraceback")
    assert len(lines) == 2
