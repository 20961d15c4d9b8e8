"""A JSON export imported again is the same account, whatever is in it, however often, from wherever it goes on."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from backend.extensions import db
from backend.text.tag_names import fold_name
from backend.transfer import account
from backend.transfer.account import RestorePosition, restore_account
from backend.transfer.records import UnreadableFile
from tests.support.api import Api
from tests.support.factories import make_person
from tests.support.sql import SqlCounter
from tests.transfer.accounts import actor_of, comparable, export_json, import_json, restore

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PROPERTY = settings(
    max_examples=20, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
NAME = TEXT.filter(lambda name: bool(name.strip()))
TAGS = st.lists(TEXT.filter(lambda name: bool(fold_name(name))), max_size=4)
MOMENT = st.datetimes(datetime(1970, 1, 1), datetime(2025, 1, 1)).map(lambda moment: f"{moment.isoformat()}Z")
BOOKMARK = st.fixed_dictionaries(
    {"title": TEXT, "description": TEXT, "notes": TEXT, "tags": TAGS, "created_at": MOMENT}
    | {name: st.booleans() for name in ("is_read", "is_favorite", "is_archived")}
)
PROJECT = st.fixed_dictionaries(
    {"name": NAME | st.just("Work"), "description": TEXT, "status": st.sampled_from(["active", "done"])}
)
# A task, and whether it is a step of the one before it.
TASK = st.tuples(
    st.fixed_dictionaries(
        {
            "title": NAME | st.just("Begin"),
            "description": TEXT,
            "status": st.sampled_from(["todo", "done", "blocked"]),
            "priority": st.sampled_from(["low", "urgent"]),
            "due_at": st.none() | MOMENT,
        }
    ),
    st.booleans(),
)


@PROPERTY
@given(st.lists(BOOKMARK, max_size=4), st.lists(PROJECT, max_size=3), st.lists(TASK, max_size=6), TEXT)
def test_any_account_exported_and_imported_is_the_same(
    app: Flask, bookmarks: list[Any], projects: list[Any], tasks: list[Any], note: str
) -> None:
    before, after = make_person(app), make_person(app)
    fill(before, bookmarks, projects, tasks, note)
    document = export_json(before)
    assert import_json(after, document) == []
    assert comparable(orjson.loads(export_json(after))) == comparable(orjson.loads(document))


def fill(person: Api, bookmarks: list[Any], projects: list[Any], tasks: list[Any], note: str) -> None:
    """Put things into an account: each bookmark and task belongs to the project of its number, if there is one."""
    items = [{"url": f"https://example.org/{at}", "capture": False, **one} for at, one in enumerate(bookmarks)]
    saved = [one["id"] for one in person.post("/bookmarks/bulk", {"items": items}).json["results"]]
    made = [person.post("/projects", one).json["id"] for one in projects]
    for bookmark, project in zip(saved, made, strict=False):
        assert person.put(f"/projects/{project}/bookmarks/{bookmark}", {"note": note}).status_code in (200, 201)
        assert person.post("/feedback", {"bookmark_id": bookmark, "project_id": project, "kind": "opened"}).json
    parent, depth = None, 0
    for at, (task, is_step) in enumerate(tasks):
        is_below = is_step and parent is not None and depth < 5
        place = {"parent_id": parent} if is_below else {"project_id": made[at]} if at < len(made) else {}
        parent, depth = person.post("/tasks", {**task, **place}).json["id"], depth + 1 if is_below else 1


@pytest.fixture
def filled(ada: Api) -> Api:
    """An account with some of everything."""
    bookmarks = [
        {"title": f"Page {number}", "tags": ["a", "B, c"], "notes": "\n", "is_read": True, "created_at": "2020-01-01"}
        for number in range(3)
    ]
    task = {"title": "Begin", "status": "done"}
    tasks = [(task, False), (task, False), (task, True), (task, True), (task, False)]
    fill(ada, bookmarks, [{"name": "Work"}, {"name": "Work"}], tasks, "for this")
    ada.save("https://example.org/tagged", tags=["unused"])
    ada.patch(f"/bookmarks/{ada.get('/bookmarks/lookup', url='https://example.org/tagged').json['id']}", {"tags": []})
    return ada


def test_tags_without_bookmarks_come_along(filled: Api, bob: Api) -> None:
    import_json(bob, export_json(filled))
    assert [tag["name"] for tag in bob.get("/tags", unused="true").json["items"]] == ["unused"]


def test_importing_twice_doubles_nothing(filled: Api, bob: Api) -> None:
    document = export_json(filled)
    for _ in range(2):
        import_json(bob, document)
    assert comparable(orjson.loads(export_json(bob))) == comparable(orjson.loads(document))
    import_json(filled, document)
    assert comparable(orjson.loads(export_json(filled))) == comparable(orjson.loads(document))


def test_what_is_there_stays_as_it_is(filled: Api, bob: Api) -> None:
    project = bob.post("/projects", {"name": "Work", "description": "mine"}).json["id"]
    task = bob.post("/tasks", {"title": "Begin", "project_id": project, "status": "todo"}).json["id"]
    assert import_json(bob, export_json(filled)) == []
    assert bob.get(f"/projects/{project}").json["description"] == "mine"
    assert bob.get(f"/tasks/{task}").json["status"] == "todo"
    assert bob.get("/projects").json["total"] == 2


def test_a_new_task_whose_place_is_taken_comes_last(filled: Api, bob: Api) -> None:
    bob.post("/tasks", {"title": "Mine"})
    import_json(bob, export_json(filled))
    titles = bob.titles("/tasks", project_id="none", sort="position")
    assert titles[0] == "Mine"
    assert len(titles) == len(filled.titles("/tasks", project_id="none")) + 1


@pytest.mark.parametrize("steps", range(1, 11))
def test_a_restore_goes_on_from_any_step(filled: Api, bob: Api, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a worker was killed: the step after the last commit was rolled back."""
    monkeypatch.setattr(account, "BATCH", 2)
    document = export_json(filled)
    file = io.BytesIO(document)
    whole = orjson.loads(document)
    import_json(bob, orjson.dumps({**whole, "tags": [], "projects": [], "tasks": [], "feedback": []}))
    with bob.app.app_context():
        begun = restore_account(actor_of(bob), file)
        for _ in range(steps):
            position = next(begun)
            db.session.commit()
        next(begun, None)
        db.session.rollback()
        assert restore(actor_of(bob), io.BytesIO(document), position)[-1].is_complete
    assert comparable(orjson.loads(export_json(bob))) == comparable(whole)


def test_what_a_token_may_not_change_is_left_out_and_told(filled: Api, bob: Api) -> None:
    document = export_json(filled)
    with bob.app.app_context():
        steps = restore(actor_of(bob, "bookmarks:write"), io.BytesIO(document))
    told = {line.reason.partition(":")[0] for step in steps for line in step.skipped}
    assert {"projects", "tasks", "feedback"} <= told
    assert bob.get("/projects").json["total"] == bob.get("/tasks").json["total"] == 0


def test_items_that_are_none_are_told_with_their_place(bob: Api) -> None:
    moment = "2020-01-01T00:00:00Z"
    times = {"created_at": moment, "updated_at": moment}
    document = {
        "format": "fuze",
        "version": 1,
        "tags": [{"name": "good"}, {"name": " "}, 7],
        "projects": [{"id": 1, "name": "x" * 201, **times}, {"id": 2, "name": "Work", **times}],
        "tasks": [
            {"id": 1, "title": "lost", "project_id": 1, "position": 1, **times},
            {"id": 2, "title": "orphan", "parent_id": 9, "position": 1, **times},
            {"id": 3, "title": "good", "project_id": 2, "position": 1, **times},
        ],
        "bookmarks": [
            {"url": "javascript:0", "projects": [{"project_id": 7}]},
            {"url": "https://example.org/", "projects": [{"project_id": 7, "attached_at": moment}]},
            {"url": "https://example.org/", "projects": "none"},
        ],
    }
    skipped = import_json(bob, orjson.dumps(document))
    assert [(line.line, line.reason.partition(":")[0]) for line in skipped] == [
        (2, "tags"),
        (3, "tags"),
        (1, "projects"),
        (1, "tasks"),
        (2, "tasks"),
        (3, "bookmarks"),
        (2, "bookmarks"),
    ]
    assert bob.titles("/tasks") == ["good"]


def test_tasks_that_are_too_deep_or_in_a_circle_are_left_out(bob: Api) -> None:
    moment = "2020-01-01T00:00:00Z"
    chain = [
        {"id": number, "title": str(number), "parent_id": number - 1 or None, "position": 1}
        | {"created_at": moment, "updated_at": moment}
        for number in range(1, 9)
    ]
    circle = [{**chain[0], "id": 20, "parent_id": 21}, {**chain[0], "id": 21, "parent_id": 20}]
    skipped = import_json(bob, orjson.dumps({"format": "fuze", "version": 1, "tasks": [*circle, *chain]}))
    assert len(skipped) == 5
    assert bob.get("/tasks").json["total"] == 5


def test_a_page_comes_back_sanitised_and_is_found(filled: Api, bob: Api) -> None:
    whole = orjson.loads(export_json(filled))
    page = {"title": "T", "byline": None, "text": "zebra crossing", "captured_at": "2020-01-01T00:00:00Z"}
    whole["bookmarks"][0] |= {"page": {**page, "html": "<p>zebra</p><script>alert(1)</script>"}, "word_count": 2}
    assert import_json(bob, orjson.dumps(whole)) == []
    found = bob.get("/bookmarks/lookup", url=whole["bookmarks"][0]["url"]).json
    assert (found["capture"]["status"], found["word_count"]) == ("captured", 2)
    content = bob.get(f"/bookmarks/{found['id']}/content").json
    assert (content["html"], content["captured_at"]) == ("<p>zebra</p>", "2020-01-01T00:00:00Z")
    assert bob.titles(q="zebra") == [found["title"]]


@pytest.mark.parametrize(
    "document",
    [b'{"format":"fuze","version":2,"tags":[]}', b'{"format":"fuze"}', b'{"format":"fuze","version":1,"tags":['],
    ids=["later", "no version", "cut off"],
)
def test_a_file_that_cannot_be_read_says_so(bob: Api, document: bytes) -> None:
    with bob.app.app_context(), pytest.raises(UnreadableFile):
        restore(actor_of(bob), io.BytesIO(document))


def test_the_statements_of_a_step_do_not_grow_with_its_items(filled: Api, bob: Api, sql: SqlCounter) -> None:
    document = export_json(filled)
    import_json(bob, document)
    with bob.app.app_context(), sql.at_most(20):
        restore(actor_of(bob), io.BytesIO(document))


def test_nobody_restores_into_another_organization(filled: Api, bob: Api, person: Any) -> None:
    eve = person("eve")
    import_json(bob, export_json(filled))
    assert eve.get("/projects").json["total"] == 0
    assert comparable(orjson.loads(export_json(filled)))["projects"]
    with bob.app.app_context():
        owners = db.session.scalars(text("SELECT DISTINCT organization_id FROM tasks ORDER BY 1")).all()
        assert set(owners) == {filled.organization_id, bob.organization_id}


def test_a_position_is_plain_numbers_for_a_job_to_keep() -> None:
    assert not RestorePosition(2, 400).is_complete
    assert RestorePosition(**{"stage": 5, "items": 0}).is_complete
