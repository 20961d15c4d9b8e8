"""What people do by mail, from the request to the mail and back (R-AUTH, R-WORK 2)."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func

from backend.auth.jobs import purge_mail_tokens
from backend.auth.mail.tokens import create_verification_mail
from backend.auth.models import User
from backend.extensions import db
from backend.http.operations import declared_operation
from backend.jobs.worker import make_worker
from backend.mail.jobs import resend_due_mails
from backend.redis.client import redis_client
from tests.mail.reading import LIFT_WAITS, from_files, html, link, plain
from tests.mail.smtp_server import SmtpServer
from tests.support.api import PASSWORD, Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
NEW = "quite another password 7"
Work = Callable[[], int]
Row = Callable[..., Any]


def forget(api: Api, email: str = "ada@example.org", **options: Any) -> None:
    answer = api.post("/auth/password/forgot", {"email": email}, **options)
    assert (answer.status_code, answer.json) == (202, {})


def reset(api: Api, token: str, password: str = NEW) -> Any:
    return api.post("/auth/password/reset", {"token": token, "password": password})


def verify(api: Api, token: str) -> Any:
    return api.post("/auth/email/verify", {"token": token})


def log_in(api: Api, password: str) -> int:
    return api.post("/auth/login", {"login": "ada", "password": password}).status_code


def ask_to_verify(app: Flask, person: Api) -> None:
    with app.app_context():
        message = create_verification_mail(db.session.get_one(User, person.user_id))
        db.session.commit()
        db.session.remove()
    assert message.function == "mail.send_mail"


def test_a_forgotten_password_is_replaced_by_mail(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work
) -> None:
    elsewhere = Api(ada.app, session=anonymous.post("/auth/login", {"login": "ada", "password": PASSWORD}).json)
    forget(anonymous)
    assert mail_server.mails == []
    work()
    [mail] = mail_server.mails
    assert mail["To"] == "ada@example.org"
    assert mail["From"] == "fuze@localhost"
    path, token = link(mail)
    assert path == "/reset-password"
    assert reset(anonymous, token).status_code == 204
    assert log_in(anonymous, PASSWORD) == 401
    assert log_in(anonymous, NEW) == 200
    for session in (ada, elsewhere):
        assert session.get("/profile").status_code == 401
        body = {"refresh_token": session.session["refresh_token"]}
        assert anonymous.post("/auth/refresh", body).status_code == 401


def test_without_a_mail_server_mails_are_files_for_the_owner_only(
    ada: Api, anonymous: Api, mail_folder: Path, work: Work
) -> None:
    forget(anonymous)
    forget(anonymous)
    work()
    first, second = from_files(mail_folder)
    assert first["Date"].datetime <= second["Date"].datetime
    assert [path.suffix for path in mail_folder.iterdir()] == [".eml", ".eml"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in mail_folder.iterdir()} == {0o600}
    assert stat.S_IMODE(mail_folder.stat().st_mode) == 0o700
    assert reset(anonymous, link(second)[1]).status_code == 204
    assert log_in(anonymous, NEW) == 200


def test_the_link_can_be_copied_from_the_source_of_the_file(
    ada: Api, anonymous: Api, mail_folder: Path, work: Work
) -> None:
    forget(anonymous, headers={"Accept-Language": "de"})
    work()
    [path] = mail_folder.glob("*.eml")
    [mail] = from_files(mail_folder)
    assert f"http://localhost:8000/reset-password?token={link(mail)[1]}\r\n" in path.read_bytes().decode()


def test_a_token_resets_once_and_older_ones_die_with_it(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work
) -> None:
    forget(anonymous)
    forget(anonymous)
    work()
    older, newer = (link(mail)[1] for mail in mail_server.mails)
    assert reset(anonymous, newer).status_code == 204
    for token in (newer, older):
        assert field_errors(reset(anonymous, token, PASSWORD)) == {"body.token": "token_used"}
    assert log_in(anonymous, NEW) == 200


def test_of_many_with_one_token_or_another_only_one_resets(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work
) -> None:
    forget(anonymous)
    forget(anonymous)
    work()
    tokens = [link(mail)[1] for mail in mail_server.mails] * 4
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda token: reset(Api(ada.app), token).status_code, tokens))
    assert sorted(statuses) == [204, *[422] * 7]


def test_an_expired_token_says_so(ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    forget(anonymous)
    work()
    token = link(mail_server.mails[0])[1]
    life = row("SELECT extract(epoch FROM expires_at - created_at) FROM mail_tokens")[0]
    assert abs(life - 3600) < 5
    row("UPDATE mail_tokens SET expires_at = now()")
    assert field_errors(reset(anonymous, token)) == {"body.token": "token_expired"}
    assert log_in(anonymous, PASSWORD) == 200


@pytest.mark.parametrize("token", ["forged", "x" * 43, "é" * 20, " "])
def test_a_forged_token_is_unknown(ada: Api, anonymous: Api, token: str) -> None:
    assert field_errors(reset(anonymous, token)) == {"body.token": "token_unknown"}
    assert field_errors(verify(anonymous, token)) == {"body.token": "token_unknown"}


def test_a_token_serves_its_own_purpose_only(ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work) -> None:
    forget(anonymous)
    work()
    token = link(mail_server.mails[0])[1]
    assert field_errors(verify(anonymous, token)) == {"body.token": "token_unknown"}
    assert reset(anonymous, token).status_code == 204


@pytest.mark.parametrize("password", ["short", "password123", "ada@example.org"])
def test_a_bad_password_is_named_and_the_token_still_works(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, password: str
) -> None:
    forget(anonymous)
    work()
    token = link(mail_server.mails[0])[1]
    assert list(field_errors(reset(anonymous, token, password))) == ["body.password"]
    assert reset(anonymous, token).status_code == 204


def test_a_token_that_went_to_an_earlier_address_is_unknown(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    forget(anonymous)
    work()
    row("UPDATE users SET email = 'new@example.org', email_key = 'new@example.org'")
    assert field_errors(reset(anonymous, link(mail_server.mails[0])[1])) == {"body.token": "token_unknown"}


def test_an_unknown_address_gets_the_same_answer_after_the_same_statements(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, sql: SqlCounter
) -> None:
    kinds = []
    for email in ("ada@example.org", "nobody@example.org"):
        sql.clear()
        forget(anonymous, email)
        kinds.append([statement.split()[0] for statement in sql.statements])
    assert len(kinds[0]) == len(kinds[1]) == 4
    assert kinds[0].count("INSERT") == 2
    assert "INSERT" in kinds[1]
    assert work() == 2
    assert [mail["To"] for mail in mail_server.mails] == ["ada@example.org"]


@pytest.mark.parametrize(
    "email", ["nobody", "", "nobody@nowhere.invalid", "a b@c", "\U0001f680@example.org", "@", "x" * 254]
)
def test_whatever_is_asked_for_gets_the_same_answer(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, email: str
) -> None:
    forget(anonymous, email)
    work()
    assert mail_server.mails == []


def test_the_address_is_found_in_any_case(ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work) -> None:
    forget(anonymous, "ADA@Example.ORG")
    work()
    assert [mail["To"] for mail in mail_server.mails] == ["ada@example.org"]


def test_three_mails_an_hour_and_no_more(
    ada: Api, bob: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    for _ in range(5):
        forget(anonymous)
    forget(anonymous, "bob@example.org")
    work()
    assert [mail["To"] for mail in mail_server.mails] == ["ada@example.org"] * 3 + ["bob@example.org"]
    row("UPDATE mail_tokens SET created_at = now() - interval '61 minutes'")
    forget(anonymous)
    work()
    assert len(mail_server.mails) == 5


def test_asking_many_times_at_once_gives_no_more(ada: Api, mail_server: SmtpServer, work: Work) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: forget(Api(ada.app)), range(8)))
    work()
    assert len(mail_server.mails) == 3


def test_the_worker_sends_in_a_process_of_its_own(ada: Api, anonymous: Api, mail_server: SmtpServer) -> None:
    forget(anonymous)
    with ada.app.app_context():
        make_worker().work(burst=True, logging_level="WARNING")
    assert reset(anonymous, link(mail_server.mails[0])[1]).status_code == 204


def test_asking_and_resetting_take_few_statements(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, sql: SqlCounter
) -> None:
    with sql.at_most(4):
        forget(anonymous)
    work()
    token = link(mail_server.mails[0])[1]
    # What was set up before ends, what is left is counted, and told by mail.
    with sql.at_most(12):
        assert reset(anonymous, token).status_code == 204


def test_no_request_waits_for_a_mail_server(ada: Api, anonymous: Api, mail_server: SmtpServer) -> None:
    forget(anonymous)
    ada.post("/auth/email/verification")
    assert mail_server.commands == []


def test_a_mail_that_was_asked_for_while_redis_was_away_is_sent_by_the_scheduler(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work
) -> None:
    forget(anonymous)
    with ada.app.app_context():
        redis_client().flushall()
        assert work() == 0
        resend_due_mails()
        resend_due_mails()
    assert work() == 1
    assert len(mail_server.mails) == 1


def test_an_address_is_verified_by_mail(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    answer = ada.post("/auth/email/verification")
    assert (answer.status_code, answer.json) == (202, {})
    work()
    path, token = link(mail_server.mails[0])
    assert path == "/verify-email"
    assert row("SELECT email_verified_at FROM users")[0] is None
    assert ada.get("/profile").json["email_verified_at"] is None
    assert verify(anonymous, token).status_code == 204
    assert ada.get("/profile").json["email_verified_at"].endswith("Z")
    assert row("SELECT email_verified_at FROM users")[0] is not None
    assert field_errors(verify(anonymous, token)) == {"body.token": "token_used"}


def test_a_link_to_verify_lasts_a_day(ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    ada.post("/auth/email/verification")
    work()
    assert abs(row("SELECT extract(epoch FROM expires_at - created_at) FROM mail_tokens")[0] - 86_400) < 5
    row("UPDATE mail_tokens SET expires_at = now()")
    assert field_errors(verify(anonymous, link(mail_server.mails[0])[1])) == {"body.token": "token_expired"}


def test_a_link_to_verify_an_earlier_address_is_unknown(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    ada.post("/auth/email/verification")
    work()
    row("UPDATE users SET email = 'new@example.org', email_key = 'new@example.org'")
    assert field_errors(verify(anonymous, link(mail_server.mails[0])[1])) == {"body.token": "token_unknown"}
    assert row("SELECT email_verified_at FROM users")[0] is None


def test_verifying_is_mailed_three_times_an_hour_and_not_to_the_verified(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work
) -> None:
    for _ in range(4):
        assert ada.post("/auth/email/verification").status_code == 202
    work()
    assert len(mail_server.mails) == 3
    assert verify(anonymous, link(mail_server.mails[0])[1]).status_code == 204
    assert ada.post("/auth/email/verification").status_code == 202
    assert work() == 0


def test_only_a_login_may_ask_to_verify(ada: Api, anonymous: Api) -> None:
    assert anonymous.post("/auth/email/verification").status_code == 401
    declared = declared_operation(ada.app, "auth_mail.send_verification_again")
    assert declared is not None
    assert declared.scope == "login"


def test_a_mail_that_is_asked_for_goes_with_the_change_or_not_at_all(ada: Api, row: Row) -> None:
    with ada.app.app_context():
        create_verification_mail(db.session.get_one(User, ada.user_id))
        db.session.flush()
        db.session.rollback()
        db.session.remove()
    assert row("SELECT count(*) FROM mails")[0] == row("SELECT count(*) FROM mail_tokens")[0] == 0
    ask_to_verify(ada.app, ada)
    assert row("SELECT count(*) FROM mails")[0] == row("SELECT count(*) FROM mail_tokens")[0] == 1


def test_tokens_are_stored_hashed_and_leave_the_mail_when_it_is_sent(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    forget(anonymous)
    work()
    token = link(mail_server.mails[0])[1]
    assert len(token) == 43
    assert row("SELECT values FROM mails")[0] == {}
    stored = row("SELECT string_agg(mails::text, '') || string_agg(mail_tokens::text, '') FROM mails, mail_tokens")[0]
    assert token not in stored


def test_tokens_are_never_logged(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, row: Row, log: list[str]
) -> None:
    mail_server.replies["DATA"] = "451 later"
    forget(anonymous)
    ada.post("/auth/email/verification")
    work()
    del mail_server.replies["DATA"]
    row(LIFT_WAITS)
    with ada.app.app_context():
        resend_due_mails()
    work()
    tokens = {link(mail)[0]: link(mail)[1] for mail in mail_server.mails}
    reset(anonymous, tokens["/reset-password"])
    reset(anonymous, tokens["/reset-password"])
    verify(anonymous, tokens["/verify-email"])
    written = "".join(log)
    assert "mail sent" in written
    assert "mail not sent" in written
    assert not any(token in written for token in tokens.values())
    assert "ada@example.org" not in written


def test_expired_tokens_are_forgotten_after_a_month(ada: Api, anonymous: Api, row: Row) -> None:
    forget(anonymous)
    forget(anonymous)
    row("UPDATE mail_tokens SET expires_at = now() - interval '31 days' WHERE id = 1")
    row("UPDATE mail_tokens SET expires_at = now() - interval '29 days' WHERE id = 2")
    with ada.app.app_context():
        purge_mail_tokens()
    assert row("SELECT array_agg(id) FROM mail_tokens")[0] == [2]


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        ("de", "Wähle ein neues Passwort für Fuze"),
        ("de-AT, en;q=0.5", "Wähle ein neues Passwort für Fuze"),
        ("en;q=0.5, de;q=0.9", "Wähle ein neues Passwort für Fuze"),
        ("en", "Choose a new password for Fuze"),
        ("fr, de;q=0", "Choose a new password for Fuze"),
        ("../../etc", "Choose a new password for Fuze"),
    ],
)
def test_mails_speak_the_language_that_the_request_asks_for(
    ada: Api, anonymous: Api, mail_server: SmtpServer, work: Work, asked: str, subject: str
) -> None:
    forget(anonymous, headers={"Accept-Language": asked})
    work()
    [mail] = mail_server.mails
    assert mail["Subject"] == subject
    assert mail["Content-Language"] == ("de" if "Passwort" in subject else "en")
    assert f'<html lang="{mail["Content-Language"]}">' in html(mail)


def test_a_hostile_username_is_text_and_nothing_else(
    person: Callable[..., Api], anonymous: Api, mail_server: SmtpServer, work: Work
) -> None:
    person("<img/src=x>&{{7*7}}")
    with anonymous.app.app_context():
        known = {"email": "ada@example.org", "email_key": "ada@example.org", "email_verified_at": func.now()}
        db.session.query(User).update(known)
        db.session.commit()
    forget(anonymous)
    work()
    [mail] = mail_server.mails
    assert "<img" not in html(mail)
    assert "&lt;img/src=x&gt;&amp;{{7*7}}" in html(mail)
    assert "<img/src=x>&{{7*7}}" in plain(mail)
