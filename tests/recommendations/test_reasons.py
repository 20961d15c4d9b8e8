"""Every engine's reasons, recomputed from what the API tells (R-REC)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from flask import Flask

from backend.recommendations.jobs import embed_subjects
from tests.organizations.conftest import outbox as outbox
from tests.organizations.teams import Outbox, join, make_team
from tests.projects.work import begin
from tests.recommendations.offers import Directions, age, attach, item_of, offers, save, say, vector
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def reasons(answer: dict[str, Any], title: str) -> list[str]:
    found: list[str] = item_of(answer, title)["reasons"]
    return found


def test_shared_tags_are_the_bookmarks_and_the_projects(ada: Api) -> None:
    taste = save(ada, "Queues", tags=["Celery", "workers"])
    save(ada, "Tasks in the background", tags=["celery", "flask", "other"])
    project = begin(ada, "Background work", technologies=["Flask"])
    attach(ada, project["id"], taste)
    item = item_of(offers(ada, project_id=project["id"], engine="content"), "Tasks in the background")
    attached = ada.get(f"/projects/{project['id']}/bookmarks").json["items"]
    known = {name.casefold() for one in attached for name in one["tags"]}
    known |= {name.casefold() for name in project["technologies"]}
    shared = [name for name in item["bookmark"]["tags"] if name.casefold() in known]
    assert [name.casefold() for name in shared] == ["celery", "flask"]
    assert f"shares the tags {', '.join(shared)} with the project" in item["reasons"]


def test_shared_words_stand_in_both(ada: Api) -> None:
    save(ada, "Limiting rates", description="Sliding windows for busy servers")
    project = begin(ada, "Rate limits", description="windows that slide")
    item = item_of(offers(ada, project_id=project["id"], engine="content"), "Limiting rates")
    [reason] = item["reasons"]
    assert reason.endswith("in common with the project")
    words = re.findall(r"‘(.+?)’", reason)
    assert set(words) == {"limiting", "rates", "sliding", "windows"}
    for word in words:
        assert word in f"{item['bookmark']['title']} {item['bookmark']['description']}".lower()


@pytest.mark.parametrize(
    ("title", "subject", "words"),
    [
        ("Rust's borrow checker", "The borrow checker of Rust", ["borrow", "checker", "rust"]),
        ("samber/awesome-prometheus-alerts", "awesome-prometheus-alerts", ["alerts", "prometheus"]),
        ("rust-lang/log for crates", "rust-lang/log and crates", ["crates", "lang", "log", "rust"]),
        ("my_little_parser, a library", "my_little_parser", []),
        ("com.example.parser", "com.example.parser", ["parser"]),
        ("The first of many new ways to use parsers", "First new way of many to use a parser", ["parsers"]),
        ("Self-hosted photos in 2024", "self-hosted photos 2024", ["photos", "self-hosted"]),
        ("node.js, C++ and version 1.2.3", "node.js with C++ 1.2.3", ["c++", "node.js"]),
        ("«L’histoire» des parseurs", "l'histoire, parseurs", ["histoire", "parseurs"]),
        ("東京タワー案内", "東京タワー", ["東京タワー"]),
        ("see https://parser.example/parsers", "parser", []),
    ],
)
def test_words_are_named_as_a_person_would_say_them(ada: Api, title: str, subject: str, words: list[str]) -> None:
    ada.save("https://parser.example/1", title=title, tags=["parser"])
    found = offers(ada, text=subject, engine="content")["items"][0]["reasons"]
    named = [word for reason in found for word in re.findall(r"‘(.+?)’(?=,| in common)", reason)]
    assert sorted(named) == words


def test_where_no_word_says_anything_none_is_named(ada: Api) -> None:
    ada.save("https://example.org/1", title="The first of many")
    items = offers(ada, text="many first things", engine="content")["items"]
    assert [reason for item in items for reason in item["reasons"] if "word" in reason] == []
    assert items[0]["reasons"]


def test_a_cosine_is_that_of_the_vectors(ada: Api, directions: Directions) -> None:
    taste = save(ada, "Attached", direction="north up")
    save(ada, "Offered", direction="north north up")
    project = begin(ada, "north east")
    attach(ada, project["id"], taste)
    found = reasons(offers(ada, project_id=project["id"], engine="semantic"), "Offered")
    to_project = float(np.dot(vector("north east"), vector("north north up")))
    to_attached = float(np.dot(vector("north up"), vector("north north up")))
    assert found == [
        f"close in meaning to the project ({to_project:.2f})",
        f"close in meaning to ‘Attached’, which is attached ({to_attached:.2f})",
    ]


def test_of_several_the_nearest_is_named(ada: Api, directions: Directions) -> None:
    vectors = {"A": "north", "B": "north north up", "C": "east"}
    ids = [save(ada, title, direction=direction) for title, direction in vectors.items()]
    save(ada, "Offered", direction="north up")
    project = begin(ada, "in")
    attach(ada, project["id"], *ids)
    nearest = max(vectors, key=lambda title: np.dot(vector(vectors[title]), vector("north up")))
    [reason] = reasons(offers(ada, project_id=project["id"], engine="semantic"), "Offered")
    assert f"‘{nearest}’, which is attached" in reason


def test_context_names_the_task_that_matters_most_and_when_it_is_due(
    ada: Api, directions: Directions, context: Flask
) -> None:
    due = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    project = begin(ada, "in")
    for title, fields in {
        "Go up": {"status": "todo"},
        "Go north": {"status": "in_progress", "due_at": due.isoformat()},
        "Gone north": {"status": "done"},
    }.items():
        body = {"title": title, "description": title.lower(), "project_id": project["id"], **fields}
        assert ada.post("/tasks", body).status_code == 201
    embed_subjects()
    save(ada, "Compass", direction="north")
    save(ada, "Ladder", direction="up")
    answer = offers(ada, project_id=project["id"], engine="context")
    assert reasons(answer, "Compass") == [f"close in meaning to task ‘Go north’, due on {due:%Y-%m-%d}"]
    assert reasons(answer, "Ladder") == ["close in meaning to task ‘Go up’"]
    # What is in progress and due soon weighs more.
    assert item_of(answer, "Compass")["score"] > item_of(answer, "Ladder")["score"]


def test_context_by_words_where_there_are_no_vectors(ada: Api) -> None:
    save(ada, "Sliding windows")
    ada.post("/tasks", {"title": "Make windows slide"})
    [reason] = reasons(offers(ada, engine="context"), "Sliding windows")
    assert "‘Make windows slide’" in reason
    assert set(re.findall(r"‘(\w+)’", reason)) == {"sliding", "windows"}


def test_people_and_projects_are_counted(ada: Api, person: Any, outbox: Outbox, context: Flask) -> None:
    team = make_team(ada)
    people = [ada, person("bo"), person("cy")]
    for member in people[1:]:
        join(ada, team, member, "editor", outbox)
    headers = {"X-Organization-ID": str(team)}
    shared, offered = (
        ada.post(
            "/bookmarks", {"url": f"https://{name}.example.org/", "title": name, "capture": False}, headers=headers
        )
        for name in ("Shared", "Offered")
    )
    projects = []
    for member in people:
        project = member.post("/projects", {"name": f"Of {member.user_id}"}, headers=headers).json
        projects.append(project)
        for bookmark in (shared, offered):
            path = f"/projects/{project['id']}/bookmarks/{bookmark.json['id']}"
            assert member.put(path, {}, headers=headers).status_code == 201
    mine = ada.post("/projects", {"name": "Mine"}, headers=headers).json
    ada.put(f"/projects/{mine['id']}/bookmarks/{shared.json['id']}", {}, headers=headers)
    question = {"project_id": mine["id"], "engine": "collaborative"}
    answer = ada.request("GET", "/recommendations", query_string=question, headers=headers).json
    [item] = answer["items"]
    assert item["bookmark"]["title"] == "Offered"
    assert item["reasons"] == ["3 people here attached it to similar projects"]
    # Two of the projects go: what one project says alone is too thin.
    for project in projects[1:]:
        assert ada.request("DELETE", f"/projects/{project['id']}", headers=headers).status_code == 204
    thin = ada.request("GET", "/recommendations", query_string=question, headers=headers).json
    assert thin["items"] == []
    assert thin["degraded"] is True


def test_projects_of_one_person_are_counted_too(ada: Api) -> None:
    shared, offered = save(ada, "Shared"), save(ada, "Offered")
    for name in ("First", "Second"):
        attach(ada, begin(ada, name)["id"], shared, offered)
    mine = begin(ada, "Mine")
    attach(ada, mine["id"], shared)
    answer = offers(ada, project_id=mine["id"], engine="collaborative")
    assert reasons(answer, "Offered") == ["attached to 2 similar projects here"]


def test_what_was_called_relevant_together_speaks_for_each_other(ada: Api) -> None:
    ids = [save(ada, f"Rate limits {place}") for place in range(3)]
    for question in ("rate limits", "limits of rates"):
        for item in offers(ada, text=question)["items"]:
            if item["bookmark"]["id"] in ids[:2]:
                say(ada, item, "relevant")
    project = begin(ada, "Quite different")
    attach(ada, project["id"], ids[0])
    answer = offers(ada, project_id=project["id"], engine="collaborative")
    [item] = answer["items"]
    assert item["bookmark"]["id"] == ids[1]
    assert item["reasons"] == ["a person here found it useful together with what is wanted here"]


def test_rediscover_says_how_long_ago(ada: Api, context: Flask) -> None:
    names = ["Old", "New", "Read long ago", "Read now", "Favorite"]
    old, _, long_ago, _, favorite = (save(ada, name, is_read=name.startswith("Read")) for name in names)
    ada.patch(f"/bookmarks/{favorite}", {"is_favorite": True})
    age(400, old)
    age(100, long_ago)
    age(30, favorite)
    answer = offers(ada, engine="rediscover")
    day = f"{datetime.now(UTC) - timedelta(days=100):%Y-%m-%d}"
    assert {item["bookmark"]["title"]: item["reasons"] for item in answer["items"]} == {
        "Old": ["saved 400 days ago and not read yet"],
        "Favorite": ["a favorite, saved 30 days ago and not read yet"],
        "New": ["saved today and not read yet"],
        "Read long ago": [f"not looked at since {day}"],
    }
    assert item_of(answer, "Old")["score"] > item_of(answer, "New")["score"]


def test_auto_tells_the_reasons_of_the_engines_that_had_a_part(ada: Api, directions: Directions) -> None:
    save(ada, "north limits", direction="north", tags=["flask"])
    project = begin(ada, "north limits", technologies=["flask"])
    item = item_of(offers(ada, project_id=project["id"]), "north limits")
    assert item["engine"] == "semantic"
    assert "shares the tag flask with the project" in item["reasons"]
    assert any(reason.startswith("close in meaning to the project") for reason in item["reasons"])
