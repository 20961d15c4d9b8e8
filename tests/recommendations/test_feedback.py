"""/feedback: what is said, corrected and withdrawn, and what comes of it (R-REC)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from backend.recommendations.jobs import purge_recommendations
from tests.projects.work import begin
from tests.recommendations.offers import Directions, attach, item_of, offers, save, say, titles
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
KINDS = ["relevant", "not_relevant", "opened", "saved", "dismissed"]


@pytest.mark.parametrize("kind", KINDS)
def test_feedback_is_kept_as_it_was_given(ada: Api, kind: str) -> None:
    save(ada, "Rate limits")
    project = begin(ada, "Rate limits")
    [item] = offers(ada, project_id=project["id"])["items"]
    said = say(ada, item, kind, project_id=project["id"])
    assert said["kind"] == kind
    assert said["subject"] == f"project:{project['id']}"
    assert [said["project_id"], said["task_id"]] == [project["id"], None]
    assert [said["recommendation_id"], said["bookmark_id"]] == [item["recommendation_id"], item["bookmark"]["id"]]
    page = ada.get("/feedback").json
    assert [page["total"], page["items"]] == [1, [said]]


@pytest.mark.parametrize("kind", ["not_relevant", "dismissed"])
def test_what_was_refused_does_not_return_for_that_subject(ada: Api, kind: str) -> None:
    save(ada, "Rate limits")
    project, other = begin(ada, "Rate limits"), begin(ada, "Limits of rates")
    [item] = offers(ada, project_id=project["id"])["items"]
    say(ada, item, kind)
    for engine in ("auto", "content", "rediscover"):
        assert offers(ada, project_id=project["id"], engine=engine)["items"] == []
    assert titles(offers(ada, project_id=other["id"])) == ["Rate limits"]


def test_a_subject_can_be_named_without_a_recommendation(ada: Api) -> None:
    bookmark = save(ada, "Rate limits")
    task = ada.post("/tasks", {"title": "Rate limits"}).json
    response = ada.post("/feedback", {"bookmark_id": bookmark, "task_id": task["id"], "kind": "not_relevant"})
    assert [response.status_code, response.json["subject"]] == [201, f"task:{task['id']}"]
    assert offers(ada, task_id=task["id"])["items"] == []


def test_feedback_for_a_text_is_found_by_the_recommendation(ada: Api) -> None:
    save(ada, "Rate limits")
    [item] = offers(ada, text="rate limits")["items"]
    say(ada, item, "dismissed")
    assert offers(ada, text=" rate limits ")["items"] == []
    assert offers(ada, text="limit rates")["items"]


def test_what_is_called_relevant_lifts_what_is_like_it(ada: Api, directions: Directions) -> None:
    save(ada, "Right", direction="north north up")
    save(ada, "Like it", direction="north up up")
    save(ada, "Otherwise", direction="north in")
    project = begin(ada, "north")
    before = offers(ada, project_id=project["id"])
    assert titles(before).index("Otherwise") < titles(before).index("Like it")
    say(ada, item_of(before, "Right"), "relevant")
    after = offers(ada, project_id=project["id"])
    assert titles(after).index("Like it") < titles(after).index("Otherwise")
    # What is approved of already makes way for what is new, and is not lost.
    assert titles(after)[-1] == "Right"


def test_what_is_refused_lowers_what_is_like_it(ada: Api, directions: Directions) -> None:
    save(ada, "Wrong", direction="north north in")
    save(ada, "Otherwise", direction="north up")
    save(ada, "Like it", direction="north in")
    project = begin(ada, "north")
    question = {"project_id": project["id"], "engine": "semantic"}
    before = offers(ada, **question)
    assert titles(before).index("Like it") < titles(before).index("Otherwise")
    say(ada, item_of(before, "Wrong"), "not_relevant")
    after = titles(offers(ada, **question))
    assert after == ["Otherwise", "Like it"]


def test_saying_it_again_counts_once(ada: Api) -> None:
    save(ada, "Rate limits")
    [item] = offers(ada, text="rate limits")["items"]
    first = say(ada, item, "relevant")
    again = ada.post("/feedback", {
        "bookmark_id": item["bookmark"]["id"], "recommendation_id": item["recommendation_id"], "kind": "not_relevant",
    })  # fmt: skip
    assert [again.status_code, again.json["id"], again.json["kind"]] == [200, first["id"], "not_relevant"]
    assert ada.get("/feedback").json["total"] == 1


def test_having_opened_it_stands_beside_a_verdict(ada: Api) -> None:
    save(ada, "Rate limits")
    [item] = offers(ada, text="rate limits")["items"]
    for kind in ("opened", "saved", "relevant"):
        say(ada, item, kind)
    assert {one["kind"] for one in ada.get("/feedback").json["items"]} == {"opened", "saved", "relevant"}


def test_correcting_takes_the_place_of_what_was_said(ada: Api) -> None:
    save(ada, "Rate limits")
    project = begin(ada, "Rate limits")
    [item] = offers(ada, project_id=project["id"])["items"]
    said = say(ada, item, "not_relevant")
    corrected = ada.put(f"/feedback/{said['id']}", {"kind": "relevant"})
    assert [corrected.status_code, corrected.json["kind"], corrected.json["id"]] == [200, "relevant", said["id"]]
    assert titles(offers(ada, project_id=project["id"])) == ["Rate limits"]
    assert ada.get("/feedback").json["total"] == 1
    whole = {name: said[name] for name in ("bookmark_id", "recommendation_id", "project_id")}
    assert ada.put(f"/feedback/{said['id']}", {**whole, "kind": "dismissed"}).status_code == 200
    assert offers(ada, project_id=project["id"])["items"] == []


def test_correcting_cannot_change_what_it_is_about(ada: Api) -> None:
    bookmark, other = save(ada, "Rate limits"), save(ada, "Other")
    said = ada.post("/feedback", {"bookmark_id": bookmark, "kind": "relevant"}).json
    assert "body.bookmark_id" in field_errors(
        ada.put(f"/feedback/{said['id']}", {"bookmark_id": other, "kind": "saved"})
    )


def test_correcting_into_what_was_said_already_is_a_conflict(ada: Api) -> None:
    bookmark = save(ada, "Rate limits")
    opened = ada.post("/feedback", {"bookmark_id": bookmark, "kind": "opened"}).json
    saved = ada.post("/feedback", {"bookmark_id": bookmark, "kind": "saved"}).json
    response = ada.put(f"/feedback/{opened['id']}", {"kind": "saved"})
    assert [response.status_code, response.json["existing_id"]] == [409, saved["id"]]


def test_withdrawing_brings_it_back(ada: Api) -> None:
    save(ada, "Rate limits")
    project = begin(ada, "Rate limits")
    [item] = offers(ada, project_id=project["id"])["items"]
    said = say(ada, item, "dismissed")
    assert ada.delete(f"/feedback/{said['id']}").status_code == 204
    assert ada.delete(f"/feedback/{said['id']}").status_code == 404
    assert titles(offers(ada, project_id=project["id"])) == ["Rate limits"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.kind"),
        ({"kind": "loved"}, "body.kind"),
        ({"bookmark_id": 10**9}, "body.bookmark_id"),
        ({"project_id": 10**9}, "body.project_id"),
        ({"task_id": 10**9}, "body.task_id"),
        ({"recommendation_id": 10**12}, "body.recommendation_id"),
        ({"project_id": 1, "task_id": 1}, "body.task_id"),
        ({"surprise": 1}, "body.surprise"),
    ],
)
def test_bad_feedback_names_the_field(ada: Api, body: dict[str, Any], field: str) -> None:
    usual = {"bookmark_id": save(ada, "Rate limits"), "kind": "relevant"}
    assert field in field_errors(ada.post("/feedback", {**usual, **body} if body else {"bookmark_id": 1}))
    assert ada.get("/feedback").json["total"] == 0


def test_a_recommendation_belongs_to_its_bookmark_and_subject(ada: Api) -> None:
    save(ada, "Rate limits")
    other = save(ada, "Other")
    project, second = begin(ada, "Rate limits"), begin(ada, "Second")
    item = item_of(offers(ada, project_id=project["id"]), "Rate limits")
    body = {"bookmark_id": item["bookmark"]["id"], "recommendation_id": item["recommendation_id"], "kind": "relevant"}
    assert "body.bookmark_id" in field_errors(ada.post("/feedback", {**body, "bookmark_id": other}))
    assert "body.project_id" in field_errors(ada.post("/feedback", {**body, "project_id": second["id"]}))


def test_what_belongs_to_others_is_unknown(ada: Api, bob: Api) -> None:
    bookmark = save(ada, "Rate limits")
    [item] = offers(ada, text="rate limits")["items"]
    said = say(ada, item, "relevant")
    mine = save(bob, "Mine")
    assert "body.bookmark_id" in field_errors(bob.post("/feedback", {"bookmark_id": bookmark, "kind": "relevant"}))
    body = {"bookmark_id": mine, "recommendation_id": item["recommendation_id"], "kind": "relevant"}
    assert "body.recommendation_id" in field_errors(bob.post("/feedback", body))
    assert bob.put(f"/feedback/{said['id']}", {"kind": "dismissed"}).status_code == 404
    assert bob.get("/feedback").json["items"] == []


def test_the_list_is_filtered_and_paged(ada: Api) -> None:
    ids = [save(ada, f"Rate limits {place}") for place in range(5)]
    project = begin(ada, "Rate limits")
    for place, id_ in enumerate(ids):
        body = {"bookmark_id": id_, "kind": KINDS[place], **({"project_id": project["id"]} if place < 2 else {})}
        assert ada.post("/feedback", body).status_code == 201
    assert [one["bookmark_id"] for one in ada.get("/feedback").json["items"]] == ids[::-1]
    assert ada.get("/feedback", project_id=project["id"]).json["total"] == 2
    assert ada.get("/feedback", bookmark_id=ids[3]).json["items"][0]["kind"] == KINDS[3]
    assert ada.get("/feedback", kind="opened").json["total"] == 1
    first = ada.get("/feedback", page_size=3).json
    rest = ada.get("/feedback", page_size=3, cursor=first["next_cursor"]).json
    assert [one["bookmark_id"] for one in [*first["items"], *rest["items"]]] == ids[::-1]


def test_many_at_once_are_one(ada: Api) -> None:
    bookmark = save(ada, "Rate limits")

    def give(place: int) -> int:
        body = {"bookmark_id": bookmark, "kind": KINDS[place % 2]}
        return Api(ada.app, session=ada.session).post("/feedback", body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(give, range(24)))
    assert statuses == [200] * 23 + [201]
    assert ada.get("/feedback").json["total"] == 1


def test_engines_that_were_right_gain_and_those_that_were_wrong_lose(ada: Api, context: Flask) -> None:
    """Two engines speak for different bookmarks; what one offers is refused, again and again."""
    words, shared = save(ada, "Rate limits"), save(ada, "Basket")
    for name in ("First", "Second"):
        attach(ada, begin(ada, name)["id"], shared, save(ada, f"Together {name}"), save(ada, f"Both {name}"))
    for one in offers(ada, text="rate limits", engine="content")["items"]:
        assert one["bookmark"]["id"] == words
    before = item_of(offers(ada, text="rate limits"), "Rate limits")["score"]
    for place in range(8):
        save(ada, f"Unwanted {place}")
        for one in offers(ada, text=f"unwanted {place}", engine="content")["items"]:
            say(ada, one, "not_relevant")
    for one in offers(ada, engine="rediscover")["items"]:
        say(ada, one, "relevant")
    after = item_of(offers(ada, text="rate limits"), "Rate limits")["score"]
    assert after < before


def test_tags_that_were_approved_of_lift(ada: Api) -> None:
    for place in range(4):
        save(ada, f"Bread {place}", tags=["baking"])
    save(ada, "Rate limits: oven", tags=["baking"])
    save(ada, "Rate limits: server", tags=["web"])
    before = offers(ada, text="rate limits")
    for one in offers(ada, text="bread", engine="content")["items"]:
        say(ada, one, "relevant")
    for place in range(4):
        save(ada, f"Server {place}", tags=["web"])
    for one in offers(ada, text="server 0 1 2 3", engine="content")["items"]:
        if one["bookmark"]["tags"] == ["web"]:
            say(ada, one, "not_relevant")
    after = offers(ada, text="rate limits")

    def lead(answer: dict[str, Any]) -> float:
        return float(item_of(answer, "Rate limits: oven")["score"] - item_of(answer, "Rate limits: server")["score"])

    assert lead(after) > lead(before)


def test_old_recommendations_are_forgotten_and_what_was_said_stays(ada: Api, context: Flask) -> None:
    save(ada, "Rate limits")
    [item] = offers(ada, text="rate limits")["items"]
    say(ada, item, "dismissed")
    db.session.execute(text("UPDATE recommendation_sets SET created_at = now() - interval '91 days'"))
    db.session.commit()
    purge_recommendations()
    assert db.session.scalar(text("SELECT count(*) FROM recommendation_sets")) == 0
    assert ada.get("/feedback").json["total"] == 1
    assert offers(ada, text="rate limits")["items"] == []
