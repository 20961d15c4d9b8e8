"""Reports of errors to what is compatible with Sentry: what is told, and what never is (docs/tracing.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from loguru import logger
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.app import create_app
from backend.extensions import db
from backend.observability.flushing import flush_telemetry
from backend.observability.log_context import log_context
from backend.observability.logging import configure_logging
from config import Settings
from tests.support.logged import logged
from tests.support.processes import free_port
from tests.support.receivers import Receiver, receiving

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
REVISION = "4f2c9d1"
# Not beside what fails, since a report shows lines of the source.
OF_A_PERSON = "of-a-person"
PRIVATE = (
    "eve@example.org",
    "eve%40example.org",
    "fz_" + "a1B2c3D4e5" * 4,
    "of-the-body",
    "of-the-query",
    "of-a-cookie",
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def reporting(app: Flask, receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An application that reports to a receiver in this process."""
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    yield create_app(settings.model_copy(update={"SENTRY_DSN": SecretStr(receiver.dsn), "GIT_REVISION": REVISION}))
    configure_logging(settings)


def test_an_error_of_a_request_is_reported_with_its_id_and_without_what_is_private(
    reporting: Flask, receiver: Receiver
) -> None:
    def fail() -> None:
        hidden = PRIVATE[3]
        raise RuntimeError(f"of {PRIVATE[0]} with {PRIVATE[2]}, {PRIVATE[1]}, {len(hidden)}")

    reporting.add_url_rule("/fail/<name>", view_func=lambda name: fail(), methods=["POST"])
    response = reporting.test_client().post(
        f"/fail/{PRIVATE[0]}?q={PRIVATE[4]}",
        json={"note": PRIVATE[3]},
        headers={"Authorization": f"Bearer {PRIVATE[2]}", "Cookie": f"fuze_refresh={PRIVATE[5]}"},
    )
    assert response.status_code == 500
    flush_telemetry()
    [event] = receiver.events
    assert (event["release"], event["environment"], event["level"]) == (REVISION, "testing", "error")
    assert event["tags"] == {
        "request_id": response.headers["X-Request-ID"], "route": "/fail/<name>", "method": "POST"
    }  # fmt: skip
    [error] = event["exception"]["values"]
    assert (error["type"], error["value"].split(" ")[0]) == ("RuntimeError", "of")
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"
    assert not [frame for frame in error["stacktrace"]["frames"] if "vars" in frame]
    assert event.keys().isdisjoint({"request", "user", "modules"})
    assert event["breadcrumbs"] == {"values": []}
    assert [told for told in PRIVATE if told in json.dumps(event)] == []


def test_an_error_of_postgresql_tells_no_values(reporting: Flask, receiver: Receiver) -> None:
    with reporting.app_context():
        try:
            db.session.execute(text("CREATE TEMPORARY TABLE told (name text PRIMARY KEY)"))
            for _ in range(2):
                db.session.execute(text("INSERT INTO told VALUES (:name)"), {"name": OF_A_PERSON})
        except IntegrityError as error:
            logger.opt(exception=error).error("a job failed for {}", "eve@example.org")
        finally:
            db.session.rollback()
    flush_telemetry()
    [event] = receiver.events
    assert [value["type"] for value in event["exception"]["values"]] == ["UniqueViolation", "IntegrityError"]
    assert "duplicate key" in event["exception"]["values"][0]["value"]
    assert event["logentry"]["formatted"] == "a job failed for [hidden]"
    assert OF_A_PERSON not in receiver.raw


def test_lines_below_errors_are_not_reported_and_fields_are_without_addresses(
    reporting: Flask, receiver: Receiver
) -> None:
    logger.warning("only a warning")
    with log_context(request_id="of-the-test", job="mail.send_mail"):
        logger.bind(to=["eve@example.org"], more={"from": "eve@example.org", "number": 7}).error("not sent")
    flush_telemetry()
    [event] = receiver.events
    assert event["tags"] == {"request_id": "of-the-test", "job": "mail.send_mail"}
    assert event["extra"] == {"to": ["[hidden]"], "more": {"from": "[hidden]", "number": 7}}


def test_a_receiver_that_is_away_fails_nothing_and_is_told_once(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = SecretStr(f"http://abcdef@127.0.0.1:{free_port()}/7")
    configure_logging(settings.model_copy(update={"SENTRY_DSN": dsn}))
    with logged("{level} {message}") as lines:
        for _ in range(3):
            logger.error("an error")
            flush_telemetry()
    assert lines.count("ERROR an error\n") == 3
    assert [line for line in lines if "reports" in line] == ["WARNING reports of errors are dropped: network\n"]
    configure_logging(settings)
