"""GET /recommendations (R-REC): what is offered, to whom, and at what cost."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from backend.http.field_types import MAX_ID
from backend.index.embeddings import embed_next_batch
from backend.recommendations.jobs import embed_subjects
from backend.recommendations.queries import count_waiting
from tests.projects.work import begin
from tests.recommendations.offers import Directions, attach, item_of, offers, save, say, titles
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
ENGINES = ["auto", "content", "semantic", "context", "collaborative", "rediscover"]


def test_a_project_gets_what_shares_its_words_and_tags(ada: Api) -> None:
    save(ada, "Rate limiting in Flask", tags=["flask"])
    save(ada, "Bread without kneading", tags=["baking"])
    project = begin(ada, "Limits for clients", description="limit the rate of requests", technologies=["Flask"])
    answer = offers(ada, project_id=project["id"], engine="content")
    assert titles(answer) == ["Rate limiting in Flask"]
    [item] = answer["items"]
    assert [item["engine"], item["score"], answer["engine"], answer["degraded"]] == ["content", 1.0, "content", False]
    assert item["bookmark"]["tags"] == ["flask"]
    assert "shares the tag flask with the project" in item["reasons"]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_answers_every_subject(ada: Api, engine: str) -> None:
    bookmark = save(ada, "Rate limiting in Flask", tags=["flask"])
    save(ada, "Rates and limits in Redis", tags=["redis"])
    project = begin(ada, "Rate limits")
    task = ada.post("/tasks", {"title": "Limit the rate", "project_id": project["id"]}).json
    subjects: list[dict[str, Any]] = [
        {"project_id": project["id"]},
        {"task_id": task["id"]},
        {"bookmark_id": bookmark},
        {"text": "rate limits"},
        {},
    ]
    for subject in subjects:
        answer = offers(ada, engine=engine, **subject)
        assert answer["engine"] == engine
        ids = [item["recommendation_id"] for item in answer["items"]]
        assert len(ids) == len(set(ids))
        for item in answer["items"]:
            assert item["engine"] in ENGINES[1:] if engine == "auto" else item["engine"] == engine
            assert 0 < item["score"] <= 1
            assert item["reasons"]


def test_what_is_attached_archived_or_in_the_trash_is_not_offered(ada: Api) -> None:
    kept, attached, archived, trashed = (save(ada, f"Rate limits {place}") for place in range(4))
    project = begin(ada, "Rate limits")
    task = ada.post("/tasks", {"title": "Rate limits", "project_id": project["id"]}).json
    attach(ada, project["id"], attached)
    ada.patch(f"/bookmarks/{archived}", {"is_archived": True})
    ada.delete(f"/bookmarks/{trashed}")
    for subject in ({"project_id": project["id"]}, {"task_id": task["id"]}):
        assert [item["bookmark"]["id"] for item in offers(ada, **subject)["items"]] == [kept]


def test_a_bookmark_is_not_recommended_for_itself(ada: Api) -> None:
    one, other = save(ada, "Rate limits"), save(ada, "Limits of rates")
    answer = offers(ada, bookmark_id=one)
    assert [item["bookmark"]["id"] for item in answer["items"]] == [other]


def test_what_is_read_is_left_out_if_asked(ada: Api) -> None:
    save(ada, "Rate limits", is_read=True)
    save(ada, "Rates, limited")
    assert len(offers(ada, text="rate limit", engine="content")["items"]) == 2
    unread = offers(ada, text="rate limit", engine="content", exclude_read="true")
    assert titles(unread) == ["Rates, limited"]


def test_the_limit_holds(ada: Api) -> None:
    for place in range(60):
        save(ada, f"Rate limits {place}")
    assert len(offers(ada, text="rate limits")["items"]) == 10
    assert len(offers(ada, text="rate limits", limit=50)["items"]) == 50
    assert len(offers(ada, text="rate limits", limit=1)["items"]) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "query.limit"),
        ({"limit": 51}, "query.limit"),
        ({"engine": "magic"}, "query.engine"),
        ({"project_id": "x"}, "query.project_id"),
        ({"project_id": 1, "task_id": 1}, "query"),
        ({"text": "x" * 1301}, "query.text"),
        ({"text": "x" * 2001}, "query.text"),
        ({"text": "a\0b"}, "query.text"),
        ({"exclude_read": "yes"}, "query.exclude_read"),
        ({"surprise": 1}, "query.surprise"),
    ],
)
def test_a_bad_question_names_the_field(ada: Api, query: dict[str, Any], field: str) -> None:
    assert field in field_errors(ada.get("/recommendations", **query))


@pytest.mark.parametrize("name", ["project_id", "task_id", "bookmark_id"])
def test_a_subject_of_somebody_else_is_not_there(ada: Api, bob: Api, name: str) -> None:
    ids = {
        "project_id": begin(ada)["id"],
        "task_id": ada.post("/tasks", {"title": "Mine"}).json["id"],
        "bookmark_id": save(ada, "Mine"),
    }
    for number in (ids[name], 10**9, MAX_ID):
        assert bob.get("/recommendations", **{name: number}).status_code == 404


def test_what_others_saved_is_never_offered(ada: Api, bob: Api) -> None:
    save(ada, "Rate limits")
    mine = save(bob, "Limits of rates")
    for engine in ENGINES:
        found = {item["bookmark"]["id"] for item in offers(bob, text="rate limits", engine=engine)["items"]}
        assert found <= {mine}


def test_text_of_blanks_is_for_the_person(ada: Api) -> None:
    save(ada, "Anything")
    assert offers(ada, text="  ", engine="rediscover")["items"]


def test_without_embeddings_words_answer_and_say_so(ada: Api) -> None:
    save(ada, "Rate limits")
    for engine, number in (("auto", 1), ("semantic", 0)):
        answer = offers(ada, text="rate limits", engine=engine)
        assert [answer["degraded"], len(answer["items"])] == [True, number]
        assert answer["reason"] == "Embeddings are switched off on this server."


def test_vectors_that_are_missing_are_told(ada: Api, directions: Directions) -> None:
    save(ada, "One", direction="north")
    assert offers(ada, text="north")["degraded"] is False
    save(ada, "Two")
    answer = offers(ada, text="north")
    assert [answer["degraded"], answer["reason"]] == [True, "Many bookmarks still wait for their vectors."]


def test_meaning_ranks_by_direction(ada: Api, directions: Directions) -> None:
    save(ada, "Far", direction="up")
    save(ada, "Half", direction="north east")
    save(ada, "Near", direction="north")
    answer = offers(ada, text="north", engine="semantic")
    assert titles(answer) == ["Near", "Half"]
    assert [item["score"] for item in answer["items"]] == pytest.approx([1.0, 0.7071], abs=1e-3)


def test_a_stored_vector_is_used_until_the_text_changes(ada: Api, directions: Directions, context: Flask) -> None:
    save(ada, "Up here", direction="up")
    save(ada, "North here", direction="north")
    project = begin(ada, "north")
    embed_subjects()
    question = {"project_id": project["id"], "engine": "semantic"}
    assert titles(offers(ada, **question))[0] == "North here"
    assert ada.patch(f"/projects/{project['id']}", {"name": "up"}).status_code == 200
    assert titles(offers(ada, **question))[0] == "Up here"
    embed_subjects()
    assert titles(offers(ada, **question))[0] == "Up here"


def test_the_vectors_of_tasks_follow_what_their_project_is_made_with(
    ada: Api, directions: Directions, context: Flask
) -> None:
    save(ada, "Up here", direction="up")
    save(ada, "North here", direction="north")
    project, other = (begin(ada, "Project", technologies=[one]) for one in ("north", "up"))
    tasks = [ada.post("/tasks", {"title": "Task", "project_id": project["id"]}).json["id"]]
    tasks += [ada.post("/tasks", {"title": "Step", "parent_id": tasks[0]}).json["id"]]

    def first_for(task_id: int) -> str:
        return titles(offers(ada, task_id=task_id, engine="semantic"))[0]

    embed_subjects()
    assert [first_for(id_) for id_ in tasks] == ["North here"] * 2
    assert ada.post(f"/tasks/{tasks[0]}/move", {"project_id": other["id"]}).status_code == 200
    assert [first_for(id_) for id_ in tasks] == ["Up here"] * 2
    embed_subjects()
    assert ada.patch(f"/projects/{other['id']}", {"technologies": ["north"]}).status_code == 200
    assert [first_for(id_) for id_ in tasks] == ["North here"] * 2
    embed_subjects()
    assert [first_for(id_) for id_ in tasks] == ["North here"] * 2


def test_a_task_that_is_only_put_elsewhere_in_its_list_needs_no_other_vector(
    ada: Api, directions: Directions, context: Flask
) -> None:
    project = begin(ada, "Project", technologies=["north"])
    one, two = (ada.post("/tasks", {"title": title, "project_id": project["id"]}).json["id"] for title in "ab")
    embed_subjects()
    ada.post(f"/tasks/{two}/move", {"before_id": one})
    ada.post(f"/tasks/{two}/move", {"parent_id": one})
    ada.patch(f"/projects/{project['id']}", {"technologies": ["north"], "status": "paused"})
    assert count_waiting() == 1  # The project itself.


def test_a_vector_that_has_come_is_seen_in_what_was_offered_before(
    ada: Api, directions: Directions, context: Flask
) -> None:
    save(ada, "to the north")
    question = {"text": "north", "engine": "semantic"}
    assert titles(offers(ada, **question)) == []
    assert embed_next_batch(directions) == 1
    assert titles(offers(ada, **question)) == ["to the north"]


def test_near_duplicates_do_not_fill_the_list(ada: Api, directions: Directions) -> None:
    for place in range(6):
        save(ada, f"North {place}", direction="north north north north north north up")
    save(ada, "Also north", direction="north north north up up")
    question = {"text": "north north north north north north up", "limit": 5}
    assert "Also north" not in titles(offers(ada, engine="semantic", **question))
    assert "Also north" in titles(offers(ada, **question))


@pytest.mark.parametrize("rows", [3, 60])
def test_a_cold_answer_takes_six_statements(ada: Api, directions: Directions, sql: SqlCounter, rows: int) -> None:
    """The subject, what is known, how rare the words are, what may be offered, what is shown, what was offered."""
    ids = [save(ada, f"Rate limits {place}", direction="north", tags=["a", f"b{place}"]) for place in range(rows)]
    project = begin(ada, "Rate limits north")
    for place in range(3):
        ada.post("/tasks", {"title": f"Limit {place}", "project_id": project["id"]})
    attach(ada, project["id"], *ids[:2])
    other = begin(ada, "Other limits")
    attach(ada, other["id"], *ids)
    for engine in ENGINES:
        with sql.at_most(6):
            assert offers(ada, project_id=project["id"], engine=engine)["items"] is not None


def test_a_second_answer_takes_none_until_something_changes(ada: Api, sql: SqlCounter) -> None:
    save(ada, "Rate limits")
    first = offers(ada, text="rate limits")
    with sql.at_most(0):
        assert offers(ada, text="rate limits") == first
    save(ada, "Limits of rates")
    assert len(offers(ada, text="rate limits")["items"]) == 2


def test_feedback_is_seen_at_once_by_its_person(ada: Api) -> None:
    save(ada, "Rate limits")
    item = item_of(offers(ada, text="rate limits"), "Rate limits")
    say(ada, item, "dismissed")
    assert offers(ada, text="rate limits")["items"] == []


def test_without_redis_it_answers_too(ada: Api, no_redis: object) -> None:
    save(ada, "Rate limits")
    assert titles(offers(ada, text="rate limits")) == ["Rate limits"]
