"""The collection to try Fuze with: made up, never fetched, and all there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, select

from backend.auth.models import User
from backend.bookmarks.models import Bookmark
from backend.cli.demo import command
from backend.cli.demo.collection import read_collection
from backend.extensions import current_settings, db
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


@pytest.fixture
def demo(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `demo` on the application of the test."""
    monkeypatch.setattr(command, "connected_application", app.app_context)
    return lambda *options: CliRunner().invoke(command.demo, options)


@pytest.fixture
def owner(demo: Callable[..., Result], anonymous: Api) -> Api:
    """Whoever has the collection, logged in with the password that was printed."""
    made = demo()
    assert made.exit_code == 0, made.output
    found = re.search(r"^Made the account demo with the password (\S+)$", made.stdout, re.MULTILINE)
    assert found, made.stdout
    return log_in(anonymous, "demo", found.group(1))


def log_in(anonymous: Api, username: str, password: str) -> Api:
    answer = anonymous.post("/auth/login", {"login": username, "password": password})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return Api(anonymous.app, session=answer.json)


def people(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_every_address_is_reserved_and_there_once() -> None:
    bookmarks = read_collection()["bookmarks"]
    hosts = {urlsplit(one["url"]).hostname for one in bookmarks}
    assert all(host is not None and host.endswith(".example") for host in hosts)
    assert len({one["url"] for one in bookmarks}) == len(bookmarks) >= 75
    assert len({one["title"] for one in bookmarks}) == len(bookmarks)
    assert all(one["description"] and one["tags"] for one in bookmarks)
    assert sum("page" in one for one in bookmarks) >= 12


def test_all_of_it_is_there_and_nothing_is_fetched(owner: Api) -> None:
    described = read_collection()["bookmarks"]
    listed = owner.get("/bookmarks", page_size=100).json["items"]
    assert {one["url"] for one in listed} == {one["url"] for one in described}
    pages = {one["url"] for one in described if "page" in one}
    assert Counter(one["capture"]["status"] for one in listed) == {
        "captured": len(pages),
        "skipped": len(described) - len(pages),
    }
    newest = min(described, key=lambda one: one["age"])
    assert listed[0]["url"] == newest["url"]
    assert {one["url"] for one in listed if one["is_read"]} == {one["url"] for one in described if one.get("read")}
    with owner.app.app_context():
        due = select(func.count()).select_from(Bookmark)
        assert db.session.scalar(due.where(Bookmark.capture_due_at.is_not(None))) == 0
        assert db.session.scalar(due.where(Bookmark.embedding_due_at.is_(None))) == 0


def test_pages_are_found_by_their_words_and_can_be_read(owner: Api) -> None:
    found = owner.get("/search", q="varnish probe", mode="text").json["items"]
    assert found[0]["bookmark"]["title"].startswith("Capacitive soil moisture sensors")
    content = owner.get(f"/bookmarks/{found[0]['bookmark']['id']}/content").json
    assert content["text"].startswith("A capacitive probe measures")
    assert content["html"].count("<p>") == 2
    assert content["word_count"] == found[0]["bookmark"]["word_count"] > 80


def test_projects_have_their_bookmarks_and_tasks(owner: Api) -> None:
    described = {one["name"]: one for one in read_collection()["projects"]}
    listed = {one["name"]: one for one in owner.get("/projects").json["items"]}
    assert set(listed) == set(described)
    for name, project in listed.items():
        assert project["bookmark_count"] == len(described[name]["bookmarks"])
        subtasks = [title for task in described[name]["tasks"] for title in task.get("subtasks", [])]
        assert project["tasks"]["total"] == len(described[name]["tasks"]) + len(subtasks)
    tasks = owner.get("/tasks", page_size=100).json["items"]
    titles = {one["id"]: one["title"] for one in tasks}
    under = {one["title"]: titles[one["parent_id"]] for one in tasks if one["parent_id"]}
    assert under["Count in Redis, atomically"] == "Limit requests for each key"
    assert [one["title"] for one in tasks if one["status"] == "done"] == ["Give out API keys"]
    assert sum(one["due_at"] is not None for one in tasks) == 8


def test_the_account_may_have_another_name_and_a_password_of_ones_own(
    demo: Callable[..., Result], anonymous: Api
) -> None:
    made = demo("--username", "grace", "--password", "a long passphrase")
    assert made.exit_code == 0, made.output
    assert "a long passphrase" not in made.stdout
    grace = log_in(anonymous, "grace", "a long passphrase")
    assert grace.get("/bookmarks").json["total"] == len(read_collection()["bookmarks"])


def test_an_account_that_is_there_is_left_as_it_is(ada: Api, demo: Callable[..., Result]) -> None:
    ada.save("https://mine.example/")
    again = demo("--username", "ADA")
    assert (again.exit_code, people(ada.app)) == (0, 1)
    assert "There is an account ADA already; nothing was changed." in again.stdout
    assert ada.get("/bookmarks").json["total"] == 1


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--password", "short"], "password: Value should have at least 10"),
        (["--password", "password123"], "common"),
        (["--username", "two words"], "username: A username has no spaces"),
        (["--username", "x"], "username: Value should have at least 2"),
    ],
)
def test_names_and_passwords_are_judged_as_in_registering(
    options: list[str], fault: str, app: Flask, demo: Callable[..., Result]
) -> None:
    refused = demo(*options)
    assert (refused.exit_code, people(app)) == (1, 0)
    assert fault in refused.stderr


def test_a_production_server_is_left_alone_unless_that_is_meant(
    app: Flask, demo: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        monkeypatch.setattr(current_settings(), "ENVIRONMENT", "production")
    refused = demo()
    assert (refused.exit_code, people(app)) == (1, 0)
    assert "--force" in refused.stderr
    assert demo("--force").exit_code == 0
    assert people(app) == 1
