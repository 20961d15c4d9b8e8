"""What a digest says, and to whom."""

from __future__ import annotations

import html as html_entities
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from flask import Flask

from backend.cli import digests as commands
from backend.clock import utc_now
from backend.digests import service
from backend.digests.contents import Offer
from backend.digests.recipients import Recipient
from tests.digests.conftest import Deliver
from tests.digests.reading import listed
from tests.digests.subscribers import DUE, due_at, execute, next_week, subscribe
from tests.mail.reading import html, plain
from tests.mail.smtp_server import SmtpServer
from tests.profile.teams import make_team
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
SITE = "http://localhost:8000"
WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")


def in_team(person: Api, team: int, path: str, body: Any) -> dict[str, Any]:
    response = person.post(path, body, headers={"X-Organization-ID": str(team)})
    assert response.status_code == 201, response.get_data(as_text=True)
    made: dict[str, Any] = response.json
    return made


def link(title: str, **fields: Any) -> dict[str, Any]:
    return {"url": f"https://example.org/{title.lower()}", "title": title, "capture": False, **fields}


def test_nobody_gets_digests_who_did_not_ask_for_them(ada: Api, deliver: Deliver) -> None:
    ada.save("https://example.org/new", title="New")
    profile = ada.get("/profile").json
    assert (profile["digest"], profile["language"]) == (False, None)
    execute(ada, "UPDATE users SET email_verified_at = now()")
    assert deliver() == []
    assert due_at(ada) is None


def test_it_says_what_is_new_what_is_due_and_what_is_recommended(
    ada: Api, bob: Api, context: Flask, deliver: Deliver, mail_server: SmtpServer
) -> None:
    team = make_team("Crew", owner=bob, editor=ada)
    for place in range(7):
        ada.save(f"https://example.org/{place}", title=f"New {place}", tags=["gardening"] if place == 2 else [])
    favorite = ada.save("https://example.org/favorite", title="Favorite")["id"]
    ada.patch(f"/bookmarks/{favorite}", {"is_favorite": True})
    read = ada.save("https://example.org/roses", title="Roses", tags=["gardening"])["id"]
    ada.patch(f"/bookmarks/{read}", {"is_read": True})
    in_team(bob, team, "/bookmarks", link("Of-bob"))
    ada.save("https://example.org/archived", title="Archived", is_archived=True)
    trashed = ada.save("https://example.org/trashed", title="Trashed")["id"]
    ada.delete(f"/bookmarks/{trashed}")
    bob.save("https://example.org/private", title="Private")
    for place in range(3):
        ada.save(f"https://old.example.org/{place}", title=f"Old {place}", created_at=f"2025-01-0{place + 1}T00:00:00Z")
    now = datetime.now(UTC).replace(microsecond=0)
    for title, due in (
        ("Soon", now + timedelta(days=2)),
        ("Late", now - timedelta(days=3)),
        ("Later", now + timedelta(days=30)),
    ):
        ada.post("/tasks", {"title": title, "due_at": due.isoformat()})
    done = ada.post("/tasks", {"title": "Done", "due_at": now.isoformat()}).json["id"]
    ada.patch(f"/tasks/{done}", {"status": "done"})
    in_team(ada, team, "/tasks", {"title": "Of mine", "due_at": (now + timedelta(days=1)).isoformat()})
    in_team(bob, team, "/tasks", {"title": "Of bob's", "due_at": (now + timedelta(days=1)).isoformat()})
    subscribe(ada, time_zone="Asia/Tokyo")
    [mail] = deliver()
    assert (mail["To"], mail["Subject"]) == ("ada@example.org", "Your week on Fuze")
    assert listed(mail, "New and unread: 9.") == ["Favorite", "New 2", "Of-bob", "New 6", "New 5"]
    assert listed(mail, "Tasks that are due: 3") == ["Late", "Of mine", "Soon"]
    recommended = listed(mail, "Recommended")
    assert len(recommended) == 2
    assert {*recommended} < {"Old 0", "Old 1", "Old 2"}
    local = (now + timedelta(days=2)).astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"due on {local:%A, }{local.day}{local: %B, %H:%M}" in plain(mail)
    assert f"overdue since {now - timedelta(days=3) + timedelta(hours=9):%A}" in plain(mail)
    assert "example.org, in Crew" in plain(mail)
    assert f"  {SITE}/bookmarks/{favorite}" in plain(mail).splitlines()
    offered = ada.get("/recommendations", limit=30, exclude_read="true").json["items"]
    reasons = {item["bookmark"]["title"]: item["reasons"][0] for item in offered}
    assert re.findall(r"example\.org: ([^\r\n]+)", plain(mail)) == [reasons[title] for title in recommended]
    for title in ("Favorite", *recommended):
        assert f">{html_entities.escape(title)}</a>" in html(mail)
    # Nothing of it stays behind once it is sent.
    assert execute(ada, "SELECT values FROM mails WHERE template = 'digest'")[0] == {}


def test_it_speaks_the_persons_language(ada: Api, deliver: Deliver) -> None:
    ada.save("https://example.org/old", title="Alt", created_at="2025-01-01T00:00:00Z")
    due = datetime.now(UTC) + timedelta(days=1)
    ada.post("/tasks", {"title": "Etwas", "due_at": due.isoformat()})
    subscribe(ada, language="de")
    [mail] = deliver()
    assert (mail["Subject"], mail["Content-Language"]) == ("Deine Woche bei Fuze", "de")
    assert f"fällig am {WEEKDAYS[due.weekday()]}, {due.day}. " in plain(mail)
    assert f"vor {(datetime.now(UTC) - datetime(2025, 1, 1, tzinfo=UTC)).days} Tagen gespeichert" in plain(mail)
    assert "read" not in plain(mail)


def test_it_can_be_unsubscribed_from_by_any_mail_program(ada: Api, deliver: Deliver, mail_server: SmtpServer) -> None:
    """RFC 8058: the two headers, as they are on the wire, since no program decodes words in addresses."""
    ada.save("https://example.org/new", title="New")
    subscribe(ada)
    [mail] = deliver()
    head = mail_server.raw[-1].partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    [address] = re.findall(r"(?m)^List-Unsubscribe: <(\S+)>$", "\n".join(head))
    assert address.startswith(f"{SITE}/api/v1/digests/unsubscribe?token={ada.user_id}.")
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    assert address in plain(mail)
    assert address in html(mail)
    assert mail["Auto-Submitted"] == "auto-generated"


def test_texts_of_people_are_text_in_one_line_and_short(ada: Api, deliver: Deliver) -> None:
    evil = 'x\r\nBcc: eve@example.org\u2028<script>alert("1")</script> {{ 7 * 7 }}'
    ada.save("https://example.org/evil", title=evil)
    ada.save("https://example.org/long", title="Long " * 200)
    ada.post("/tasks", {"title": f"Task {evil}", "due_at": datetime.now(UTC).isoformat()})
    subscribe(ada)
    [mail] = deliver()
    assert mail["Bcc"] is None
    assert "<script" not in html(mail)
    assert 'x Bcc: eve@example.org <script>alert("1")</script> {{ 7 * 7 }}' in plain(mail)
    assert not any(line.startswith("Bcc") for line in plain(mail).splitlines())
    assert max(map(len, plain(mail).splitlines())) <= 120


def test_with_nothing_to_say_there_is_no_mail_that_week(ada: Api, deliver: Deliver) -> None:
    read = ada.save("https://example.org/read", title="Read")["id"]
    ada.patch(f"/bookmarks/{read}", {"is_read": True})
    subscribe(ada)
    assert deliver() == []
    assert due_at(ada) > utc_now()
    ada.save("https://example.org/new", title="New")
    execute(ada, DUE)
    assert deliver() == []
    next_week(ada)
    assert len(deliver()) == 1


def test_what_was_recommended_is_not_recommended_in_the_next_weeks(ada: Api, deliver: Deliver) -> None:
    for place in range(5):
        ada.save(f"https://old.example.org/{place}", title=f"Old {place}", created_at="2025-01-01T00:00:00Z")
    subscribe(ada)
    seen: list[str] = []
    for _ in range(3):
        [mail] = deliver()
        seen += listed(mail, "Recommended")
        next_week(ada)
    assert sorted(seen) == [f"Old {place}" for place in range(5)]
    assert deliver() == []


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
def test_nothing_of_an_organization_is_in_it_that_the_person_has_left(
    ada: Api, bob: Api, deliver: Deliver, context: Flask, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    team = make_team("Crew", owner=bob, editor=ada)
    in_team(bob, team, "/bookmarks", link("Secret"))
    in_team(bob, team, "/bookmarks", link("Older", created_at="2025-01-01T00:00:00Z"))
    in_team(ada, team, "/tasks", {"title": "Of the team", "due_at": datetime.now(UTC).isoformat()})
    ada.post("/tasks", {"title": "Own", "due_at": datetime.now(UTC).isoformat()})
    subscribe(ada)
    offer = service.offer

    def leave(recipient: Recipient) -> Offer | None:
        offered = offer(recipient)
        assert (offered is not None) == (moment == "meanwhile")
        bob.delete(f"/organizations/{team}/members/{ada.user_id}")
        return offered

    if moment == "before":
        assert bob.delete(f"/organizations/{team}/members/{ada.user_id}").status_code == 204
    monkeypatch.setattr(service, "offer", leave)
    [mail] = deliver()
    assert listed(mail, "Tasks that are due: 1") == ["Own"]
    for word in ("Secret", "Older", "Of the team", "Crew"):
        assert word not in plain(mail)


def test_the_operator_can_look_at_it_beforehand(ada: Api, context: Flask, deliver: Deliver) -> None:
    def preview(login: str) -> Any:
        return CliRunner().invoke(commands.digests, ["preview", login])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "connected_application", lambda: context.app_context())
        assert "nothing to say" in preview("ada@example.org").output
        ada.save("https://example.org/new", title="New")
        shown = preview("ada").output
        assert shown.startswith("Your week on Fuze\n\nHello,")
        assert "- New\n" in shown
        assert "token=preview" in shown
        assert preview("nobody").exit_code == 1
    assert execute(ada, "SELECT count(*) FROM mails")[0] == execute(ada, "SELECT count(*) FROM digests")[0] == 0
