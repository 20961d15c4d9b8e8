"""The link that unsubscribes: by one POST without a login, and by nothing less (RFC 8058)."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from backend.digests.links import unsubscribe_token
from backend.http.middleware.security_headers import FORM_POLICY
from backend.mail.jobs import resend_due_mails
from tests.digests.conftest import Deliver
from tests.digests.subscribers import due_at, execute, next_week, subscribe
from tests.mail.reading import LIFT_WAITS
from tests.mail.smtp_server import SmtpServer
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PATH = "/api/v1/digests/unsubscribe"


@pytest.fixture
def token(ada: Api, deliver: Deliver) -> str:
    """The token in the digest that was mailed to Ada."""
    ada.save("https://example.org/new", title="New")
    subscribe(ada)
    [mail] = deliver()
    found = re.fullmatch(rf"<http://localhost:8000{PATH}\?token=(\S+)>", mail["List-Unsubscribe"])
    assert found
    return found[1]


def follow(api: Api, token: str) -> TestResponse:
    return api.client.get(PATH, query_string={"token": token})


def click(api: Api, token: str) -> TestResponse:
    """The POST of a mail program."""
    return api.client.post(PATH, query_string={"token": token}, data={"List-Unsubscribe": "One-Click"})


def test_following_the_link_asks_and_changes_nothing(ada: Api, anonymous: Api, token: str) -> None:
    for _ in range(2):
        page = follow(anonymous, token)
        assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
        assert '<form method="post">' in page.get_data(as_text=True)
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Content-Security-Policy"] == FORM_POLICY
    assert anonymous.client.head(PATH, query_string={"token": token}).status_code == 200
    assert ada.get("/profile").json["digest"] is True


def test_one_click_is_enough_and_a_second_changes_nothing(
    ada: Api, bob: Api, anonymous: Api, token: str, deliver: Deliver
) -> None:
    subscribe(bob)
    assert ada.get("/profile").json["digest"] is True  # Cached from now on.
    for _ in range(2):
        page = click(anonymous, token)
        assert page.status_code == 200
        assert "<form" not in page.get_data(as_text=True)
        assert "no more digests" in page.get_data(as_text=True)
        assert "Set-Cookie" not in page.headers
        assert ada.get("/profile").json["digest"] is False
    assert bob.get("/profile").json["digest"] is True
    next_week(ada)
    assert [mail["To"] for mail in deliver()] == []
    assert ada.patch("/profile", {"digest": True}).json["digest"] is True
    assert click(anonymous, token).status_code == 200
    assert due_at(ada) is None


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "text/plain", ""])
def test_whatever_body_a_program_sends_is_taken(ada: Api, anonymous: Api, token: str, content_type: str) -> None:
    answer = anonymous.client.post(f"{PATH}?token={token}", data=b"x", content_type=content_type)
    assert answer.status_code == 200
    assert due_at(ada) is None


def test_a_link_that_was_not_mailed_is_refused(ada: Api, bob: Api, anonymous: Api, token: str, context: Flask) -> None:
    head, _, signature = token.partition(".")
    forged = [
        f"{bob.user_id}.{signature}", f"{head}.{signature[:-1]}", f"{head}.{signature.swapcase()}", f"{token}=",
        f"0{token}", f"{head}.", "x", "é" * 20, f"{10**17}.{signature}", f"{10**30}.{signature}",
        unsubscribe_token(ada.user_id, "another@example.org"),
    ]  # fmt: skip
    for wrong in forged:
        for answer in (follow(anonymous, wrong), click(anonymous, wrong)):
            assert field_errors(answer) == {"query.token": "token_unknown"}, wrong
    assert field_errors(anonymous.client.post(PATH)) == {"query.token": "missing"}
    assert due_at(ada) is not None


def test_a_link_to_a_former_address_is_refused(ada: Api, anonymous: Api, token: str) -> None:
    execute(ada, "UPDATE users SET email = 'new@example.org', email_key = 'new@example.org'")
    assert field_errors(click(anonymous, token)) == {"query.token": "token_unknown"}
    assert due_at(ada) is not None


def test_a_link_works_on_when_the_key_is_changed(
    ada: Api, anonymous: Api, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ada.app.extensions["settings"]
    changed = {"SECRET_KEY": SecretStr("n" * 40), "PREVIOUS_SECRET_KEYS": [settings.SECRET_KEY]}
    monkeypatch.setitem(ada.app.extensions, "settings", settings.model_copy(update=changed))
    assert click(anonymous, token).status_code == 200
    assert due_at(ada) is None


def test_the_page_speaks_the_language_of_the_mails(ada: Api, anonymous: Api, token: str) -> None:
    ada.patch("/profile", {"language": "de"})
    assert '<html lang="de">' in follow(anonymous, token).get_data(as_text=True)
    assert "keine Übersicht mehr" in click(anonymous, token).get_data(as_text=True)


def test_what_waits_for_the_mail_server_is_not_sent_any_more(
    ada: Api, anonymous: Api, token: str, deliver: Deliver, mail_server: SmtpServer
) -> None:
    mail_server.replies["DATA"] = "451 later"
    next_week(ada)
    assert deliver() == []
    click(anonymous, token)
    del mail_server.replies["DATA"]
    execute(ada, LIFT_WAITS)
    with ada.app.app_context():
        resend_due_mails()
    assert deliver() == []
    assert execute(ada, "SELECT values FROM mails WHERE status = 'failed'")[0] == {}
