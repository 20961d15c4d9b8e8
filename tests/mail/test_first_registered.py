"""An address that somebody else registered first, and what a new password ends (R-AUTH, R-TRUST)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from backend.extensions import db
from tests.mail.reading import links, plain
from tests.mail.smtp_server import SmtpServer
from tests.support.api import PASSWORD, Api, field_errors
from tests.support.sql import until_something_waits

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
Row = Callable[..., Any]
Work = Callable[[], int]
NEW = "quite another password 7"
PROVIDER = {"base_url": "https://evil.example/v1", "model": "spy", "api_key": "k" * 20}


def make_token(person: Api, name: str = "script") -> Api:
    made = person.post("/auth/tokens", {"name": name, "scopes": ["*:read", "*:write"]})
    assert made.status_code == 201
    return Api(person.app, token=made.json["token"])


def works(token: Api) -> bool:
    return token.get("/bookmarks").status_code == 200


def forgotten(api: Api, server: SmtpServer, work: Work) -> str:
    """Ask for a new password; the token that came by mail."""
    assert Api(api.app).post("/auth/password/forgot", {"email": "ada@example.org"}).status_code == 202
    work()
    return dict(links(server.mails))["/reset-password"]


def reset(api: Api, token: str, **more: Any) -> Any:
    return Api(api.app).post("/auth/password/reset", {"token": token, "password": NEW, **more})


def log_in(api: Api, password: str = NEW) -> Api:
    answer = Api(api.app).post("/auth/login", {"login": "ada@example.org", "password": password})
    assert answer.status_code == 200
    return Api(api.app, session=answer.json)


def provider_status(person: Api) -> int:
    return person.get("/profile/ai").status_code


@pytest.mark.parametrize("revoke", [{}, {"revoke_tokens": False}, {"revoke_tokens": True}])
def test_a_reset_of_an_account_that_was_never_verified_ends_all_that_was_set_up(
    ada: Api, mail_server: SmtpServer, work: Work, revoke: dict[str, bool]
) -> None:
    token = make_token(ada)
    assert ada.put("/profile/ai", PROVIDER).status_code == 200
    assert works(token)
    ada.post("/auth/email/verification")
    assert reset(ada, forgotten(ada, mail_server, work), **revoke).status_code == 204
    assert not works(token)
    assert ada.get("/profile").status_code == 401
    assert ada.post("/auth/refresh", {"refresh_token": ada.session["refresh_token"]}).status_code == 401
    owner = log_in(ada)
    assert owner.get("/auth/tokens").json["total"] == 0
    assert provider_status(owner) == 404
    assert owner.get("/profile").json["email_verified_at"] is not None
    # The address is proven: a link to do so is used up.
    verify = dict(links(mail_server.mails))["/verify-email"]
    assert field_errors(Api(ada.app).post("/auth/email/verify", {"token": verify})) == {"body.token": "token_used"}
    work()
    told = plain(mail_server.mails[-1])
    assert "before this address was confirmed ended" in told
    assert "still open" not in told


def test_a_reset_by_the_same_owner_leaves_tokens_and_provider_and_says_so(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    row("UPDATE users SET email_verified_at = now() - interval '1 day'")
    token = make_token(ada)
    ada.put("/profile/ai", PROVIDER)
    assert reset(ada, forgotten(ada, mail_server, work)).status_code == 204
    assert works(token)
    assert provider_status(log_in(ada)) == 200
    work()
    [told] = [plain(mail) for mail in mail_server.mails if "was changed" in mail["Subject"]]
    assert "API tokens that still open the account: 1." in told
    assert "language model of its own" in told
    assert "evil.example" not in told
    assert "confirmed ended" not in told


def test_with_revoke_tokens_a_reset_ends_tokens_and_leaves_the_provider(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    row("UPDATE users SET email_verified_at = now() - interval '1 day'")
    tokens = [make_token(ada, name) for name in ("one", "two")]
    ada.put("/profile/ai", PROVIDER)
    assert all(works(token) for token in tokens)
    assert reset(ada, forgotten(ada, mail_server, work), revoke_tokens=True).status_code == 204
    assert not any(works(token) for token in tokens)
    assert provider_status(log_in(ada)) == 200


def test_what_was_set_up_before_the_owner_confirmed_somebody_elses_account_ends_with_their_reset(
    ada: Api, mail_server: SmtpServer, work: Work
) -> None:
    """Whoever owns the mailbox clicked the link of an account that somebody else had made."""
    first = make_token(ada, "of whoever was first")
    ada.put("/profile/ai", PROVIDER)
    ada.post("/auth/email/verification")
    work()
    verify = dict(links(mail_server.mails))["/verify-email"]
    assert Api(ada.app).post("/auth/email/verify", {"token": verify}).status_code == 204
    later = make_token(ada, "later")
    assert works(first)
    assert reset(ada, forgotten(ada, mail_server, work)).status_code == 204
    assert not works(first)
    assert works(later)
    assert provider_status(log_in(ada)) == 404


def test_a_new_address_is_unproven_and_a_reset_by_it_ends_what_was_set_up_before(
    ada: Api, mail_server: SmtpServer, work: Work, row: Row
) -> None:
    row("UPDATE users SET email_verified_at = now() - interval '1 day'")
    token = make_token(ada)
    change = {"email": "other@example.org", "current_password": PASSWORD}
    assert ada.patch("/profile", change).status_code == 200
    Api(ada.app).post("/auth/password/forgot", {"email": "other@example.org"})
    work()
    assert reset(ada, dict(links(mail_server.mails))["/reset-password"]).status_code == 204
    assert not works(token)


def test_a_failed_reset_ends_nothing(ada: Api, mail_server: SmtpServer, work: Work, row: Row) -> None:
    token = make_token(ada)
    mailed = forgotten(ada, mail_server, work)
    short = Api(ada.app).post("/auth/password/reset", {"token": mailed, "password": "short", "revoke_tokens": True})
    assert list(field_errors(short)) == ["body.password"]
    assert list(field_errors(reset(ada, mailed, revoke_tokens="maybe"))) == ["body.revoke_tokens"]
    assert list(field_errors(reset(ada, "forged"))) == ["body.token"]
    assert works(token)
    assert row("SELECT email_verified_at FROM users")[0] is None


@pytest.mark.parametrize("revoke", [False, True])
def test_a_changed_password_ends_tokens_where_that_is_asked_for(
    ada: Api, mail_server: SmtpServer, work: Work, revoke: bool
) -> None:
    token = make_token(ada)
    assert works(token)
    ada.put("/profile/ai", PROVIDER)
    body = {"current_password": PASSWORD, "new_password": NEW, **({"revoke_tokens": True} if revoke else {})}
    assert ada.post("/profile/password", body).status_code == 204
    assert works(token) is not revoke
    assert provider_status(ada) == 200
    work()
    [told] = [plain(mail) for mail in mail_server.mails if "was changed" in mail["Subject"]]
    assert ("API tokens that still open the account: 1." in told) is not revoke
    assert "language model of its own" in told


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/auth/tokens", {"name": "x", "scopes": ["*:read"]}), ("PUT", "/profile/ai", PROVIDER)],
)
def test_what_is_set_up_while_the_password_is_reset_does_not_outlive_it(
    ada: Api, row: Row, method: str, path: str, body: dict[str, Any]
) -> None:
    """The request was let in, waits for the reset, and comes after it has looked for what to end."""
    with ada.app.app_context(), db.engine.connect() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(text("SELECT 1 FROM users FOR NO KEY UPDATE"))
        connection.execute(text("UPDATE sessions SET revoked_at = now()"))
        late = pool.submit(ada.request, method, path, json=body)
        until_something_waits()
        connection.commit()
        assert late.result().status_code == 401
    assert row("SELECT (SELECT count(*) FROM api_tokens) + (SELECT count(*) FROM ai_providers)")[0] == 0


def test_what_ended_is_in_the_security_events(ada: Api, mail_server: SmtpServer, work: Work) -> None:
    make_token(ada)
    body = {"current_password": PASSWORD, "new_password": NEW, "revoke_tokens": True}
    ada.post("/profile/password", body)
    event = ada.get("/profile/security-events").json["items"][0]
    assert event["kind"] == "password_changed"
    assert event["detail"] == {"tokens_ended": 1, "tokens_left": 0, "provider_left": False}


def test_the_mail_to_confirm_an_address_says_what_it_is(ada: Api, mail_server: SmtpServer, work: Work) -> None:
    ada.post("/auth/email/verification")
    ada.post("/auth/email/verification", headers={"Accept-Language": "de"})
    work()
    english, german = (plain(mail) for mail in mail_server.mails)
    assert "If it was not you, do not open the link." in english
    assert "öffne den Link nicht" in german
