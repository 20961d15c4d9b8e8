"""Two requests about one account at the same moment: neither undoes what the other was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.admin.service import set_disabled
from backend.auth import service
from backend.auth.passwords import password_matches
from backend.organizations import invitations
from backend.organizations import service as organizations
from tests.organizations.teams import Outbox, accept, invite, make_team, roles
from tests.support.api import PASSWORD, Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
NEW = "quite another password 7"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for what happens meanwhile."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """Remembers invitations that are mailed."""
    outbox = Outbox()
    add_mail = invitations.add_mail

    def remember(to: str, template: str, values: dict[str, str]) -> Any:
        outbox.mails.append((to, template, values))
        return add_mail(to, template, values)

    monkeypatch.setattr(invitations, "add_mail", remember)
    return outbox


def change_password(person: Api) -> int:
    body = {"current_password": PASSWORD, "new_password": NEW}
    return person.post("/profile/password", body).status_code


def delete(person: Api) -> int:
    return person.request("DELETE", "/profile", json={"password": PASSWORD}).status_code


def disable(person: Api) -> int:
    with person.app.app_context():
        set_disabled(person.user_id, True)
    return 204


@pytest.mark.parametrize("change", [change_password, delete, disable])
def test_a_login_that_is_overtaken_opens_no_session(
    ada: Api, anonymous: Api, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, change: Callable[[Api], int]
) -> None:
    """It has compared the old password, and would open a session after all others were ended."""

    def slowly(password_hash: str | None, password: str) -> bool:
        assert pool.submit(change, ada).result() == 204
        return password_matches(password_hash, password)

    with monkeypatch.context() as patch:
        patch.setattr(service, "password_matches", slowly)
        answer = anonymous.post("/auth/login", {"login": "ada", "password": PASSWORD})
    assert answer.status_code == 401
    assert answer.json["detail"] == "The login or the password is wrong."


@pytest.mark.parametrize("differs", ["email", "username", "both"])
def test_of_many_who_register_the_same_one_does(app: Flask, pool: ThreadPoolExecutor, differs: str) -> None:
    def register(place: int) -> TestResponse:
        name = f"ada{place}" if differs != "email" else ("Ada" if place % 2 else "aDA")
        email = f"ada{place}@example.org" if differs != "username" else ("a@example.org", "A@EXAMPLE.org")[place % 2]
        body = {"email": email, "username": name, "password": PASSWORD}
        return Api(app).post("/auth/register", body)

    statuses = Counter(answer.status_code for answer in pool.map(register, range(8)))
    assert statuses == ({201: 8} if differs == "both" else {201: 1, 409: 7})


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor, module: Any, name: str, work: Callable[[], int]
) -> list[Future[int]]:
    """Begin some work in another thread as soon as a function is called, and let it end if it can; its outcome."""
    begun: list[Future[int]] = []
    original = getattr(module, name)

    def overtaken(*arguments: Any) -> Any:
        if not begun:
            begun.append(pool.submit(work))
            wait(begun, timeout=3)
        return original(*arguments)

    monkeypatch.setattr(module, name, overtaken)
    return begun


def test_who_deletes_the_account_while_making_a_team_has_a_team_first(
    ada: Api, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A team that nobody belongs to would stay for ever."""
    deleted = meanwhile(monkeypatch, pool, organizations, "_insert_first_free", lambda: delete(ada))
    made = Api(ada.app, session=ada.session).post("/organizations", {"name": "Team"})
    assert (made.status_code, deleted[0].result()) == (201, 409)


def test_who_deletes_the_account_while_joining_a_team_leaves_it_too(
    ada: Api, bob: Api, outbox: Outbox, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = make_team(ada)
    invite(ada, team, bob, "owner")
    deleted = meanwhile(monkeypatch, pool, invitations, "_lock_invitation", lambda: delete(bob))
    accepted = accept(Api(bob.app, session=bob.session), outbox.token(bob))
    assert (accepted.status_code, deleted[0].result()) == (200, 204)
    assert roles(ada, team) == {"ada": "owner"}


@pytest.mark.parametrize("path", ["/organizations", "/invitations/accept"])
def test_who_is_gone_already_joins_nothing(
    ada: Api, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The request was let in, and then the account was deleted."""
    module = organizations if path == "/organizations" else invitations
    lock_person = module.lock_person

    def late(actor: Any, **options: Any) -> Any:
        assert pool.submit(delete, ada).result() == 204
        return lock_person(actor, **options)

    monkeypatch.setattr(module, "lock_person", late)
    body = {"name": "Team"} if path == "/organizations" else {"token": "any"}
    assert Api(ada.app, session=ada.session).post(path, body).status_code == 401
