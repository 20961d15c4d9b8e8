"""What people are told by mail of what was done with their account."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backend.auth.models import User
from backend.auth.notices import notify_new_sign_in
from backend.extensions import db
from tests.mail.reading import html, plain
from tests.mail.smtp_server import SmtpServer
from tests.support.api import PASSWORD, Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
Row = Callable[..., Any]
Work = Callable[[], int]
CONFIRMED = "UPDATE users SET email_verified_at = now()"
PASSWORDS = [f"quite another password {number}" for number in range(9)]
TOKEN = {"name": "https://evil.example", "scopes": ["*:read"]}
SUBJECTS = {
    "password": ("The password of your Fuze account was changed", "Das Passwort deines Fuze-Kontos wurde geändert"),
    "address": ("Your Fuze account has another mail address", "Dein Fuze-Konto hat eine andere E-Mail-Adresse"),
    "token": ("A new API token for your Fuze account", "Ein neues API-Token für dein Fuze-Konto"),
    "sign-in": ("A new sign-in to your Fuze account", "Eine neue Anmeldung bei deinem Fuze-Konto"),
}


def sign_in(api: Api, ip: str = "192.0.2.1", agent: str = "Browser", **headers: str) -> Api:
    answer = Api(api.app).post(
        "/auth/login",
        {"login": "ada", "password": PASSWORD},
        headers={"User-Agent": agent, **headers},
        environ_overrides={"REMOTE_ADDR": ip},
    )
    assert answer.status_code == 200
    return Api(api.app, session=answer.json)


def change_password(ada: Api, number: int = 0, **headers: str) -> None:
    present = PASSWORDS[number - 1] if number else PASSWORD
    body = {"current_password": present, "new_password": PASSWORDS[number]}
    assert ada.post("/profile/password", body, headers=headers).status_code == 204


def change_address(ada: Api, number: int = 0, **headers: str) -> None:
    body = {"email": f"other{number}@example.org", "current_password": PASSWORD}
    assert ada.patch("/profile", body, headers=headers).status_code == 200


def make_token(ada: Api, number: int = 0, **headers: str) -> None:
    assert ada.post("/auth/tokens", TOKEN, headers=headers).status_code == 201


def sign_in_elsewhere(ada: Api, number: int = 0, **headers: str) -> None:
    if not number:
        sign_in(ada, agent="Known")
    sign_in(ada, agent=f"Browser {number}", **headers)


DEEDS = {
    "password": change_password,
    "address": change_address,
    "token": make_token,
    "sign-in": sign_in_elsewhere,
}


@pytest.mark.parametrize("language", [0, 1])
@pytest.mark.parametrize("deed", DEEDS)
def test_the_owner_is_told_in_their_language_and_in_our_words(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row, deed: str, language: int
) -> None:
    row(CONFIRMED)
    if deed != "sign-in":  # Which asks for the name.
        row("UPDATE users SET username = 'https://evil.example'")
    DEEDS[deed](ada, **{"Accept-Language": ("en", "de")[language]})
    work()
    mails = [mail for mail in mail_server.mails if mail["Subject"] == SUBJECTS[deed][language]]
    assert [mail["To"] for mail in mails] == ["ada@example.org"]
    for text in (plain(mails[0]), html(mails[0])):
        assert "evil" not in text
        assert "other0" not in text
        assert "http://localhost:8000" in text
        assert "token=" not in text


@pytest.mark.parametrize("deed", ["password", "address", "token"])
def test_an_address_that_nobody_confirmed_is_told_as_well(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row, deed: str
) -> None:
    DEEDS[deed](ada)
    work()
    assert [mail["To"] for mail in mail_server.mails if mail["Subject"] == SUBJECTS[deed][0]] == ["ada@example.org"]


def test_an_address_that_nobody_confirmed_is_not_told_of_sign_ins(
    ada: Api, mail_server: SmtpServer, work: Work
) -> None:
    sign_in_elsewhere(ada)
    work()
    assert mail_server.mails == []


def test_with_a_new_address_the_old_one_is_told_and_the_new_one_asked(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    row(CONFIRMED)
    change_address(ada)
    work()
    told = {mail["To"]: mail["Subject"] for mail in mail_server.mails}
    assert told == {
        "ada@example.org": SUBJECTS["address"][0],
        "other0@example.org": "Confirm your mail address for Fuze",
    }


def test_another_name_is_told_to_nobody(ada: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    row(CONFIRMED)
    ada.patch("/profile", {"username": "countess"})
    ada.patch("/profile", {"email": "ada@example.org"})
    work()
    assert mail_server.mails == []


@pytest.mark.parametrize("deed", ["password", "token", "sign-in"])
def test_doing_it_again_and_again_is_told_three_times_an_hour(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row, deed: str
) -> None:
    row(CONFIRMED)
    for number in range(6):
        DEEDS[deed](ada, number)
    work()
    assert [mail["Subject"] for mail in mail_server.mails] == [SUBJECTS[deed][0]] * 3
    for table in ("mails", "security_events"):
        row(f"UPDATE {table} SET created_at = now() - interval '61 minutes'")
    DEEDS[deed](ada, 6)
    work()
    assert len(mail_server.mails) == 4


def test_nobody_writes_to_many_by_changing_the_address(ada: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    """Each deed after another address would be told to another mailbox, none of which has asked for anything."""
    row(CONFIRMED)
    for number in range(8):
        change_address(ada, number)
        make_token(ada, number)
    work()
    told = [(mail["To"], mail["Subject"]) for mail in mail_server.mails]
    assert ("ada@example.org", SUBJECTS["address"][0]) in told
    assert len([to for to, subject in told if subject == SUBJECTS["address"][0]]) == 3
    assert len([to for to, subject in told if subject == SUBJECTS["token"][0]]) == 3
    assert len([to for to, subject in told if "Confirm" in subject]) == 3


def test_at_once_it_is_told_no_more_often(ada: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    row(CONFIRMED)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: make_token(Api(ada.app, session=ada.session), number), range(8)))
    work()
    assert len(mail_server.mails) == 3


def test_one_kind_of_notice_does_not_keep_another_away(ada: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    row(CONFIRMED)
    for number in range(6):
        make_token(ada, number)
    change_password(ada)
    work()
    assert mail_server.mails[-1]["Subject"] == SUBJECTS["password"][0]


def test_another_account_of_the_mailbox_does_not_keep_notices_away(
    ada: Api, bob: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    """Somebody registers with a tag of the owner's mailbox, and uses up what can be told there."""
    row("UPDATE users SET email = 'ada+x@example.org', email_key = 'ada+x@example.org' WHERE username = 'bob'")
    row("UPDATE users SET email_verified_at = now() WHERE username = 'ada'")
    for number in range(6):
        make_token(bob, number)
    change_address(bob)
    change_password(bob)
    work()
    make_token(ada)
    change_password(ada)
    work()
    told = [mail["Subject"] for mail in mail_server.mails if mail["To"] == "ada@example.org"]
    assert told == [SUBJECTS["token"][0], SUBJECTS["password"][0]]


def test_the_first_sign_in_and_known_devices_are_told_to_nobody(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    row(CONFIRMED)
    sign_in(ada)
    sign_in(ada)
    sign_in(ada, "2001:db8::1")
    work()
    assert len(mail_server.mails) == 1
    assert "2001:db8::1" in plain(mail_server.mails[0])
    sign_in(ada, "2001:db8::2")
    sign_in(ada)
    work()
    assert len(mail_server.mails) == 1
    sign_in(ada, "2001:db8:0:1::1")
    sign_in(ada, agent="Another")
    work()
    assert len(mail_server.mails) == 3


def test_registering_is_a_sign_in_that_is_known(anonymous: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    account = {"email": "ada@example.org", "username": "ada", "password": PASSWORD}
    options = {"headers": {"User-Agent": "Browser"}, "environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}}
    assert anonymous.post("/auth/register", account, **options).status_code == 201
    row(CONFIRMED)
    work()
    mail_server.raw.clear()
    sign_in(anonymous)
    work()
    assert mail_server.mails == []
    sign_in(anonymous, "192.0.2.2")
    work()
    assert [mail["Subject"] for mail in mail_server.mails] == [SUBJECTS["sign-in"][0]]


def test_failed_sign_ins_are_no_known_devices(ada: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    row(CONFIRMED)
    sign_in(ada)
    wrong = {"login": "ada", "password": "wrong password"}
    Api(ada.app).post("/auth/login", wrong, headers={"User-Agent": "Thief"})
    sign_in(ada, "127.0.0.1", "Thief")
    work()
    assert [mail["Subject"] for mail in mail_server.mails] == [SUBJECTS["sign-in"][0]]


def test_a_user_agent_that_is_cut_when_it_is_stored_is_known(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    row(CONFIRMED)
    for _ in range(2):
        sign_in(ada, agent="x" * 700)
    work()
    assert mail_server.mails == []


def test_the_notice_is_part_of_the_transaction(ada: Api, row: Row) -> None:
    row(CONFIRMED)
    sign_in(ada)
    with ada.app.app_context():
        user = db.session.get_one(User, ada.user_id)
        assert len(notify_new_sign_in(user, "192.0.2.9", "Browser")) == 1
        db.session.flush()
        db.session.rollback()
        db.session.remove()
    assert row("SELECT count(*) FROM mails")[0] == 0
