"""Inviting people by mail, and what becomes of the token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.jobs.queue import rq_queue
from backend.organizations import jobs
from backend.organizations.invitations import MAILS_PER_HOUR, MAILS_PER_HOUR_IN_ALL, MAX_OPEN
from tests.organizations.teams import Outbox, accept, invite, join, make_team, roles, settle, write
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
FILL = """
    INSERT INTO invitations (organization_id, email, email_key, role, token_hash, expires_at)
    SELECT :team, n || '@example.com', n || '@example.com', 'viewer', sha256(n::text::bytea), now() + :life
      FROM generate_series(1, :number) AS n
"""


def test_the_invited_get_a_mail_whose_token_makes_them_members(
    ada: Api, bob: Api, team: int, outbox: Outbox, events: list[Any], context: Flask
) -> None:
    response = invite(ada, team, bob, "editor")
    assert response.status_code == 201
    invitation = response.json
    assert set(invitation) == {"id", "email", "role", "expires_at", "created_at"}
    assert [invitation["email"], invitation["role"]] == ["bob@example.org", "editor"]
    life = datetime.fromisoformat(invitation["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=7, minutes=-1) < life < timedelta(days=7, minutes=1)
    [(to, template, values)] = outbox.mails
    assert [to, template] == ["bob@example.org", "invitation"]
    token = values["token"]
    assert values == {"token": token, "organization": "Team", "inviter": "ada", "role": "editor"}
    assert len(token) >= 43
    assert token not in response.get_data(as_text=True)
    sent = [job.func_name for job in rq_queue("mail").get_jobs()]
    settle(ada, bob)
    accepted = accept(bob, token)
    assert accepted.status_code == 200
    assert "mail.send_mail" in sent
    assert accepted.json == bob.get(f"/organizations/{team}").json
    assert [accepted.json["id"], accepted.json["role"]] == [team, "editor"]
    assert roles(ada, team) == {"ada": "owner", "bob": "editor"}
    assert bob.request("GET", "/bookmarks", headers={"X-Organization-ID": str(team)}).status_code == 200
    assert events == [
        (ada.user_id, "invitation_sent", team, {"email": "bob@example.org", "role": "editor"}),
        (bob.user_id, "member_added", team, {"role": "editor"}),
    ]


def test_the_token_is_not_stored(ada: Api, bob: Api, team: int, outbox: Outbox, context: Flask) -> None:
    invite(ada, team, bob)
    stored = db.session.scalar(text("SELECT invitations::text FROM invitations"))
    assert outbox.token(bob) not in stored
    assert outbox.token(bob).encode().hex() not in stored


def test_a_token_works_once(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    join(ada, team, bob, "viewer", outbox)
    ada.delete(f"/organizations/{team}/members/{bob.user_id}")
    assert field_errors(accept(bob, outbox.token(bob))) == {"body.token": "token_used"}
    assert roles(ada, team) == {"ada": "owner"}


def test_a_token_expires(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    invite(ada, team, bob)
    write(ada, "UPDATE invitations SET expires_at = now()")
    assert field_errors(accept(bob, outbox.token(bob))) == {"body.token": "token_expired"}
    assert ada.get(f"/organizations/{team}/invitations").json["total"] == 0
    assert roles(ada, team) == {"ada": "owner"}


@pytest.mark.parametrize("token", ["", "x" * 43, "\U0001f680", "ä"])
def test_a_forged_token_is_unknown(bob: Api, token: str) -> None:
    assert field_errors(accept(bob, token)) == {"body.token": "token_unknown"}


def test_only_the_person_of_the_address_may_accept(
    ada: Api, bob: Api, team: int, outbox: Outbox, person: Callable[..., Api]
) -> None:
    eve = person("eve")
    invite(ada, team, bob)
    refused = accept(eve, outbox.token(bob))
    assert refused.status_code == 403
    assert "address" in refused.json["detail"]
    assert accept(bob, outbox.token(bob)).status_code == 200
    assert roles(ada, team) == {"ada": "owner", "bob": "editor"}


def test_addresses_are_compared_without_case(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    path = f"/organizations/{team}/invitations"
    shown = ada.post(path, {"email": "BOB@Example.ORG", "role": "viewer"}).json
    assert shown["email"] == "BOB@Example.ORG"
    assert accept(bob, outbox.mails[-1][2]["token"]).status_code == 200
    assert ada.post(path, {"email": "boB@example.org", "role": "viewer"}).status_code == 409


def test_a_member_is_not_invited(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    join(ada, team, bob, "viewer", outbox)
    assert invite(ada, team, bob).status_code == 409
    assert invite(ada, team, ada).status_code == 409
    assert len(outbox.mails) == 1


def test_nobody_is_invited_to_a_personal_organization(ada: Api, bob: Api, outbox: Outbox) -> None:
    response = invite(ada, ada.organization_id, bob)
    assert response.status_code == 409
    assert "team" in response.json["detail"]
    assert not outbox.mails


def test_another_invitation_takes_the_place_of_the_first(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    invite(ada, team, bob, "owner")
    first = outbox.token(bob)
    invite(ada, team, bob, "viewer")
    listed = ada.get(f"/organizations/{team}/invitations").json
    assert [item["role"] for item in listed["items"]] == ["viewer"]
    assert field_errors(accept(bob, first)) == {"body.token": "token_unknown"}
    assert accept(bob, outbox.token(bob)).json["role"] == "viewer"


def test_who_left_may_be_invited_again(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    for role in ("viewer", "editor"):
        join(ada, team, bob, role, outbox)
        assert roles(ada, team)["bob"] == role
        assert bob.delete(f"/organizations/{team}/members/{bob.user_id}").status_code == 204


def test_who_became_a_member_otherwise_uses_the_invitation_up_and_keeps_the_role(
    ada: Api, bob: Api, team: int, outbox: Outbox
) -> None:
    invite(ada, team, bob, "owner")
    write(
        ada,
        "INSERT INTO memberships (user_id, organization_id, role) VALUES (:user, :team, 'viewer')",
        user=bob.user_id,
        team=team,
    )
    assert accept(bob, outbox.token(bob)).status_code == 409
    assert roles(ada, team)["bob"] == "viewer"
    assert field_errors(accept(bob, outbox.token(bob))) == {"body.token": "token_used"}


def test_open_invitations_are_listed_newest_first_and_withdrawn(
    ada: Api, bob: Api, team: int, outbox: Outbox, person: Callable[..., Api]
) -> None:
    other = make_team(ada, "Other")
    invite(ada, other, bob)
    people = [person() for _ in range(4)]
    made = [invite(ada, team, somebody).json for somebody in people]
    join(ada, team, bob, "viewer", outbox)
    path = f"/organizations/{team}/invitations"
    assert ada.get(path).json["items"] == made[::-1]
    first = ada.get(path, page_size=3).json
    assert [first["items"], first["total"]] == [made[:0:-1], 4]
    assert ada.get(path, page_size=3, cursor=first["next_cursor"]).json["items"] == made[:1]
    assert ada.delete(f"{path}/{made[0]['id']}").status_code == 204
    assert ada.delete(f"{path}/{made[0]['id']}").status_code == 404
    assert ada.delete(f"/organizations/{other}/invitations/{made[1]['id']}").status_code == 404
    assert field_errors(accept(people[0], outbox.token(people[0]))) == {"body.token": "token_unknown"}
    assert ada.get(path).json["total"] == 3


def test_invitations_of_a_deleted_organization_are_worth_nothing(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    invite(ada, team, bob)
    assert ada.request("DELETE", f"/organizations/{team}", json={"name": "Team"}).status_code == 204
    assert field_errors(accept(bob, outbox.token(bob))) == {"body.token": "token_unknown"}


def test_at_most_fifty_are_open(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    write(ada, FILL, team=team, number=MAX_OPEN, life=timedelta(days=1))
    response = invite(ada, team, bob)
    assert response.status_code == 409
    assert not outbox.mails
    again = ada.post(f"/organizations/{team}/invitations", {"email": "7@example.com", "role": "viewer"})
    assert again.status_code == 201
    write(ada, "UPDATE invitations SET expires_at = now() WHERE email = '8@example.com'")
    assert invite(ada, team, bob).status_code == 201


def test_nobody_is_flooded_with_invitations(
    ada: Api, bob: Api, team: int, outbox: Outbox, person: Callable[..., Api]
) -> None:
    for place in range(MAILS_PER_HOUR):
        body = {"email": ("bob@example.org", "BOB@example.org")[place % 2], "role": "viewer"}
        # Another team is no way around.
        assert ada.post(f"/organizations/{make_team(ada)}/invitations", body).status_code == 201
    refused = invite(ada, team, bob)
    assert refused.status_code == 429
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert len(outbox.mails) == MAILS_PER_HOUR
    assert invite(ada, team, person()).status_code == 201
    other = make_team(bob)
    assert invite(bob, other, person()).status_code == 201
    write(ada, "UPDATE security_events SET created_at = created_at - interval '1 hour'")
    assert invite(ada, team, bob).status_code == 201


def test_a_person_has_only_so_many_invitations_mailed(ada: Api, team: int, person: Callable[..., Api]) -> None:
    event = "INSERT INTO security_events (user_id, kind, detail) SELECT :ada, 'invitation_sent', :detail"
    fill = f"{event} FROM generate_series(1, :number)"
    write(ada, fill, ada=ada.user_id, detail='{"email": "x@example.org"}', number=MAILS_PER_HOUR_IN_ALL - 1)
    assert invite(ada, team, person()).status_code == 201
    assert invite(ada, team, person()).status_code == 429


@pytest.mark.parametrize(
    ("field", "value"), [("email", "nobody"), ("email", "a\x00@example.org"), ("role", "admin"), ("email", None)]
)
def test_bad_invitations_name_the_field(ada: Api, team: int, field: str, value: object) -> None:
    body = {"email": "new@example.org", "role": "viewer", field: value}
    assert f"body.{field}" in field_errors(ada.post(f"/organizations/{team}/invitations", body))


def test_old_invitations_are_deleted_in_time(ada: Api, team: int, context: Flask) -> None:
    write(ada, FILL, team=team, number=3, life=timedelta(days=1))
    write(ada, "UPDATE invitations SET expires_at = now() - interval '31 days' WHERE email = '1@example.com'")
    write(ada, "UPDATE invitations SET expires_at = now() - interval '29 days' WHERE email = '2@example.com'")
    jobs.purge_invitations()
    left = db.session.scalars(text("SELECT email FROM invitations ORDER BY email")).all()
    assert left == ["2@example.com", "3@example.com"]


def at_once(calls: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def test_of_many_who_accept_at_once_one_does(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    invite(ada, team, bob)
    token = outbox.token(bob)
    answers = at_once([lambda: accept(Api(bob.app, session=bob.session), token)] * 8)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 422: 7}
    refused = [field_errors(answer) for answer in answers if answer.status_code == 422]
    assert refused == [{"body.token": "token_used"}] * 7
    assert roles(ada, team) == {"ada": "owner", "bob": "editor"}


def test_invitations_sent_at_once_do_not_pass_the_limit_and_leave_one_for_each_address(
    ada: Api, team: int, outbox: Outbox
) -> None:
    write(ada, FILL, team=team, number=MAX_OPEN - 2, life=timedelta(days=1))

    def send(email: str) -> TestResponse:
        body = {"email": email, "role": "viewer"}
        return Api(ada.app, session=ada.session).post(f"/organizations/{team}/invitations", body)

    same = at_once([lambda: send("one@example.org")] * 4)
    assert {answer.status_code for answer in same} == {201}
    others = at_once([lambda place=place: send(f"n{place}@example.org") for place in range(5)])  # type: ignore[misc]
    assert Counter(answer.status_code for answer in others) == {201: 1, 409: 4}
    assert ada.get(f"/organizations/{team}/invitations").json["total"] == MAX_OPEN


def test_accepting_while_the_organization_is_deleted_leaves_no_member(ada: Api, bob: Api, outbox: Outbox) -> None:
    for _ in range(5):
        team = make_team(ada)
        invite(ada, team, bob)
        token = outbox.token(bob)
        delete, accepted = at_once(
            [
                lambda team=team: Api(ada.app, session=ada.session).request(  # type: ignore[misc]
                    "DELETE", f"/organizations/{team}", json={"name": "Team"}
                ),
                lambda token=token: accept(Api(bob.app, session=bob.session), token),  # type: ignore[misc]
            ]
        )
        assert delete.status_code == 204
        assert accepted.status_code in (200, 422)
        assert bob.get(f"/organizations/{team}").status_code == 404


@pytest.mark.parametrize("slug", ["wanted", None])
def test_of_many_who_want_one_slug_one_gets_it(ada: Api, slug: str | None) -> None:
    body = {"name": "Wanted", **({"slug": slug} if slug else {})}
    answers = at_once([lambda: Api(ada.app, session=ada.session).post("/organizations", body)] * 8)
    assert Counter(answer.status_code for answer in answers) == ({201: 1, 409: 7} if slug else {201: 8})
    made = [answer.json["slug"] for answer in answers if answer.status_code == 201]
    assert len(set(made)) == len(made)
    assert made.count("wanted") == 1
