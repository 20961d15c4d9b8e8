"""The export of personal data."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from backend.actor import Actor
from backend.admin.service import set_disabled
from backend.ai.llm.usage import record_usage, reserve_tokens
from backend.extensions import db
from backend.profile import archive, personal_data
from backend.profile.jobs import purge_exports, run_export
from backend.search.recent import store_search
from backend.transfer import stored_parts
from tests.profile.teams import make_team
from tests.support.api import PASSWORD, Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def export(person: Api) -> dict[str, Any]:
    """Ask for an export, have a worker write it; the job's result."""
    queued = person.post("/profile/export")
    assert queued.status_code == 202
    assert queued.headers["Location"] == f"/api/v1/jobs/{queued.json['id']}"
    with person.app.app_context():
        run_export(queued.json["id"])
    job = person.get(f"/jobs/{queued.json['id']}").json
    assert job["status"] == "succeeded", job
    result: dict[str, Any] = job["result"]
    return result


def download(person: Api, result: dict[str, Any]) -> dict[str, Any]:
    """The files of the zip by name."""
    answer = person.get(result["download_url"])
    assert answer.status_code == 200
    assert answer.content_type == "application/zip"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    with zipfile.ZipFile(io.BytesIO(answer.data)) as zipped:
        assert zipped.testzip() is None
        return {name: json.loads(zipped.read(name)) for name in zipped.namelist()}


def test_everything_about_the_person_is_in_it(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=bob, editor=ada)
    saved = ada.save("https://example.org/a", title="Ünï\u2028code", tags=["z", "a"], notes="n" * 100)
    plain = ada.save("https://example.org/b")
    db.session.execute(
        text(
            "INSERT INTO bookmark_contents (bookmark_id, title, text, html, word_count, vector)"
            " VALUES (:id, 'Page', 'The page''s text', '<p>', 3, '')"
        ),
        {"id": saved["id"]},
    )
    db.session.commit()
    header = {"X-Organization-ID": str(team)}
    mine = ada.request("POST", "/bookmarks", json={"url": "https://example.org/mine"}, headers=header).json
    bob.request("POST", "/bookmarks", json={"url": "https://example.org/bobs"}, headers=header)
    ada.put("/profile/ai", {"base_url": "https://llm.example.org/v1", "model": "m", "api_key": "sk-something-1234"})
    record_usage(
        reserve_tokens(ada.user_id, is_servers=True, tokens=9, seconds=60),
        calls=1,
        prompt_tokens=7,
        completion_tokens=2,
    )
    record_usage(
        reserve_tokens(bob.user_id, is_servers=True, tokens=9, seconds=60),
        calls=1,
        prompt_tokens=7,
        completion_tokens=2,
    )
    store_search(Actor(ada.user_id, team, "editor"), "of the team")
    store_search(Actor(bob.user_id, team, "owner"), "of somebody else")
    files = download(ada, export(ada))
    assert set(files) == {
        "profile.json", "organizations.json", "recent_searches.json",
        "sessions.json", "security_events.json", "jobs.json", "api_tokens.json",
        "ai_provider.json", "ai_usage.json", "bookmarks.json", "projects.json", "project_bookmarks.json", "tasks.json",
        "feedback.json", "bundles.json", "feeds.json", "activity.json", "digests.json",
    }  # fmt: skip
    [profile] = files["profile.json"]
    assert profile["email"] == "ada@example.org"
    assert profile["email_verified_at"] is None
    assert (profile["time_zone"], profile["week_start"]) == ("UTC", "monday")
    assert (profile["language"], profile["digest_due_at"], files["digests.json"]) == (None, None, [])
    assert files["recent_searches.json"] == [{"organization_id": team, "search": "of the team"}]
    assert {item["name"] for item in files["organizations.json"]} == {"ada", "Team"}
    assert [item["user_agent"] for item in files["sessions.json"]] == ["tests"]
    assert "data_exported" in [item["kind"] for item in files["security_events.json"]]
    assert [item["kind"] for item in files["jobs.json"]] == ["personal_export"]
    assert files["ai_provider.json"][0]["api_key_hint"] == "…1234"
    [used] = files["ai_usage.json"]
    assert (used["is_servers"], used["calls"], used["prompt_tokens"], used["completion_tokens"]) == (True, 1, 7, 2)
    bookmarks = {item["id"]: item for item in files["bookmarks.json"]}
    assert set(bookmarks) == {saved["id"], plain["id"], mine["id"]}
    shown = bookmarks[saved["id"]]
    assert (shown["title"], shown["tags"], shown["notes"]) == ("Ünï\u2028code", ["z", "a"], "n" * 100)
    assert shown["page"] == {"title": "Page", "byline": None, "text": "The page's text"}
    assert bookmarks[plain["id"]]["page"] is None
    assert shown["created_at"].endswith("Z")


def test_projects_are_in_it_with_what_is_attached_to_them(
    ada: Api, bob: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of one's own, the trash too, and of a team's what one made and attached oneself; in batches."""
    monkeypatch.setattr(personal_data, "BATCH", 2)
    team = make_team("Team", owner=bob, editor=ada)
    header = {"X-Organization-ID": str(team)}
    own = [begin_project(ada, f"Own {place} 🗂", technologies=["Zig"], description="d") for place in range(5)]
    saved = [ada.save(f"https://example.org/{place}", project_ids=own[:3])["id"] for place in range(3)]
    ada.put(f"/projects/{own[0]}/bookmarks/{saved[0]}", {"note": "what it is for"})
    ada.delete(f"/projects/{own[0]}")
    shared, bobs = begin_project(ada, "Shared", headers=header), begin_project(bob, "Bob's", headers=header)
    theirs = bob.post("/bookmarks", {"url": "https://example.org/theirs", "project_ids": [shared]}, headers=header).json
    ada.put(f"/projects/{bobs}/bookmarks/{theirs['id']}", {"note": "mine"}, headers=header)
    bob.save("https://example.org/private", project_ids=[begin_project(bob, "Private")])
    files = download(ada, export(ada))
    projects = {item["id"]: item for item in files["projects.json"]}
    assert list(projects) == [*own, shared]
    assert projects[own[1]]["name"] == "Own 1 🗂"
    assert [projects[own[1]][name] for name in ("technologies", "description", "status")] == [["Zig"], "d", "active"]
    assert projects[own[0]]["deleted_at"].endswith("Z")
    attached = {(item["project_id"], item["bookmark_id"]): item["note"] for item in files["project_bookmarks.json"]}
    assert len(files["project_bookmarks.json"]) == 10
    assert attached == {
        **{(project, bookmark): "" for project in own[:3] for bookmark in saved},
        (own[0], saved[0]): "what it is for",
        (bobs, theirs["id"]): "mine",
    }


def begin_project(person: Api, name: str, headers: dict[str, str] | None = None, **fields: Any) -> int:
    """A new project; its id."""
    return int(person.post("/projects", {"name": name, **fields}, headers=headers).json["id"])


def test_tasks_are_in_it_by_the_same_rule(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=bob, editor=ada)
    header = {"X-Organization-ID": str(team)}
    parent = ada.post("/tasks", {"title": "Own", "description": "all of it", "status": "done"}).json["id"]
    child = ada.post("/tasks", {"title": "Step", "parent_id": parent}).json["id"]
    ada.delete(f"/tasks/{child}")
    mine = ada.post("/tasks", {"title": "In the team"}, headers=header).json["id"]
    bob.post("/tasks", {"title": "Bob's"}, headers=header)
    tasks = {item["id"]: item for item in download(ada, export(ada))["tasks.json"]}
    assert set(tasks) == {parent, child, mine}
    assert tasks[parent]["description"] == "all of it"
    assert tasks[parent]["completed_at"].endswith("Z")
    assert tasks[child]["parent_id"] == parent
    assert tasks[child]["deleted_at"] is not None


def test_no_secret_is_in_it(ada: Api) -> None:
    ada.put("/profile/ai", {"base_url": "https://llm.example.org/v1", "model": "m", "api_key": "sk-something-1234"})
    told = json.dumps(download(ada, export(ada)))
    for secret in ("scrypt", "password_hash", "refresh_token", "encrypted", "sk-something", PASSWORD):
        assert secret not in told


def test_it_is_nobody_elses_and_expires(ada: Api, bob: Api, context: Flask) -> None:
    result = export(ada)
    assert result["expires_at"].endswith("Z")
    missing = bob.get(f"/profile/exports/{uuid4()}")
    foreign = bob.get(result["download_url"])
    assert missing.status_code == foreign.status_code == 404
    assert missing.json["detail"] == foreign.json["detail"]
    assert Api(ada.app).get(result["download_url"]).status_code == 401
    db.session.execute(text("UPDATE exports SET expires_at = now() - interval '1 second'"))
    db.session.commit()
    assert ada.get(result["download_url"]).status_code == 404
    purge_exports()
    assert db.session.scalar(text("SELECT count(*) FROM export_parts")) == 0


def test_it_lasts_a_day(ada: Api, context: Flask) -> None:
    export(ada)
    life = db.session.scalar(text("SELECT extract(epoch FROM expires_at - created_at) FROM exports"))
    assert abs(life - 24 * 3600) < 60


def test_it_is_private_even_when_asked_for_from_a_team(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=bob, editor=ada)
    header = {"X-Organization-ID": str(team)}
    job = ada.post("/profile/export", headers=header).json
    assert bob.request("GET", f"/jobs/{job['id']}", headers=header).status_code == 404
    assert ada.get(f"/jobs/{job['id']}").status_code == 200


def test_while_one_is_under_way_no_other_is_begun(ada: Api) -> None:
    first, second = ada.post("/profile/export").json, ada.post("/profile/export").json
    assert first["id"] == second["id"]


def test_a_new_one_takes_the_place_of_the_last(ada: Api, context: Flask) -> None:
    first, second = export(ada), export(ada)
    assert ada.get(first["download_url"]).status_code == 404
    assert ada.get(second["download_url"]).status_code == 200


def test_one_that_is_not_complete_cannot_be_downloaded(ada: Api, context: Flask) -> None:
    result = export(ada)
    db.session.execute(text("UPDATE exports SET size = NULL"))
    db.session.commit()
    assert ada.get(result["download_url"]).status_code == 404


def test_a_cancelled_one_stops(ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    ada.save("https://example.org/a")
    job = ada.post("/profile/export").json
    report = personal_data._text_sizes

    def cancel_meanwhile(ids: list[int]) -> dict[int, int]:
        assert ada.delete(f"/jobs/{job['id']}").status_code == 200
        return report(ids)

    ada.save("https://example.org/b")
    monkeypatch.setattr(personal_data, "BATCH", 1)
    monkeypatch.setattr(personal_data, "_text_sizes", cancel_meanwhile)
    run_export(job["id"])
    assert ada.get(f"/jobs/{job['id']}").json["status"] == "cancelled"
    assert db.session.scalar(text("SELECT count(*) FROM exports WHERE size IS NOT NULL")) == 0


def test_large_ones_go_in_pieces_through_little_memory(ada: Api, context: Flask) -> None:
    """60 MB of page texts that do not compress well are never in memory at once, nor is the zip."""
    db.session.execute(
        text("""
            INSERT INTO bookmarks (organization_id, user_id, url, url_hash, domain, capture_status)
            SELECT :organization, :user, 'https://example.org/' || n, int8send(n), 'example.org', 'captured'
              FROM generate_series(1, 60) n
        """),
        {"organization": ada.organization_id, "user": ada.user_id},
    )
    db.session.execute(
        text("""
            INSERT INTO bookmark_contents (bookmark_id, text, html, word_count, vector)
            SELECT id, (SELECT string_agg(md5((id * 100000 + n)::text), '') FROM generate_series(1, 32768) n), '', 1, ''
              FROM bookmarks
        """)
    )
    db.session.commit()
    tracemalloc.start()
    result = export(ada)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 45 * 2**20, peak
    assert db.session.scalar(text("SELECT count(*) FROM export_parts")) > 20
    assert db.session.scalar(text("SELECT max(octet_length(data)) FROM export_parts")) == 2**20
    files = download(ada, result)
    assert len(files["bookmarks.json"]) == 60
    assert all(len(item["page"]["text"]) == 2**20 for item in files["bookmarks.json"])


def test_a_download_that_is_not_taken_holds_no_connection(ada: Api) -> None:
    result = export(ada)
    with ada.app.app_context():
        pool = db.engine.pool
    answers = [
        ada.request(method, result["download_url"], buffered=False) for method in ("HEAD", "GET") for _ in range(20)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["Content-Length"] for answer in answers}) == 1
    assert pool.checkedout() == 0
    for answer in answers:
        answer.close()


def test_the_download_holds_one_piece_at_a_time(ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_parts, "PART_BYTES", 100)
    result = export(ada)
    answer = ada.client.open(result["download_url"], headers={"Authorization": f"Bearer {ada.token}"}, buffered=False)
    assert answer.is_streamed
    pieces = list(answer.response)
    assert max(map(len, pieces)) == 100
    assert len(pieces) > 5


def leave(person: Api, team: int) -> None:
    answer = person.delete(f"/organizations/{team}/members/{person.user_id}")
    assert answer.status_code == 204, answer.json


def fill(team: int, person: Api) -> None:
    """A bookmark, a task, a project, a job with a result and feedback of a person's in a team."""
    header = {"X-Organization-ID": str(team)}
    saved = person.request(
        "POST", "/bookmarks", json={"url": "https://example.org/team", "notes": "s3cret"}, headers=header
    )
    project = person.request("POST", "/projects", json={"name": "s3cret project"}, headers=header)
    task = person.request("POST", "/tasks", json={"title": "s3cret task"}, headers=header)
    assert [answer.status_code for answer in (saved, project, task)] == [201, 201, 201]
    values = {"team": team, "person": person.user_id, "bookmark": saved.json["id"]}
    db.session.execute(
        text(
            "INSERT INTO jobs (id, organization_id, user_id, kind, status, result, error)"
            " VALUES (gen_random_uuid(), :team, :person, 'breakdown', 'succeeded', '[\"s3cret\"]', 's3cret')"
        ),
        values,
    )
    db.session.execute(
        text(
            "INSERT INTO feedback (organization_id, user_id, bookmark_id, subject, kind)"
            " VALUES (:team, :person, :bookmark, 's3cret subject', 'dismissed')"
        ),
        values,
    )
    db.session.commit()
    store_search(Actor(person.user_id, team, "editor"), "s3cret search")


def test_nothing_of_a_team_that_was_left_is_in_it(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=bob, editor=ada)
    fill(team, ada)
    there = json.dumps(download(ada, export(ada)))
    assert there.count("s3cret") == 7
    leave(ada, team)
    files = download(ada, export(ada))
    assert "s3cret" not in json.dumps(files)
    assert team not in [job["organization_id"] for job in files["jobs.json"]]
    assert {job["kind"] for job in files["jobs.json"]} == {"personal_export"}


def test_an_export_from_before_is_not_downloaded_after_a_team_was_left(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=bob, editor=ada)
    fill(team, ada)
    before = export(ada)
    assert ada.get(before["download_url"]).status_code == 200
    leave(ada, team)
    assert ada.get(before["download_url"]).status_code == 404
    assert ada.get(export(ada)["download_url"]).status_code == 200


def test_another_team_that_is_joined_later_takes_nothing_from_an_export(ada: Api, bob: Api, context: Flask) -> None:
    before = export(ada)
    make_team("Team", owner=bob, editor=ada)
    assert ada.get(before["download_url"]).status_code == 200


def test_who_leaves_a_team_while_the_export_is_written_gets_another_one(
    ada: Api, bob: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = make_team("Team", owner=bob, editor=ada)
    fill(team, ada)
    finish = archive.PartsWriter.finish

    def leave_then_finish(parts: Any) -> int:
        db.session.rollback()
        leave(ada, team)
        monkeypatch.setattr(archive.PartsWriter, "finish", finish)
        return finish(parts)

    monkeypatch.setattr(archive.PartsWriter, "finish", leave_then_finish)
    job_id = ada.post("/profile/export").json["id"]
    run_export(job_id)
    assert ada.get(f"/jobs/{job_id}").json["status"] == "queued"
    assert db.session.scalar(text("SELECT count(*) FROM exports")) == 0
    run_export(job_id)
    job = ada.get(f"/jobs/{job_id}").json
    assert job["status"] == "succeeded"
    assert "s3cret" not in json.dumps(download(ada, job["result"]))


def test_a_disabled_person_downloads_nothing(ada: Api, context: Flask) -> None:
    result = export(ada)
    set_disabled(ada.user_id, True)
    assert ada.get(result["download_url"]).status_code == 401
