"""What is attached to projects: from the project's side, from the bookmark's, in lists and searches."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from backend.profile import deletion
from tests.projects.work import attached, begin, projects_of, read
from tests.support.api import PASSWORD, Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture
def project(ada: Api) -> dict[str, Any]:
    """A project of Ada's."""
    return begin(ada)


@pytest.fixture
def links(ada: Api) -> list[dict[str, Any]]:
    """Three bookmarks of Ada's."""
    return [ada.save(f"https://example.org/{place}", title=f"link {place}", tags=["t"]) for place in range(3)]


def attach(api: Api, project: dict[str, Any], bookmark: dict[str, Any], **body: Any) -> Any:
    return api.put(f"/projects/{project['id']}/bookmarks/{bookmark['id']}", body)


def act(api: Api, action: str, **body: Any) -> int:
    response = api.post("/bookmarks/actions", {"action": action, **body})
    assert response.status_code == 200, response.get_data(as_text=True)
    return int(response.json["affected"])


def test_what_is_attached_is_the_bookmark_with_a_note(ada: Api, project: dict[str, Any], links: list[Any]) -> None:
    response = attach(ada, project, links[0], note="Ünï 🗂 for chapter 2\u2028")
    assert response.status_code == 201
    bookmark = ada.get(f"/bookmarks/{links[0]['id']}").json
    assert bookmark["project_ids"] == [project["id"]]
    assert bookmark["updated_at"] > links[0]["updated_at"]
    assert response.json == {
        **bookmark, "note": "Ünï 🗂 for chapter 2\u2028", "attached_at": response.json["attached_at"],
    }  # fmt: skip
    assert response.json["attached_at"].endswith("Z")
    assert ada.get(f"/projects/{project['id']}/bookmarks").json["items"] == [response.json]
    assert read(ada, project) == {**project, "bookmark_count": 1}


def test_attaching_again_changes_nothing_but_a_note_that_is_given(
    ada: Api, project: dict[str, Any], links: list[Any]
) -> None:
    first = attach(ada, project, links[0], note="n").json
    path = f"/projects/{project['id']}/bookmarks/{links[0]['id']}"
    for again in (ada.put(path, {}), ada.request("PUT", path), ada.put(path, {"note": "n"})):
        assert (again.status_code, again.json) == (200, first)
    changed = ada.put(path, {"note": "other"})
    assert changed.status_code == 200
    assert changed.json == {**first, "note": "other", "updated_at": changed.json["updated_at"]}
    assert ada.put(path, {"note": ""}).json["note"] == ""
    assert attached(ada, project) == [links[0]["id"]]


def test_without_a_body_the_note_is_empty(ada: Api, project: dict[str, Any], links: list[Any]) -> None:
    response = ada.request("PUT", f"/projects/{project['id']}/bookmarks/{links[0]['id']}")
    assert (response.status_code, response.json["note"]) == (201, "")


@pytest.mark.parametrize("body", [{"note": None}, {"note": 5}, {"note": "\x00"}, {"note": "x" * 10_001}, {"notes": ""}])
def test_a_note_that_is_none_is_422(ada: Api, project: dict[str, Any], links: list[Any], body: dict[str, Any]) -> None:
    assert set(field_errors(attach(ada, project, links[0], **body))) == {f"body.{next(iter(body))}"}
    assert attached(ada, project) == []


def test_detaching_leaves_the_bookmark(ada: Api, project: dict[str, Any], links: list[Any]) -> None:
    attach(ada, project, links[0])
    path = f"/projects/{project['id']}/bookmarks/{links[0]['id']}"
    answer = ada.delete(path)
    assert (answer.status_code, answer.data) == (204, b"")
    assert ada.delete(path).status_code == 404
    assert projects_of(ada, links[0]) == attached(ada, project) == []
    assert read(ada, project)["bookmark_count"] == 0
    assert ada.get("/bookmarks").json["total"] == 3


def test_the_last_attached_comes_first(ada: Api, project: dict[str, Any], links: list[Any]) -> None:
    for place in (1, 0, 2):
        attach(ada, project, links[place])
    ids = [links[place]["id"] for place in (2, 0, 1)]
    assert attached(ada, project) == attached(ada, project, sort="-attached_at") == ids
    assert attached(ada, project, sort="attached_at") == ids[::-1]


@pytest.mark.parametrize("sort", ["attached_at", "-attached_at"])
def test_a_cursor_goes_through_all_that_is_attached_once(ada: Api, project: dict[str, Any], sort: str) -> None:
    """Attached at the same moment, too."""
    items = [{"url": f"https://example.org/{place}", "project_ids": [project["id"]]} for place in range(5)]
    ada.post("/bookmarks/bulk", {"items": items})
    whole = attached(ada, project, sort=sort)
    assert len(set(whole)) == 5
    seen, query = [], {"sort": sort, "page_size": 2}
    while page := ada.get(f"/projects/{project['id']}/bookmarks", **query).json:
        assert [page["total"], page["page_size"]] == [5, 2]
        seen += [item["id"] for item in page["items"]]
        if not page["has_next"]:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == whole
    assert attached(ada, project, page=3, page_size=2, sort=sort) == whole[4:]
    assert attached(ada, project, page=4, page_size=2, sort=sort) == []


@pytest.mark.parametrize(("name", "value"), [("sort", "title"), ("cursor", "x"), ("q", "x"), ("page", "0")])
def test_a_parameter_that_makes_no_sense_is_422(ada: Api, project: dict[str, Any], name: str, value: str) -> None:
    response = ada.get(f"/projects/{project['id']}/bookmarks", **{name: value})
    assert set(field_errors(response)) == {f"query.{name}"}


def test_archived_ones_belong_to_it_and_trashed_ones_come_back_with_their_note(
    ada: Api, project: dict[str, Any], links: list[Any]
) -> None:
    for link in links:
        attach(ada, project, link, note="kept")
    ada.patch(f"/bookmarks/{links[0]['id']}", {"is_archived": True})
    ada.delete(f"/bookmarks/{links[1]['id']}")
    assert attached(ada, project) == [links[2]["id"], links[0]["id"]]
    assert read(ada, project)["bookmark_count"] == 2
    path = f"/projects/{project['id']}/bookmarks/{links[1]['id']}"
    assert [ada.put(path, {}).status_code, ada.delete(path).status_code] == [404, 404]
    ada.post(f"/bookmarks/{links[1]['id']}/restore")
    assert read(ada, project)["bookmark_count"] == 3
    notes = ada.get(f"/projects/{project['id']}/bookmarks").json["items"]
    assert [item["note"] for item in notes] == ["kept"] * 3
    ada.delete(f"/bookmarks/{links[1]['id']}", permanent="true")
    assert read(ada, project)["bookmark_count"] == 2


def test_a_project_in_the_trash_is_not_to_be_seen_and_comes_back_whole(
    ada: Api, project: dict[str, Any], links: list[Any]
) -> None:
    other = begin(ada, "Other")
    for link in links:
        attach(ada, project, link, note="kept")
        attach(ada, other, link)
    ada.delete(f"/projects/{project['id']}")
    assert projects_of(ada, links[0]) == [other["id"]]
    assert {tuple(item["project_ids"]) for item in ada.get("/bookmarks").json["items"]} == {(other["id"],)}
    assert ada.titles(project_id=project["id"]) == ada.titles(q=f"project:{project['id']}") == []
    assert ada.get(f"/projects/{project['id']}/bookmarks").status_code == 404
    [trashed] = ada.get("/projects", deleted="true").json["items"]
    assert trashed["bookmark_count"] == 3
    # Replaced as a whole means: those that can be seen.
    ada.patch(f"/bookmarks/{links[0]['id']}", {"project_ids": []})
    assert ada.post(f"/projects/{project['id']}/restore").json["bookmark_count"] == 3
    assert projects_of(ada, links[0]) == [project["id"]]
    assert projects_of(ada, links[1]) == [project["id"], other["id"]]
    assert {item["note"] for item in ada.get(f"/projects/{project['id']}/bookmarks").json["items"]} == {"kept"}


def test_deleting_a_project_for_good_keeps_its_bookmarks(ada: Api, project: dict[str, Any], links: list[Any]) -> None:
    for link in links:
        attach(ada, project, link)
    assert ada.delete(f"/projects/{project['id']}", permanent="true").status_code == 204
    assert ada.get("/bookmarks").json["total"] == 3
    assert [projects_of(ada, link) for link in links] == [[], [], []]


def test_a_link_is_saved_with_its_projects_and_merging_unites_them(ada: Api) -> None:
    one, two, three = (begin(ada, name)["id"] for name in ("one", "two", "three"))
    body = {"url": "https://example.org/a", "project_ids": [two, one, two]}
    saved = ada.post("/bookmarks", body)
    assert (saved.status_code, saved.json["project_ids"]) == (201, [one, two])
    merged = ada.post("/bookmarks", {**body, "project_ids": [three, one]})
    assert (merged.status_code, merged.json["project_ids"]) == (200, [one, two, three])
    assert ada.post("/bookmarks", {"url": body["url"]}).json["project_ids"] == [one, two, three]


@pytest.mark.parametrize(("policy", "status"), [("keep", 200), ("error", 409)])
def test_what_is_kept_as_it_is_is_attached_to_nothing(ada: Api, policy: str, status: int) -> None:
    saved = ada.save("https://example.org/a")
    body = {"url": "https://example.org/a", "project_ids": [begin(ada)["id"]]}
    assert ada.post(f"/bookmarks?on_duplicate={policy}", body).status_code == status
    assert projects_of(ada, saved) == []


def test_a_bulk_attaches_each_item_and_refuses_those_of_unknown_projects(ada: Api, bob: Api) -> None:
    one, two = begin(ada, "one")["id"], begin(ada, "two")["id"]
    trashed, bobs = begin(ada, "gone")["id"], begin(bob)["id"]
    ada.delete(f"/projects/{trashed}")
    old = ada.save("https://example.org/old", project_ids=[one])
    wanted = [[one], [two, one], [], [10**9], [one, bobs], [trashed]]
    items = [{"url": f"https://example.org/{place}", "project_ids": ids} for place, ids in enumerate(wanted)]
    items += [{"url": "https://example.org/old", "project_ids": [two]}]
    items += [{"url": "https://example.org/0/", "project_ids": [two]}, {"url": "none", "project_ids": [one]}]
    results = ada.post("/bookmarks/bulk", {"items": items}).json["results"]
    assert [result["status"] for result in results] == [
        "created", "created", "created", "invalid", "invalid", "invalid", "duplicate", "duplicate", "invalid",
    ]  # fmt: skip
    assert [results[place]["error"] for place in (3, 4, 5)] == [
        f"project_ids: There is no project {id_}." for id_ in (10**9, bobs, trashed)
    ]
    assert [projects_of(ada, results[place]) for place in (0, 1, 2)] == [[one, two], [one, two], []]
    assert projects_of(ada, old) == [one, two]


def test_a_patch_replaces_the_projects_as_a_whole(ada: Api, links: list[Any]) -> None:
    one, two, three = (begin(ada, name)["id"] for name in ("one", "two", "three"))
    path = f"/bookmarks/{links[0]['id']}"
    for ids in ([one, two], [two, three], [three], [three, three, one], []):
        assert ada.patch(path, {"project_ids": ids}).json["project_ids"] == sorted(set(ids))
        assert projects_of(ada, links[0]) == sorted(set(ids))
    ada.patch(path, {"project_ids": [one]})
    assert ada.patch(path, {"title": "x", "tags": []}).json["project_ids"] == [one]
    assert projects_of(ada, links[1]) == []


def test_what_a_patch_leaves_attached_keeps_its_note(ada: Api, project: dict[str, Any], links: list[Any]) -> None:
    before = attach(ada, project, links[0], note="kept").json
    ada.patch(f"/bookmarks/{links[0]['id']}", {"project_ids": [begin(ada)["id"], project["id"]]})
    [now] = ada.get(f"/projects/{project['id']}/bookmarks").json["items"]
    assert [now["note"], now["attached_at"]] == ["kept", before["attached_at"]]


@pytest.mark.parametrize("kind", ["foreign", "trashed", "never"])
def test_an_unknown_project_is_422_and_changes_nothing(ada: Api, bob: Api, links: list[Any], kind: str) -> None:
    known, unknown = begin(ada)["id"], 10**9
    if kind == "foreign":
        unknown = begin(bob)["id"]
    if kind == "trashed":
        unknown = begin(ada, "gone")["id"]
        ada.delete(f"/projects/{unknown}")
    ids = [known, unknown]
    url = links[0]["url"]
    in_list = {"body.project_ids": "unknown_project"}
    assert field_errors(ada.post("/bookmarks", {"url": "https://example.org/new", "project_ids": ids})) == in_list
    for policy in ("merge", "keep"):
        body = {"url": url, "title": "x", "tags": ["new"], "project_ids": ids}
        assert field_errors(ada.post(f"/bookmarks?on_duplicate={policy}", body)) == in_list
    change = {"title": "x", "tags": ["new"], "project_ids": ids}
    assert field_errors(ada.patch(f"/bookmarks/{links[0]['id']}", change)) == in_list
    for action in ("add_to_project", "remove_from_project"):
        for which in ({"ids": [links[0]["id"]]}, {"ids": []}, {"filter": {}}):
            response = ada.post("/bookmarks/actions", {"action": action, "project_id": unknown, **which})
            assert field_errors(response) == {"body.project_id": "unknown_project"}
    assert ada.get(f"/bookmarks/{links[0]['id']}").json == links[0]
    assert ada.get("/bookmarks").json["total"] == 3
    assert [tag["name"] for tag in ada.get("/tags").json["items"]] == ["t"]


@pytest.mark.parametrize("by_filter", [False, True])
def test_actions_attach_and_detach_where_it_was_not_so(
    ada: Api, project: dict[str, Any], links: list[Any], by_filter: bool
) -> None:
    other = ada.save("https://example.org/other")
    which = {"filter": {"tag": ["t"]}} if by_filter else {"ids": [link["id"] for link in links]}
    before = attach(ada, project, links[0], note="kept").json
    assert act(ada, "add_to_project", project_id=project["id"], **which) == 2
    assert act(ada, "add_to_project", project_id=project["id"], **which) == 0
    assert sorted(attached(ada, project)) == [link["id"] for link in links]
    now = ada.get(f"/projects/{project['id']}/bookmarks", sort="attached_at").json["items"]
    assert now[0] == before
    assert now[1]["updated_at"] > links[1]["updated_at"]
    elsewhere = begin(ada)
    attach(ada, elsewhere, links[1])
    act(ada, "add_to_project", project_id=project["id"], ids=[other["id"]])
    assert act(ada, "remove_from_project", project_id=project["id"], **which) == 3
    assert act(ada, "remove_from_project", project_id=project["id"], **which) == 0
    assert attached(ada, project) == [other["id"]]
    assert attached(ada, elsewhere) == [links[1]["id"]]


@pytest.mark.parametrize("action", ["add_to_project", "remove_from_project"])
def test_an_action_passes_over_what_is_foreign_or_gone(
    ada: Api, bob: Api, project: dict[str, Any], links: list[Any], action: str
) -> None:
    """R-AUTH 4."""
    if action == "remove_from_project":
        for link in links[:2]:
            attach(ada, project, link)
    ada.delete(f"/bookmarks/{links[1]['id']}")
    foreign = bob.save("https://example.org/bob")
    ids = [links[0]["id"], links[1]["id"], foreign["id"], 2**63 - 1]
    assert act(ada, action, ids=ids, project_id=project["id"]) == 1
    assert bob.get(f"/bookmarks/{foreign['id']}").json == foreign


def test_lists_actions_and_both_searches_filter_by_project(ada: Api, project: dict[str, Any], links: list[Any]) -> None:
    for link in links[:2]:
        attach(ada, project, link)
    number = project["id"]
    assert ada.titles(project_id=number, sort="title") == ["link 0", "link 1"]
    assert ada.titles(project_id=number, q="link", tag="t", sort="-title") == ["link 1", "link 0"]
    assert ada.titles(q=f"project:{number} link", sort="title") == ["link 0", "link 1"]
    assert ada.titles(q=f"-project:{number}") == ["link 2"]
    assert ada.titles(q=f"project:{number} OR project:{10**17}", sort="title") == ["link 0", "link 1"]
    assert ada.titles(project_id=10**9) == []
    for query in ({"q": f"link project:{number}"}, {"q": "link", "project_id": number}, {"q": f"project:{number}"}):
        found = ada.get("/search", mode="text", **query).json["items"]
        assert {item["bookmark"]["title"] for item in found} == {"link 0", "link 1"}
        assert {tuple(item["bookmark"]["project_ids"]) for item in found} == {(number,)}
    assert act(ada, "favorite", filter={"project_id": number}) == 2


def test_no_list_or_search_reaches_into_a_project_of_others(ada: Api, bob: Api) -> None:
    theirs = begin(bob)
    bob.save("https://example.org/secret", title="secret", project_ids=[theirs["id"]])
    ada.save("https://example.org/own", title="own")
    assert ada.titles(project_id=theirs["id"]) == ada.titles(q=f"project:{theirs['id']}") == []
    assert ada.titles(q=f"-project:{theirs['id']}") == ["own"]
    assert ada.get("/search", q=f"project:{theirs['id']}", mode="text").json["total"] == 0


def test_neither_project_nor_bookmark_of_others_can_be_attached(
    ada: Api, bob: Api, project: dict[str, Any], links: list[Any]
) -> None:
    theirs, their_link = begin(bob), bob.save("https://example.org/bob")
    attach(bob, theirs, their_link)
    theirs = read(bob, theirs)
    for where, what in ((theirs, links[0]), (project, their_link), (theirs, their_link)):
        path = f"/projects/{where['id']}/bookmarks/{what['id']}"
        assert [ada.put(path, {}).status_code, ada.delete(path).status_code] == [404, 404]
    assert ada.get(f"/projects/{theirs['id']}/bookmarks").status_code == 404
    assert read(bob, theirs) == theirs
    assert attached(ada, project) == []


def test_attaching_side_by_side_attaches_once(ada: Api, project: dict[str, Any], links: list[Any]) -> None:
    def put(place: int) -> Any:
        return attach(Api(ada.app, session=ada.session), project, links[0], note=str(place))

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(put, range(12)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 11}
    assert [answer.json["note"] for answer in answers] == [str(place) for place in range(12)]
    assert attached(ada, project) == [links[0]["id"]]


def test_all_ways_to_attach_and_detach_get_along(ada: Api) -> None:
    """With projects thrown away, taken back and deleted for good meanwhile: no 5xx, and counts that are true."""
    projects = [begin(ada, str(place)) for place in range(4)]
    doomed = [begin(ada, f"doomed {place}") for place in range(8)]
    links = [ada.save(f"https://example.org/{place}", project_ids=[doomed[0]["id"]]) for place in range(6)]
    ids = [link["id"] for link in links]

    def work(seed: int) -> list[int]:
        api = Api(ada.app, session=ada.session)
        one, two = projects[seed % 4]["id"], projects[(seed + 1) % 4]["id"]
        gone, link = doomed[seed]["id"], links[seed % 6]
        answers = [
            api.post("/bookmarks/actions", {"action": "add_to_project", "ids": ids, "project_id": gone}),
            api.post("/bookmarks", {"url": link["url"], "project_ids": [two, one], "tags": ["t"]}),
            api.put(f"/projects/{one}/bookmarks/{link['id']}", {"note": str(seed)}),
            api.patch(f"/bookmarks/{link['id']}", {"project_ids": [one]}),
            api.delete(f"/projects/{gone}", permanent="true"),
            api.post("/bookmarks/actions", {"action": "add_to_project", "filter": {}, "project_id": two}),
            api.delete(f"/projects/{one}"),
            api.post("/bookmarks/bulk", {"items": [{"url": one["url"], "project_ids": [two]} for one in links[::-1]]}),
            api.post(f"/projects/{one}/restore"),
            api.delete(f"/projects/{two}/bookmarks/{link['id']}"),
            api.post("/bookmarks/actions", {"action": "remove_from_project", "filter": {}, "project_id": one}),
        ]
        return [answer.status_code for answer in answers]

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for each in pool.map(work, range(8)) for status in each]
    # Gone, or in the trash just then.
    assert set(statuses) <= {200, 201, 204, 404, 422}
    assert statuses.count(200) > 30
    for project in projects:
        restored = ada.post(f"/projects/{project['id']}/restore").json
        assert restored["bookmark_count"] == len(attached(ada, project))
        assert sorted(attached(ada, project)) == [
            link["id"] for link in links if project["id"] in projects_of(ada, link)
        ]


def test_attachments_go_with_the_account(ada: Api, bob: Api, project: dict[str, Any], links: list[Any]) -> None:
    attach(ada, project, links[0])
    kept = begin(bob)
    attach(bob, kept, bob.save("https://example.org/bob"))
    assert ada.request("DELETE", "/profile", json={"password": PASSWORD}).status_code == 204
    with ada.app.app_context():
        assert deletion.remove_deleted(60)
    assert _count(ada.app, "projects") == _count(ada.app, "project_bookmarks") == 1
    assert read(bob, kept)["bookmark_count"] == 1


def _count(app: Flask, table: str) -> int:
    with app.app_context():
        return int(db.session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
