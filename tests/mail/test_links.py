"""Every link that is mailed, from the mail back to the server: it works once, in time, and only as sent (R-AUTH)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.mail.reading import from_files, link
from tests.mail.smtp_server import SmtpServer
from tests.organizations.teams import accept, invite, make_team
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


@dataclass(frozen=True)
class Flow:
    """What is asked for, where its link leads, and what becomes of its token."""

    ask: Callable[[Api, Api], object]
    path: str
    use: Callable[[Api, str], TestResponse]
    done: int
    table: str


FLOWS = {
    "verification": Flow(
        lambda ada, bob: bob.post("/auth/email/verification"),
        "/verify-email",
        lambda bob, token: Api(bob.app).post("/auth/email/verify", {"token": token}),
        204,
        "mail_tokens",
    ),
    "reset": Flow(
        lambda ada, bob: Api(bob.app).post("/auth/password/forgot", {"email": "bob@example.org"}),
        "/reset-password",
        lambda bob, token: Api(bob.app).post("/auth/password/reset", {"token": token, "password": "another pass 7"}),
        204,
        "mail_tokens",
    ),
    "invitation": Flow(
        lambda ada, bob: invite(ada, make_team(ada), bob),
        "/accept-invitation",
        lambda bob, token: accept(bob, token),
        200,
        "invitations",
    ),
}


@pytest.fixture(params=FLOWS)
def flow(request: pytest.FixtureRequest) -> Flow:
    return FLOWS[request.param]


@pytest.fixture(params=["mail_server", "mail_folder"])
def mails(request: pytest.FixtureRequest) -> Callable[[], list[EmailMessage]]:
    """Reads what arrived: at a mail server, or as files where there is none."""
    post: SmtpServer | Path = request.getfixturevalue(request.param)
    return lambda: from_files(post) if isinstance(post, Path) else post.mails


@pytest.fixture
def token(flow: Flow, ada: Api, bob: Api, work: Callable[[], int], mails: Callable[[], list[EmailMessage]]) -> str:
    """The token of the one mail that came."""
    flow.ask(ada, bob)
    work()
    [mail] = mails()
    assert mail["To"] == "bob@example.org"
    path, token = link(mail)
    assert path == flow.path
    return token


def test_a_link_works_once_and_then_says_that_it_was_used(flow: Flow, bob: Api, token: str) -> None:
    assert flow.use(bob, token).status_code == flow.done
    assert field_errors(flow.use(bob, token)) == {"body.token": "token_used"}


def test_a_link_that_is_too_old_says_so(flow: Flow, bob: Api, token: str, row: Callable[..., Any]) -> None:
    row(f"UPDATE {flow.table} SET expires_at = now()")
    assert field_errors(flow.use(bob, token)) == {"body.token": "token_expired"}


def test_a_token_that_was_never_sent_is_unknown_and_the_one_that_was_still_works(
    flow: Flow, bob: Api, token: str
) -> None:
    for forged in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-1], token.swapcase(), f"{token}="):
        assert field_errors(flow.use(bob, forged)) == {"body.token": "token_unknown"}
    assert flow.use(bob, token).status_code == flow.done
