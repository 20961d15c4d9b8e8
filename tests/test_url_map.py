"""What holds for every route: tests that walk the URL map, so that a new route is held to it without being named."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from backend.admin.service import set_disabled
from backend.auth.schemas import SCOPES
from backend.auth.session_cache import invalidate_user
from backend.auth.tokens import make_access_token, make_refresh_token
from backend.clock import utc_now
from backend.errors import NotFound
from backend.extensions import db
from backend.http.middleware.security_headers import (
    API_POLICY,
    DOCS_POLICY,
    FORM_PATH,
    FORM_POLICY,
    HEADERS,
    PICTURES_POLICY,
)
from backend.http.operations import Operation, declared_operation, declared_route
from backend.profile.jobs import run_export
from tests.support.api import PASSWORD, Api, field_errors
from tests.support.factories import make_person

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PUBLIC = {
    "/api/openapi.json",
    "/api/docs",
    "/api/docs/assets/<name>",
    "/api/v1/auth/register",
    "/api/v1/auth/login",
    "/api/v1/auth/refresh",
    "/api/v1/auth/password/forgot",
    "/api/v1/auth/password/reset",
    "/api/v1/auth/email/verify",
    "/api/v1/feeds/<string:token>.atom",
    "/api/v1/digests/unsubscribe",
    "/save",
    "/api/health",
    "/api/health/live",
    "/api/health/ready",
    "/api/health/database",
    "/api/health/redis",
    "/api/health/worker",
    "/metrics",
}
# The argument of a route, what makes an object of that kind, and an id of the kind that never was. A route with an
# argument that is missing here fails the tests below: add it.
OBJECTS: dict[str, tuple[Callable[[Api], Any], Any]] = {
    "bookmark_id": (lambda person: person.save("https://example.org/secret", tags=["secret"])["id"], 10**9),
    "task_id": (lambda person: person.post("/tasks", {"title": "secret"}).json["id"], 10**9),
    "tag_id": (lambda person: _tag(person, "of-ada"), 10**9),
    "project_id": (lambda person: _project(person), 10**9),
    "job_id": (lambda person: _job(person), uuid4()),
    "organization_id": (lambda person: _team(person), 10**9),
    "user_id": (lambda person: person.user_id, 10**9),
    "invitation_id": (lambda person: _invitation(person), 10**9),
    "export_id": (lambda person: _export(person), uuid4()),
    "signature": (lambda _: "0.made-up", "0.nothing"),
    "name": (lambda _: "start.js", "nothing.js"),
    "session_id": (lambda person: _session(person), uuid4()),
    "feedback_id": (lambda person: _feedback(person)["id"], 10**9),
    "feed_id": (lambda person: _feed(person)["id"], 10**9),
    "token": (lambda person: _feed(person)["url"].rpartition("/")[2].removesuffix(".atom"), "nothing"),
    "token_id": (lambda person: _token(person, "bookmarks:read")["id"], 10**9),
}
# Of these, each is in one organization; the others are of a person, or are checked against the path alone.
OF_AN_ORGANIZATION = {"bookmark_id", "task_id", "tag_id", "project_id", "job_id"}
# A body that the route takes, where `{}` will not do.
BODIES: dict[tuple[str, str], Callable[[Api], dict[str, Any]]] = {
    ("POST", "/api/v1/auth/register"): lambda _: {
        "email": "new@example.org",
        "username": "new",
        "password": PASSWORD,
    },
    ("POST", "/api/v1/auth/login"): lambda _: {"login": "nobody", "password": PASSWORD},
    ("POST", "/api/v1/auth/refresh"): lambda _: {"refresh_token": "none"},
    ("POST", "/api/v1/auth/tokens"): lambda _: {"name": "script", "scopes": ["*:read"]},
    ("POST", "/api/v1/auth/password/forgot"): lambda _: {"email": "nobody@example.org"},
    ("POST", "/api/v1/auth/password/reset"): lambda _: {"token": "none", "password": PASSWORD},
    ("POST", "/api/v1/auth/email/verify"): lambda _: {"token": "none"},
    ("POST", "/api/v1/bookmarks"): lambda _: {"url": "https://example.org/new", "capture": False},
    ("POST", "/api/v1/bookmarks/lookup"): lambda _: {"url": "https://example.org/none"},
    ("POST", "/api/v1/bookmarks/bulk"): lambda _: {"items": []},
    ("POST", "/api/v1/bookmarks/actions"): lambda _: {"ids": [], "action": "read"},
    ("PATCH", "/api/v1/bookmarks/<id:bookmark_id>"): lambda _: {"title": "changed"},
    ("POST", "/api/v1/tasks"): lambda _: {"title": "new"},
    ("POST", "/api/v1/tasks/bulk"): lambda _: {"items": []},
    ("PATCH", "/api/v1/tasks/<id:task_id>"): lambda _: {"title": "changed"},
    ("POST", "/api/v1/tasks/<id:task_id>/move"): lambda _: {"parent_id": None},
    ("POST", "/api/v1/tasks/<id:task_id>/breakdown"): lambda _: {"engine": "outline"},
    ("POST", "/api/v1/projects"): lambda _: {"name": "New"},
    ("PATCH", "/api/v1/projects/<id:project_id>"): lambda _: {"name": "changed"},
    ("PUT", "/api/v1/projects/<id:project_id>/bookmarks/<id:bookmark_id>"): lambda _: {"note": "changed"},
    ("POST", "/api/v1/feeds"): lambda _: {"name": "New"},
    ("POST", "/api/v1/feedback"): lambda person: _opinion(person),
    ("PUT", "/api/v1/feedback/<id:feedback_id>"): lambda _: {"kind": "dismissed"},
    ("POST", "/api/v1/dashboard/export"): lambda _: {"format": "json"},
    ("PATCH", "/api/v1/profile"): lambda _: {"username": "renamed"},
    ("DELETE", "/api/v1/profile"): lambda _: {"password": "not the password"},
    ("POST", "/api/v1/profile/password"): lambda _: {
        "current_password": "not the password",
        "new_password": "another long password",
    },
    ("PUT", "/api/v1/profile/ai"): lambda _: {"base_url": "https://llm.example.org/v1", "model": "any"},
    ("PATCH", "/api/v1/tags/<id:tag_id>"): lambda _: {"name": "changed"},
    ("POST", "/api/v1/organizations"): lambda _: {"name": "New", "slug": "new"},
    ("PATCH", "/api/v1/organizations/<id:organization_id>"): lambda _: {"name": "Changed", "slug": "changed"},
    ("DELETE", "/api/v1/organizations/<id:organization_id>"): lambda _: {"name": "Of ada"},
    ("PATCH", "/api/v1/organizations/<id:organization_id>/members/<id:user_id>"): lambda _: {"role": "viewer"},
    ("POST", "/api/v1/organizations/<id:organization_id>/invitations"): lambda _: {
        "email": "invited@example.org",
        "role": "viewer",
    },
    ("POST", "/api/v1/invitations/accept"): lambda _: {"token": "none"},
    ("POST", "/api/v1/tags/<id:tag_id>/merge"): lambda person: {"into_id": _tag(person, "of-the-caller")},
}
# The same where the body is a form with a file.
FORM_TYPE = "multipart/form-data; boundary=part"
FORMS: dict[tuple[str, str], bytes] = {
    ("POST", "/api/v1/bookmarks/import"): b'--part\r\nContent-Disposition: form-data; name="file"; filename="links.txt"'
    b"\r\n\r\nhttps://example.org/imported\r\n--part--\r\n",
}
QUERIES = {
    ("GET", "/api/v1/bookmarks/lookup"): {"url": "https://example.org/none"},
    ("GET", "/api/v1/search"): {"q": "word"},
    ("GET", "/api/v1/digests/unsubscribe"): {"token": "none"},
    ("POST", "/api/v1/digests/unsubscribe"): {"token": "none"},
}


@dataclass(frozen=True)
class Route:
    """One method of one path."""

    method: str
    rule: Rule
    declared: Operation

    def path(self, ids: dict[str, Any]) -> str:
        """The path with its arguments filled in."""
        found = self.rule.build({name: ids[name] for name in self.rule.arguments})
        assert found is not None
        return found[1]

    def options(self, person: Api) -> dict[str, Any]:
        """A query and a body that the route takes."""
        options: dict[str, Any] = {"query_string": dict(QUERIES.get((self.method, self.rule.rule), {}))}
        if (self.method, self.rule.rule) in FORMS:
            options |= {"data": FORMS[self.method, self.rule.rule], "content_type": FORM_TYPE}
        elif self.method in ("POST", "PUT", "PATCH") or (self.method, self.rule.rule) in BODIES:
            options["json"] = BODIES.get((self.method, self.rule.rule), lambda _: {})(person)
        return options

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"


def routes(app: Flask) -> Iterator[Route]:
    """Every method of every path that declares an operation, and speaks as API.md has it."""
    for rule in app.url_map.iter_rules():
        declared = declared_operation(app, rule.endpoint)
        if declared is not None and declared.dialect is None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Route(method, rule, declared)


def guarded_routes(app: Flask) -> Iterator[Route]:
    """Those that want a token."""
    return (route for route in routes(app) if route.declared.scope is not None)


def absent(route: Route) -> dict[str, Any]:
    """Ids that never were for a route's arguments."""
    unknown = route.rule.arguments - set(OBJECTS)
    assert not unknown, f"{route}: add {unknown} to OBJECTS, so that what belongs to others stays hidden"
    return {name: never for name, (_, never) in OBJECTS.items()}


def _tag(person: Api, name: str) -> int:
    person.post("/bookmarks", {"url": f"https://example.org/tagged/{name}", "tags": [name], "capture": False})
    [tag] = person.get("/tags", q=name).json["items"]
    return int(tag["id"])


def _project(person: Api) -> int:
    """With all bookmarks that the person has."""
    project = int(person.post("/projects", {"name": "Secret"}).json["id"])
    person.post("/bookmarks/actions", {"action": "add_to_project", "filter": {}, "project_id": project})
    return project


def _opinion(person: Api) -> dict[str, Any]:
    person.post("/bookmarks", {"url": "https://example.org/judged", "capture": False})
    bookmark = person.get("/bookmarks/lookup", url="https://example.org/judged").json
    return {"bookmark_id": bookmark["id"], "kind": "relevant"}


def _feed(person: Api) -> dict[str, Any]:
    made: dict[str, Any] = person.post("/feeds", {"name": "Secret"}).json
    return made


def _feedback(person: Api) -> dict[str, Any]:
    said: dict[str, Any] = person.post("/feedback", _opinion(person)).json
    return said


def _session(person: Api) -> str:
    person.post("/auth/login", {"login": person.session["user"]["username"], "password": PASSWORD})
    return str(person.get("/auth/sessions").json["items"][0]["id"])


def _token(person: Api, *scopes: str) -> dict[str, Any]:
    token: dict[str, Any] = person.post("/auth/tokens", {"name": "script", "scopes": scopes}).json
    return token


def _job(person: Api) -> str:
    bookmark = person.save("https://example.org/captured")
    return str(person.post(f"/bookmarks/{bookmark['id']}/capture").json["id"])


def _team(person: Api) -> int:
    return int(person.post("/organizations", {"name": "Of ada"}).json["id"])


def _invitation(person: Api) -> int:
    """In the newest team of the person."""
    team = max(item["id"] for item in person.get("/organizations").json["items"])
    body = {"email": "somebody@example.org", "role": "viewer"}
    return int(person.post(f"/organizations/{team}/invitations", body).json["id"])


def _forgeries(token: str) -> Iterator[str]:
    """Tokens that say what this one says, and are signed by nobody, or by somebody else."""
    head, claims, signature = token.split(".")
    for algorithm in ("none", "None", "HS512"):
        forged = urlsafe_b64encode(f'{{"alg":"{algorithm}","typ":"JWT"}}'.encode()).decode().rstrip("=")
        yield f"{forged}.{claims}."
        yield f"{forged}.{claims}.{signature}"
    said = jwt.decode(token, options={"verify_signature": False})
    yield jwt.encode(said, "a key of more than thirty-two bytes, but another")
    yield f"{head}.{claims}.{signature[:-4]}AAAA"


@contextmanager
def freeze_life(app: Flask, *, minutes: int) -> Iterator[None]:
    """Access tokens that are made meanwhile live so long."""
    usual = app.extensions["settings"]
    app.extensions["settings"] = usual.model_copy(update={"ACCESS_TOKEN_MINUTES": minutes})
    yield
    app.extensions["settings"] = usual


def _export(person: Api) -> str:
    job = person.post("/profile/export").json
    with person.app.app_context():
        run_export(job["id"])
    return str(person.get(f"/jobs/{job['id']}").json["result"]["download_url"].rpartition("/")[2])


@pytest.fixture
def of_ada(ada: Api) -> dict[str, Any]:
    """Ids of real objects of ada's."""
    return {name: make(ada) for name, (make, _) in OBJECTS.items()}


def test_every_route_declares_an_operation(app: Flask) -> None:
    assert not [rule.rule for rule in app.url_map.iter_rules() if declared_operation(app, rule.endpoint) is None]


def test_the_public_routes_are_these_and_no_others(app: Flask) -> None:
    assert {route.rule.rule for route in routes(app) if route.declared.scope is None} == PUBLIC


def test_every_route_that_takes_a_body_has_one_here(app: Flask) -> None:
    """A matrix in which a route only ever refuses its body would find nothing."""
    missing = [
        str(route)
        for route in routes(app)
        if (found := declared_route(app, route.rule.endpoint)) is not None
        and {"json", "form"} & set(found.view.__annotations__)
        and (route.method, route.rule.rule) not in {*BODIES, *FORMS}
    ]
    assert not missing, "add them to BODIES or FORMS"


def test_what_the_matrix_names_is_there(app: Flask) -> None:
    found = list(routes(app))
    assert set(OBJECTS) == {name for route in found for name in route.rule.arguments}
    assert {*BODIES, *FORMS, *QUERIES} <= {(route.method, route.rule.rule) for route in found}
    assert {route.rule.rule for route in found} >= PUBLIC


def test_a_scope_says_whether_a_route_reads_or_writes(app: Flask) -> None:
    # What only a logged-in person may use, and no API token, says "login"; what every token may read, "any".
    for route in (route for route in guarded_routes(app) if route.declared.scope not in ("login", "any")):
        resource, _, verb = str(route.declared.scope).partition(":")
        assert resource, str(route)
        only_asks = route.method == "GET" or route.declared.changes == "nothing"
        assert verb == ("read" if only_asks else "write"), str(route)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"json": {"surprise": True}},
        {"data": b"{", "content_type": "application/json"},
        {"data": b"<a/>", "content_type": "text/xml"},
        {"query_string": {"surprise": "1"}},
        {"headers": {"X-Organization-ID": "1"}},
    ],
    ids=["nothing", "unknown field", "broken JSON", "XML", "unknown parameter", "organization"],
)
def test_without_a_token_every_route_but_the_public_ones_is_401(anonymous: Api, sent: dict[str, Any]) -> None:
    """R-AUTH 1; 401 comes before 404, 415, 422 and any work."""
    for route in guarded_routes(anonymous.app):
        response = anonymous.request(route.method, route.path(absent(route)), **sent)
        assert response.status_code == 401, str(route)
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert_problem(response)


@pytest.mark.parametrize("identity", ["0", "abc", "9" * 30, "-1", "1.5", "%20", "\U0001f680"])
def test_without_a_token_an_impossible_id_is_401_like_any_other(anonymous: Api, ada: Api, identity: str) -> None:
    """401 comes before 404, also where a path is none only because of its id."""
    for route in guarded_routes(anonymous.app):
        if route.rule.arguments:
            path = re.sub(r"<[^>]*>", identity, route.rule.rule)
            refused = anonymous.request(route.method, path, **route.options(ada))
            assert refused.status_code == 401, str(route)
            assert_problem(refused)
    assert anonymous.get(f"/nothing/{identity}").status_code == 404
    assert ada.get(f"/bookmarks/{identity}").status_code == 404


def test_an_expired_or_revoked_token_is_401_everywhere(ada: Api, bob: Api, context: Flask) -> None:
    """Access tokens past their time, of an ended login, of the other kind, of people who are gone or disabled, forged;
    API tokens past their time, deleted, of somebody who is disabled."""
    now = utc_now().replace(microsecond=0)
    session_id = UUID(_session(ada))
    with freeze_life(ada.app, minutes=-1):
        expired = make_access_token(ada.user_id, session_id)
    ended = Api(ada.app, session=bob.session)
    bob.post("/auth/logout")
    gone, disabled = (make_person(ada.app, name) for name in ("gone", "disabled"))
    gone.request("DELETE", "/profile", json={"password": PASSWORD})
    script_of_disabled = Api(ada.app, token=_token(disabled, "*:read", "*:write")["token"])
    set_disabled(disabled.user_id, True)
    deleted = _token(ada, "*:read", "*:write")
    ada.delete(f"/auth/tokens/{deleted['id']}")
    over = _token(ada, "*:read", "*:write")
    db.session.execute(text("UPDATE api_tokens SET expires_at = now() - interval '1 second'"))
    db.session.commit()
    dead = [
        Api(ada.app, token=expired),
        ended,
        Api(ada.app, token=make_refresh_token(ada.user_id, session_id, 0, now)),
        Api(ada.app, token=deleted["token"]),
        Api(ada.app, token=over["token"]),
        gone,
        disabled,
        script_of_disabled,
        *(Api(ada.app, token=forged) for forged in _forgeries(str(ada.token))),
    ]
    for route in guarded_routes(ada.app):
        for person in dead:
            response = person.request(route.method, route.path(absent(route)), **route.options(ada))
            assert response.status_code == 401, str(route)


def test_a_token_without_the_scope_is_403_everywhere(ada: Api, of_ada: dict[str, Any]) -> None:
    """R-AUTH 8: neither another resource, nor reading for writing, nor any token where a login is asked for."""
    scripts: dict[str, Api] = {}  # A person may have so many tokens, fewer than there are routes.
    for route in guarded_routes(ada.app):
        scope = str(route.declared.scope)
        if scope == "any":
            continue
        resource, _, verb = scope.partition(":")
        wrong = [f"{other}:{verb}" for other in ("bookmarks", "jobs") if other != resource][:1] if verb else []
        wrong += [f"*:{other}" for other in ("read", "write") if other != verb]
        if str(wrong) not in scripts:
            scripts[str(wrong)] = Api(ada.app, token=_token(ada, *wrong)["token"])
        response = scripts[str(wrong)].request(route.method, route.path(of_ada), **route.options(ada))
        assert response.status_code == 403, f"{route} with {wrong}"


def test_a_token_of_any_scope_tells_whose_it_is_and_reads_nothing_else_of_the_account(ada: Api) -> None:
    """Whoever holds a token may ask whether it is good, and for whom."""
    assert [str(route) for route in routes(ada.app) if route.declared.scope == "any"] == ["GET /api/v1/profile"]
    whole = ada.get("/profile").json
    for scope in SCOPES:
        script = Api(ada.app, token=_token(ada, scope)["token"])
        for _ in range(2):  # Made, then cached.
            assert script.get("/profile").json == whole, scope
        assert script.patch("/profile", {"username": "renamed"}).status_code == 403
        assert script.get("/profile/ai").status_code == 403, scope


def test_a_viewer_changes_nothing_of_the_organization(ada: Api, of_ada: dict[str, Any], context: Flask) -> None:
    requests = [(route, route.options(ada)) for route in guarded_routes(ada.app)]
    db.session.execute(text("UPDATE memberships SET role = 'viewer'"))
    db.session.commit()
    invalidate_user(ada.user_id)
    for route, sent in requests:
        resource, _, verb = str(route.declared.scope).partition(":")
        if resource == "login":  # Everybody's own, whatever the role; some of it ends this very login.
            continue
        response = ada.request(route.method, route.path(of_ada), **sent)
        if verb == "write" and resource not in ("account", "organizations"):
            assert response.status_code == 403, str(route)
        elif verb == "read" and not route.rule.rule.endswith("/invitations"):  # Whom they invite only owners see.
            assert response.status_code != 403, str(route)


def test_what_belongs_to_others_looks_as_if_it_never_was(ada: Api, bob: Api, of_ada: dict[str, Any]) -> None:
    """R-AUTH 4: the cross-user matrix."""
    for route in guarded_routes(ada.app):
        if not route.rule.arguments:
            continue
        sent = route.options(bob)
        missing = bob.request(route.method, route.path(absent(route)), **sent)
        foreign = bob.request(route.method, route.path(of_ada), **sent)
        # Who is no administrator learns the same of everybody.
        refusal = 403 if route.rule.rule.startswith("/api/v1/admin/") else 404
        assert missing.status_code == foreign.status_code == refusal, f"{route}: {foreign.get_data(as_text=True)}"
        assert _told(foreign) == _told(missing), str(route)
        assert refusal == 403 or foreign.json["detail"] == NotFound.detail or "captured" in foreign.json["detail"]


def _told(response: TestResponse) -> tuple[dict[str, Any], dict[str, str]]:
    """All that an answer says, but for what names the request itself."""
    body = {name: value for name, value in response.json.items() if name not in ("request_id", "instance")}
    sizes = ("X-Request-ID", "Content-Length")
    return body, {name: value for name, value in response.headers.items() if name not in sizes}


def test_what_is_in_another_organization_of_ones_own_looks_as_if_it_never_was(ada: Api, of_ada: dict[str, Any]) -> None:
    """The objects are of ada's personal organization, and she acts in a team of hers."""
    header = {"X-Organization-ID": str(of_ada["organization_id"])}
    for route in guarded_routes(ada.app):
        # What is of the person is there in whichever organization they act.
        if not route.rule.arguments & OF_AN_ORGANIZATION:
            continue
        sent = route.options(Api(ada.app, session=ada.session))
        elsewhere = ada.request(route.method, route.path(of_ada), headers=header, **sent)
        missing = ada.request(route.method, route.path(absent(route)), headers=header, **sent)
        assert elsewhere.status_code == missing.status_code == 404, f"{route}: {elsewhere.get_data(as_text=True)}"
        assert _told(elsewhere) == _told(missing), str(route)


def test_a_stranger_changes_nothing(ada: Api, bob: Api, of_ada: dict[str, Any]) -> None:
    def belongings() -> list[Any]:
        job = ada.get(f"/jobs/{of_ada['job_id']}").json
        team = f"/organizations/{of_ada['organization_id']}"
        teams = [ada.get(path).json for path in ("/organizations", f"{team}/members", f"{team}/invitations")]
        projects = [ada.get(path).json for path in ("/projects", f"/projects/{of_ada['project_id']}/bookmarks")]
        own = [ada.get(path).json for path in ("/bookmarks", "/tags", "/tasks")]
        return [*own, job, teams, projects]

    before = belongings()
    for route in guarded_routes(ada.app):
        if route.rule.arguments:
            bob.request(route.method, route.path(of_ada), **route.options(bob))
    for action in ("archive", "read", "delete", "capture"):
        assert bob.post("/bookmarks/actions", {"ids": [of_ada["bookmark_id"]], "action": action}).json["affected"] == 0
    theirs = bob.post(f"/tags/{_tag(bob, 'own')}/merge", {"into_id": of_ada["tag_id"]})
    nobodys = bob.post(f"/tags/{_tag(bob, 'own')}/merge", {"into_id": 10**9})
    assert _told(theirs) == _told(nobodys)
    for action in ("add_to_project", "remove_from_project"):
        body = {"ids": [of_ada["bookmark_id"]], "action": action, "project_id": of_ada["project_id"]}
        assert field_errors(bob.post("/bookmarks/actions", body)) == {"body.project_id": "unknown_project"}
    assert belongings() == before


def test_the_organization_of_others_looks_as_if_it_never_was(ada: Api, bob: Api, of_ada: dict[str, Any]) -> None:
    for route in guarded_routes(ada.app):
        sent = route.options(bob)
        foreign, missing = (
            bob.request(route.method, route.path(of_ada), headers={"X-Organization-ID": str(number)}, **sent)
            for number in (ada.organization_id, 10**9)
        )
        assert foreign.status_code == 404, str(route)
        assert _told(foreign) == _told(missing), str(route)


def test_unknown_query_parameters_are_refused_everywhere(ada: Api, of_ada: dict[str, Any]) -> None:
    for route in routes(ada.app):
        sent = route.options(ada)
        sent["query_string"]["surprise"] = "1"
        if str(route) == "DELETE /api/v1/tags":
            sent["query_string"]["unused"] = "true"  # Without it nothing is deleted.
        response = ada.request(route.method, route.path(of_ada), **sent)
        assert field_errors(response) == {"query.surprise": "extra_forbidden"}, str(route)


def test_unknown_body_fields_are_refused_everywhere(ada: Api, of_ada: dict[str, Any]) -> None:
    for route in routes(ada.app):
        if (route.method, route.rule.rule) in BODIES:
            sent = route.options(ada)
            sent["json"]["surprise"] = 1
            response = ada.request(route.method, route.path(of_ada), **sent)
            assert field_errors(response) == {"body.surprise": "extra_forbidden"}, str(route)


def test_nul_is_refused_in_every_text(ada: Api, of_ada: dict[str, Any]) -> None:
    for route in routes(ada.app):
        body = route.options(ada).get("json", {})
        for name in (name for name, value in body.items() if isinstance(value, str)):
            response = ada.request(route.method, route.path(of_ada), json={**body, name: f"a\x00{body[name]}"})
            assert f"body.{name}" in field_errors(response), str(route)


def assert_problem(response: TestResponse) -> None:
    """The answer is a problem as RFC 9457 has it, complete."""
    assert response.content_type == "application/problem+json"
    problem = response.json
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= set(problem)
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response.headers["X-Request-ID"]


def assert_guarded(response: TestResponse) -> None:
    """The answer carries the headers of R-HTTP 2 and the request's id."""
    for name, value in HEADERS.items():
        assert response.headers.get_all(name) == [value]
    path = response.request.path
    policy = PICTURES_POLICY if path.startswith("/api/v1/dashboard/charts/") else API_POLICY
    policy = DOCS_POLICY if path.startswith("/api/docs") else policy
    policy = FORM_POLICY if path == FORM_PATH else policy
    assert response.headers.get_all("Content-Security-Policy") == [policy]
    assert len(response.headers["X-Request-ID"]) == 32
    assert "Server" not in response.headers


def test_every_answer_of_every_route_carries_the_security_headers(ada: Api, of_ada: dict[str, Any]) -> None:
    anonymous = Api(ada.app)
    for route in sorted(routes(ada.app), key=lambda route: "logout" in route.rule.rule):
        for person, ids in ((anonymous, absent(route)), (ada, absent(route)), (ada, of_ada)):
            for surprise in ({"surprise": "1"}, {}):
                sent = {**route.options(ada), "query_string": surprise}
                assert_guarded(person.request(route.method, route.path(ids), **sent))


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("POST", "/", {"json": {}}, 404),
        ("GET", "/api/v1/nothing", {}, 404),
        ("GET", "/api/v1/bookmarks/0", {}, 404),
        ("GET", "/api/v1/bookmarks/99999999999999999999", {}, 404),
        ("GET", "/api/v1/jobs/no-uuid", {}, 404),
        ("GET", "/api/docs/assets/nothing.js", {}, 404),
        ("GET", "/api/docs/assets/../../config.py", {}, 404),
        ("PUT", "/api/v1/bookmarks", {"json": {}}, 405),
        ("GET", "/api/v1/profile", {"headers": {"Authorization": "Bearer no"}}, 401),
        ("POST", "/api/v1/bookmarks", {"json": {}}, 422),
        ("POST", "/api/v1/bookmarks", {"data": "{", "content_type": "application/json"}, 400),
        ("POST", "/api/v1/bookmarks", {"data": "a=b", "content_type": "text/plain"}, 415),
        ("POST", "/api/v1/bookmarks", {"data": b" " * (2**20 + 1), "content_type": "application/json"}, 413),
    ],
)
def test_every_refusal_is_a_problem_with_the_security_headers(
    ada: Api, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    response = ada.client.open(path, method=method, **{"headers": {"Authorization": f"Bearer {ada.token}"}, **sent})
    assert response.status_code == status
    assert_problem(response)
    assert_guarded(response)


def test_paths_that_are_none_read_as_objects_that_never_were(ada: Api) -> None:
    missing, impossible = ada.get("/bookmarks/999999"), ada.get("/bookmarks/9999999999999999999999")
    assert _told(missing) == _told(impossible)


def test_a_method_that_a_path_does_not_have_names_those_it_has(ada: Api) -> None:
    response = ada.put("/bookmarks", {})
    assert set(response.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "OPTIONS", "POST"}


SECRET = "hunter2-of-the-database"


def _fail_plainly() -> None:
    raise RuntimeError(SECRET)


def _fail_in_sql() -> None:
    db.session.execute(text(f"SELECT '{SECRET}' FROM no_such_table"))


def _fail_on_a_constraint() -> None:
    db.session.execute(text(f"INSERT INTO organizations (name, slug) VALUES ('{SECRET}', NULL)"))


def _fail_slowly() -> None:
    db.session.execute(text("SET LOCAL statement_timeout = 10"))
    db.session.execute(text(f"SELECT pg_sleep(1), '{SECRET}'"))


@pytest.mark.parametrize(
    ("fail", "status"),
    [(_fail_plainly, 500), (_fail_in_sql, 500), (_fail_on_a_constraint, 500), (_fail_slowly, 503)],
)
def test_an_unexpected_failure_shows_the_request_id_and_nothing_else(
    ada: Api, monkeypatch: pytest.MonkeyPatch, fail: Callable[[], None], status: int
) -> None:
    monkeypatch.setitem(ada.app.view_functions, "profile.read_profile", fail)
    response = ada.request("GET", "/profile", headers={"X-Request-ID": "x" * 32})
    assert response.status_code == status
    assert_problem(response)
    assert_guarded(response)
    shown = response.get_data(as_text=True)
    known = {"type", "title", "status", "detail", "instance", "request_id"}
    assert set(response.json) == (known if status == 500 else known | {"code"})
    assert response.json["request_id"] == "x" * 32
    for word in (SECRET, "Traceback", "SELECT", "INSERT", "psycopg", "sqlalchemy", "backend/", "no_such_table"):
        assert word not in shown
    if status == 503:
        assert int(response.headers["Retry-After"]) >= 1


def test_after_a_failure_the_next_request_works(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setitem(ada.app.view_functions, "profile.read_profile", _fail_in_sql)
        assert ada.get("/profile").status_code == 500
    assert ada.get("/profile").status_code == 200
