"""A job is worth what the person who asked for it may still do: when it is claimed, before anything leaves the server,
and in the transaction that applies it (R-TRUST 3)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.admin.service import set_admin, set_disabled
from backend.extensions import db
from backend.jobs import running
from backend.jobs.models import Job
from backend.jobs.rights import LOST, SCOPES
from backend.jobs.service import KINDS
from backend.tasks import jobs as task_jobs
from backend.tasks.breakdown import llm_steps
from backend.tasks.jobs import run_breakdown
from tests.profile.teams import make_team
from tests.support.api import PASSWORD, Api
from tests.support.llm_server import LlmServer, said
from tests.support.llm_server import running as running_llm
from tests.support.processes import eventually

pytestmark = [pytest.mark.untraced, pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]

STEPS = {"subtasks": [{"title": "Secret step", "description": "", "estimate_minutes": 20, "bookmark_ids": []}]}


class Team:
    """Ada owns it, Bob is an editor with a provider of his own, Eve owns it too; a task with nothing to outline."""

    def __init__(self, ada: Api, bob: Api, eve: Api, provider: LlmServer) -> None:
        self.ada, self.bob, self.eve, self.provider = ada, bob, eve, provider
        with ada.app.app_context():
            self.id = make_team("Team", owner=ada, owner_2=eve, editor=bob)
        provider.will_say(STEPS)
        body = {"base_url": provider.base_url, "model": "small", "api_key": "sk-of-bob-12345678"}
        assert bob.put("/profile/ai", body).status_code == 200
        task = self.send(ada, "POST", "/tasks", json={"title": "The plans of the team"})
        self.task_id = int(task.json["id"])

    def send(self, person: Api, method: str, path: str, **options: Any) -> Any:
        """A request in the team."""
        return person.request(method, path, headers={"X-Organization-ID": str(self.id)}, **options)

    def ask(self, person: Api | None = None, **wanted: Any) -> str:
        """Ask for a breakdown; the job's id."""
        path = f"/tasks/{self.task_id}/breakdown"
        answer = self.send(person or self.bob, "POST", path, json={"engine": "llm", "apply": True, **wanted})
        assert answer.status_code == 202, answer.json
        return str(answer.json["id"])

    def run(self, job_id: str) -> None:
        with self.ada.app.app_context():
            run_breakdown(job_id)
            db.session.remove()

    def job(self, job_id: str) -> tuple[str | None, str | None, Any]:
        with self.ada.app.app_context():
            row = db.session.get(Job, job_id)
            db.session.remove()
            return (row.status, row.error, row.result) if row else (None, None, None)

    def titles(self) -> list[str]:
        with self.ada.app.app_context():
            rows = db.session.execute(text("SELECT title FROM tasks WHERE parent_id = :id"), {"id": self.task_id})
            titles = [row.title for row in rows]
            db.session.remove()
        return titles

    def token(self, **fields: Any) -> tuple[Api, int]:
        """A client with a token of Bob's for the team, and the token's id."""
        body = {"name": "t", "scopes": ["tasks:write"], "organization_id": self.id, **fields}
        answer = self.bob.post("/auth/tokens", body)
        assert answer.status_code == 201, answer.json
        return Api(self.bob.app, token=answer.json["token"]), int(answer.json["id"])


@pytest.fixture
def team(ada: Api, bob: Api, person: Callable[..., Api]) -> Iterator[Team]:
    with running_llm() as provider:
        yield Team(ada, bob, person("eve"), provider)


def write(team: Team, statement: str) -> None:
    with team.ada.app.app_context(), db.engine.begin() as connection:
        connection.execute(text(statement), {"team": team.id, "bob": team.bob.user_id})


def by(statement: str) -> Callable[[Team], None]:
    return lambda team: write(team, statement)


def remove(team: Team) -> None:
    assert team.ada.delete(f"/organizations/{team.id}/members/{team.bob.user_id}").status_code == 204


def leave(team: Team) -> None:
    assert team.bob.delete(f"/organizations/{team.id}/members/{team.bob.user_id}").status_code == 204


def demote(team: Team) -> None:
    answer = team.ada.patch(f"/organizations/{team.id}/members/{team.bob.user_id}", {"role": "viewer"})
    assert answer.status_code == 200


def disable(team: Team) -> None:
    with team.ada.app.app_context():
        set_disabled(team.bob.user_id, True)
        db.session.remove()


def delete_account(team: Team) -> None:
    answer = team.bob.request("DELETE", "/profile", json={"password": PASSWORD})
    assert answer.status_code == 204, answer.json


def delete_team(team: Team) -> None:
    answer = team.ada.request("DELETE", f"/organizations/{team.id}", json={"name": "Team"})
    assert answer.status_code == 204, answer.json


LOSSES: dict[str, Callable[[Team], None]] = {
    "removed": remove,
    "left": leave,
    "demoted": demote,
    "disabled": disable,
    "account deleted": delete_account,
    "organization deleted": delete_team,
}
# The same with nobody to cancel the jobs: whoever takes a right away in some other way is heeded all the same.
SILENT_LOSSES = {
    "membership gone": by("DELETE FROM memberships WHERE organization_id = :team AND user_id = :bob"),
    "viewer": by("UPDATE memberships SET role = 'viewer' WHERE organization_id = :team AND user_id = :bob"),
    "disabled": by("UPDATE users SET disabled_at = now() WHERE id = :bob"),
    "deleted": by("UPDATE users SET deleted_at = now() WHERE id = :bob"),
    "no person": by("UPDATE jobs SET user_id = NULL"),
}
ALL_LOSSES = {**LOSSES, **{f"in silence: {name}": loss for name, loss in SILENT_LOSSES.items()}}


def assert_nothing_came_of_it(team: Team, job_id: str) -> None:
    status, error, result = team.job(job_id)
    assert (status, error, result) == ("cancelled", LOST, None)
    assert team.titles() == []


@pytest.mark.parametrize("loss", LOSSES)
def test_who_takes_a_right_away_cancels_what_hangs_on_it(team: Team, loss: str) -> None:
    job_id = team.ask()
    of_another = team.ask(team.eve)
    LOSSES[loss](team)
    assert_nothing_came_of_it(team, job_id)
    assert team.job(of_another)[0] == ("cancelled" if loss == "organization deleted" else "queued")


@pytest.mark.parametrize("loss", ALL_LOSSES)
def test_a_job_whose_person_has_lost_the_right_is_not_begun(team: Team, loss: str) -> None:
    job_id = team.ask()
    ALL_LOSSES[loss](team)
    team.run(job_id)
    assert_nothing_came_of_it(team, job_id)
    assert team.provider.asked == []


@pytest.mark.parametrize("loss", [name for name in ALL_LOSSES if name != "in silence: no person"])
def test_the_teams_texts_do_not_leave_the_server_any_more(
    team: Team, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right is lost when the job runs already, and has put its question together."""
    gather = llm_steps.build_context

    def lose_then_gather(*arguments: Any) -> Any:
        material = gather(*arguments)
        db.session.rollback()
        ALL_LOSSES[loss](team)
        return material

    monkeypatch.setattr(llm_steps, "build_context", lose_then_gather)
    job_id = team.ask()
    team.run(job_id)
    assert_nothing_came_of_it(team, job_id)
    assert team.provider.asked == []


@pytest.mark.parametrize("loss", [name for name in ALL_LOSSES if name != "in silence: no person"])
def test_what_was_found_is_not_added_any_more(team: Team, loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right is lost while the language model thinks."""
    add_steps = task_jobs.add_steps

    def lose_then_add(*arguments: Any) -> Any:
        db.session.rollback()
        ALL_LOSSES[loss](team)
        return add_steps(*arguments)

    monkeypatch.setattr(task_jobs, "add_steps", lose_then_add)
    job_id = team.ask()
    team.run(job_id)
    assert len(team.provider.asked) == 1
    assert_nothing_came_of_it(team, job_id)


def test_a_question_is_not_repaired_with_the_texts_of_a_team_that_was_left(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first answer of another form is followed by a second question, which carries the material again."""
    team.provider.replies = [(200, said("no JSON"), {})]

    def refuse(body: Any) -> None:
        if not lost.is_set():
            lost.set()
            write(team, "DELETE FROM memberships WHERE organization_id = :team AND user_id = :bob")

    lost = threading.Event()
    monkeypatch.setattr(team.provider, "refuses", refuse)
    job_id = team.ask()
    team.run(job_id)
    assert_nothing_came_of_it(team, job_id)
    assert len(team.provider.asked) == 1


def test_who_removes_a_person_waits_for_what_is_being_applied(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either the right is lost first and nothing is added, or what is added was so while the right was there."""
    keep_result, remover = task_jobs.store_result, threading.Thread(target=remove, args=[team])

    def keep_then_remove(*arguments: Any) -> None:
        keep_result(*arguments)
        remover.start()
        assert eventually(lambda: is_waiting(team))
        assert has_membership()

    def has_membership() -> bool:
        which = {"team": team.id, "bob": team.bob.user_id}
        found = text("SELECT 1 FROM memberships WHERE organization_id = :team AND user_id = :bob")
        return db.session.scalar(found, which) == 1

    monkeypatch.setattr(task_jobs, "store_result", keep_then_remove)
    job_id = team.ask()
    team.run(job_id)
    remover.join()
    assert team.titles() == ["Secret step"]
    assert team.job(job_id)[0] in ("succeeded", "cancelled")


def test_what_is_being_applied_waits_for_who_removes_the_person(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = team.ask()
    held, commits = threading.Event(), threading.Event()

    def remove_slowly() -> None:
        with team.ada.app.app_context(), db.engine.begin() as connection:
            values = {"team": team.id, "bob": team.bob.user_id}
            connection.execute(text("DELETE FROM memberships WHERE organization_id = :team AND user_id = :bob"), values)
            held.set()
            assert commits.wait(20)

    def commit_when_waited_for() -> None:
        assert eventually(lambda: is_waiting(team))
        commits.set()

    remover = threading.Thread(target=remove_slowly)
    watcher = threading.Thread(target=commit_when_waited_for)
    keep_result = task_jobs.store_result

    def remove_then_keep(*arguments: Any) -> None:
        remover.start()
        assert held.wait(20)
        watcher.start()
        keep_result(*arguments)

    monkeypatch.setattr(task_jobs, "store_result", remove_then_keep)
    team.run(job_id)
    for thread in (remover, watcher):
        thread.join()
    assert_nothing_came_of_it(team, job_id)


def is_waiting(team: Team) -> bool:
    """Whether some statement waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%memberships%'"
    with team.ada.app.app_context(), db.engine.connect() as connection:
        return bool(connection.scalar(text(waiting)))


def test_a_demotion_cancels_only_what_the_new_role_does_not_allow(team: Team, person: Callable[..., Api]) -> None:
    job_id = team.ask(team.eve)
    answer = team.ada.patch(f"/organizations/{team.id}/members/{team.eve.user_id}", {"role": "editor"})
    assert answer.status_code == 200
    assert team.job(job_id)[0] == "queued"


def test_what_a_person_asked_for_elsewhere_goes_on(team: Team) -> None:
    task = team.bob.post("/tasks", {"title": "Own plans"}).json["id"]
    job_id = str(team.bob.post(f"/tasks/{task}/breakdown", {"engine": "llm"}).json["id"])
    remove(team)
    team.run(job_id)
    assert team.job(job_id)[0] == "succeeded"


@pytest.mark.parametrize(
    "loss",
    [
        by("DELETE FROM api_tokens"),
        by("UPDATE api_tokens SET expires_at = now()"),
        by("UPDATE api_tokens SET scopes = '{bookmarks:write}'"),
        by("UPDATE memberships SET role = 'viewer' WHERE organization_id = :team AND user_id = :bob"),
        lambda team: team.bob.delete(f"/auth/tokens/{team.bob.get('/auth/tokens').json['items'][0]['id']}"),
    ],
)
def test_what_a_token_asked_for_ends_with_the_token(team: Team, loss: Callable[[Team], None]) -> None:
    api, _ = team.token()
    job_id = team.ask(api)
    loss(team)
    team.run(job_id)
    assert_nothing_came_of_it(team, job_id)
    assert team.provider.asked == []


def test_a_deleted_token_cancels_its_jobs_and_no_others(team: Team) -> None:
    api, token_id = team.token()
    with_token, with_login = team.ask(api), team.ask()
    assert team.bob.delete(f"/auth/tokens/{token_id}").status_code == 204
    assert [team.job(with_token)[0], team.job(with_login)[0]] == ["cancelled", "queued"]


def test_a_job_by_token_runs_while_the_token_is_good(team: Team) -> None:
    job_id = team.ask(team.token()[0])
    team.run(job_id)
    assert team.job(job_id)[0] == "succeeded"
    assert team.titles() == ["Secret step"]


def test_a_logout_takes_nothing_from_a_job(team: Team) -> None:
    job_id = team.ask()
    assert team.bob.post("/auth/logout").status_code == 204
    team.run(job_id)
    assert team.job(job_id)[0] == "succeeded"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_job_asks_for_the_right_when_it_is_claimed_and_when_it_ends(
    team: Team, kind: str, context: Flask
) -> None:
    ran: list[int] = []

    @running.durable_job
    def handler(job: running.ClaimedJob) -> dict[str, Any]:
        ran.append(job.attempt)
        write(team, "DELETE FROM memberships WHERE organization_id = :team AND user_id = :bob")
        return {"secret": True}

    job = Job(organization_id=team.id, user_id=team.bob.user_id, kind=kind)
    late = Job(organization_id=team.id, user_id=team.bob.user_id, kind=kind)
    db.session.add_all([job, late])
    db.session.commit()
    handler(job.id)
    handler(late.id)
    assert ran == [1]
    for one in (job, late):
        assert team.job(str(one.id)) == ("cancelled", LOST, None)


def test_the_right_of_every_kind_is_named() -> None:
    assert set(SCOPES) == set(KINDS)


def test_an_answer_that_was_kept_is_not_given_to_who_was_removed(team: Team) -> None:
    key = {"Idempotency-Key": "once"}
    body = {"email": "new@example.org", "role": "viewer"}
    path = f"/organizations/{team.id}/invitations"
    assert team.eve.post(path, body, headers=key).status_code == 201
    repeated = team.eve.post(path, body, headers=key)
    assert (repeated.status_code, repeated.headers["Idempotent-Replayed"]) == (201, "true")
    demoted = team.ada.patch(f"/organizations/{team.id}/members/{team.eve.user_id}", {"role": "editor"})
    assert demoted.status_code == 200
    assert team.eve.post(path, body, headers=key).status_code == 403
    assert team.ada.delete(f"/organizations/{team.id}/members/{team.eve.user_id}").status_code == 204
    assert team.eve.post(path, body, headers=key).status_code == 404


def test_nor_to_who_is_no_administrator_any_more(person: Callable[..., Api], bob: Api) -> None:
    chief = person("chief", admin=True)
    key, path = {"Idempotency-Key": "once"}, f"/admin/users/{bob.user_id}/disable"
    assert chief.post(path, headers=key).status_code == 200
    assert chief.post(path, headers=key).headers["Idempotent-Replayed"] == "true"
    with chief.app.app_context():
        set_admin(chief.user_id, False)
        db.session.remove()
    assert chief.post(path, headers=key).status_code == 403


def test_jobs_that_were_asked_for_before_the_right_was_lost_are_not_sent_again(team: Team, context: Flask) -> None:
    team.ask()
    remove(team)
    assert running.due_job_messages(10) == []
