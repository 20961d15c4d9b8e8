"""An invitation is worth what its sender may still give when it is accepted (R-TRUST 3)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.admin.service import set_disabled
from backend.extensions import db
from tests.organizations.teams import Outbox, accept, invite, join, make_team, roles, write
from tests.support.api import PASSWORD, Api, field_errors
from tests.support.sql import until_something_waits

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
Losing = Callable[[Api, Api, int], Any]


def remove(ada: Api, bob: Api, team: int) -> TestResponse:
    return ada.delete(f"/organizations/{team}/members/{bob.user_id}")


def leave(ada: Api, bob: Api, team: int) -> TestResponse:
    return bob.delete(f"/organizations/{team}/members/{bob.user_id}")


def demote(role: str) -> Losing:
    return lambda ada, bob, team: ada.patch(f"/organizations/{team}/members/{bob.user_id}", {"role": role})


def step_down(ada: Api, bob: Api, team: int) -> TestResponse:
    return bob.patch(f"/organizations/{team}/members/{bob.user_id}", {"role": "editor"})


def disable(ada: Api, bob: Api, team: int) -> None:
    with ada.app.app_context():
        set_disabled(bob.user_id, True)
        db.session.remove()


def delete_account(ada: Api, bob: Api, team: int) -> TestResponse:
    return bob.request("DELETE", "/profile", json={"password": PASSWORD})


def unseat_quietly(ada: Api, bob: Api, team: int) -> None:
    """As what takes a right away and forgets the invitations: the check at the end does not rely on it."""
    write(ada, "DELETE FROM memberships WHERE user_id = :bob", bob=bob.user_id)


def disable_quietly(ada: Api, bob: Api, team: int) -> None:
    write(ada, "UPDATE users SET disabled_at = now() WHERE id = :bob", bob=bob.user_id)


def forget_sender(ada: Api, bob: Api, team: int) -> None:
    write(ada, "UPDATE invitations SET invited_by = NULL")


WAYS: dict[str, Losing] = {
    "removed": remove,
    "left": leave,
    "made an editor": demote("editor"),
    "made a viewer": demote("viewer"),
    "stepped down": step_down,
    "disabled": disable,
    "deleted": delete_account,
    "unseated quietly": unseat_quietly,
    "disabled quietly": disable_quietly,
    "unknown": forget_sender,
}


@pytest.fixture
def second(ada: Api, bob: Api, team: int, outbox: Outbox, person: Callable[..., Api]) -> Api:
    """Bob's second account. Bob is an owner of Ada's team."""
    join(ada, team, bob, "owner", outbox)
    return person("second")


@pytest.mark.parametrize("role", ["owner", "editor", "viewer"])
@pytest.mark.parametrize("way", WAYS)
def test_whoever_may_no_longer_invite_has_invited_nobody(
    ada: Api, bob: Api, second: Api, team: int, outbox: Outbox, way: str, role: str
) -> None:
    assert invite(bob, team, second, role).status_code == 201
    WAYS[way](ada, bob, team)
    assert field_errors(accept(second, outbox.token(second))) == {"body.token": "token_unknown"}
    assert "second" not in roles(ada, team)
    assert second.get(f"/organizations/{team}").status_code == 404


@pytest.mark.parametrize("way", ["removed", "left", "made an editor", "disabled", "deleted"])
def test_their_open_invitations_go_with_the_right(
    ada: Api, bob: Api, second: Api, team: int, outbox: Outbox, person: Callable[..., Api], way: str
) -> None:
    other = make_team(ada, "Other")
    join(ada, other, bob, "owner", outbox)
    carol = person("carol")
    invite(bob, team, second)
    invite(bob, other, second)
    invite(ada, team, carol)
    WAYS[way](ada, bob, team)
    left = ada.get(f"/organizations/{team}/invitations").json["items"]
    assert [item["email"] for item in left] == ["carol@example.org"]
    everywhere = way in ("disabled", "deleted")
    assert ada.get(f"/organizations/{other}/invitations").json["total"] == (0 if everywhere else 1)
    assert accept(carol, outbox.token(carol)).status_code == 200


def test_a_right_that_comes_back_brings_no_invitation_back(
    ada: Api, bob: Api, second: Api, team: int, outbox: Outbox
) -> None:
    invite(bob, team, second, "owner")
    first = outbox.token(second)
    demote("viewer")(ada, bob, team)
    demote("owner")(ada, bob, team)
    assert field_errors(accept(second, first)) == {"body.token": "token_unknown"}
    invite(bob, team, second, "editor")
    disable(ada, bob, team)
    with ada.app.app_context():
        set_disabled(bob.user_id, False)
        db.session.remove()
    assert field_errors(accept(second, outbox.token(second))) == {"body.token": "token_unknown"}


def test_another_owner_who_invites_again_stands_for_it(
    ada: Api, bob: Api, second: Api, team: int, outbox: Outbox
) -> None:
    invite(bob, team, second, "owner")
    invite(ada, team, second, "viewer")
    remove(ada, bob, team)
    assert accept(second, outbox.token(second)).json["role"] == "viewer"


def test_what_was_accepted_before_stays(ada: Api, bob: Api, second: Api, team: int, outbox: Outbox) -> None:
    join(bob, team, second, "editor", outbox)
    remove(ada, bob, team)
    assert roles(ada, team) == {"ada": "owner", "second": "editor"}
    assert field_errors(accept(second, outbox.token(second))) == {"body.token": "token_used"}


def test_what_a_token_of_the_sender_invited_ends_with_the_right_too(
    ada: Api, bob: Api, second: Api, team: int, outbox: Outbox
) -> None:
    given = {"name": "script", "scopes": ["organizations:write"], "organization_id": team}
    script = Api(bob.app, token=bob.post("/auth/tokens", given).json["token"])
    assert invite(script, team, second, "owner").status_code == 201
    assert accept(script, outbox.token(second)).status_code == 403
    remove(ada, bob, team)
    assert field_errors(accept(second, outbox.token(second))) == {"body.token": "token_unknown"}


def test_demoting_somebody_who_is_no_owner_touches_no_invitation(
    ada: Api, bob: Api, second: Api, team: int, outbox: Outbox
) -> None:
    invite(bob, team, second)
    third_role = demote("owner")(ada, bob, team)
    assert third_role.status_code == 200
    assert accept(second, outbox.token(second)).status_code == 200


@pytest.mark.parametrize("way", ["removed", "made an editor", "disabled", "deleted"])
def test_at_the_same_moment_either_the_right_or_its_end_comes_first(
    ada: Api, bob: Api, second: Api, team: int, outbox: Outbox, way: str
) -> None:
    """Accepted while the sender was an owner still, or not at all; nobody waits for the other for ever."""
    invite(bob, team, second, "owner")
    token = outbox.token(second)
    owner, sender, guest = (Api(ada.app, session=one.session) for one in (ada, bob, second))
    with ThreadPoolExecutor(2) as pool:
        losing = pool.submit(WAYS[way], owner, sender, team)
        accepted = pool.submit(accept, guest, token).result()
    assert losing.exception() is None
    if accepted.status_code == 200:
        assert roles(ada, team)["second"] == "owner"
    else:
        assert field_errors(accepted) == {"body.token": "token_unknown"}
        assert "second" not in roles(ada, team)
    with ada.app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM invitations WHERE used_at IS NULL")) == 0
        db.session.remove()


@pytest.mark.parametrize("change", ["DELETE FROM memberships", "UPDATE memberships SET role = 'editor'"])
def test_accepting_waits_for_an_end_that_has_begun(
    ada: Api, bob: Api, second: Api, team: int, outbox: Outbox, change: str
) -> None:
    """The end has happened and is not committed: what accepts sees it, and does not go by what was before."""
    invite(bob, team, second, "owner")
    with ada.app.app_context(), db.engine.connect() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(text("SELECT 1 FROM organizations WHERE id = :team FOR NO KEY UPDATE"), {"team": team})
        connection.execute(text(f"{change} WHERE user_id = :bob"), {"bob": bob.user_id})
        accepting = pool.submit(accept, second, outbox.token(second))
        until_something_waits()
        assert not accepting.done()
        connection.commit()
        assert field_errors(accepting.result()) == {"body.token": "token_unknown"}
