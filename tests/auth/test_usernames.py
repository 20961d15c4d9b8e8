"""A username never reaches another person's account: keys are folded first and checked after (R-TRUST 1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from backend.admin.service import find_user
from backend.auth.models import User
from backend.auth.names import is_username_key, username_fault
from backend.auth.queries import matches_login
from backend.cli import people
from backend.errors import Invalid, NotFound
from backend.extensions import db
from backend.registration.service import create_user
from backend.text.account_keys import INVISIBLE, account_key
from tests.support.api import PASSWORD, Api, field_errors

AT_SIGNS = [chr(code) for code in range(0x80, 0x110000) if "@" in unicodedata.normalize("NFKC", chr(code))]
REFUSED = [
    *(f"boss{sign}corp.example" for sign in AT_SIGNS),
    *("boss@corp.example", "boss\ufe6b\u034fcorp", "a/b", "a\u2044b", "\u2100da", "a\\b", "http:x", "\uff48ttp\uff1ax"),
    *("a\u00a0b", "a\u3000b", "a\tb", "a\x7fb", "a\u202eb", "a\u2066b", "\ufdfa", "\U0001f680\U0001f680", "a\u20ac"),
    *("O'Brien", "<b>", "a,b"),
    *("evil.example", "EVIL.com", "evil\uff0ecom", "evil\u2024com", "www.evil", "a.co.uk", "evil.com.", "evil.com-"),
    *("\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", "evil.xn--p1ai", "192.168.0.1", "nas.local", "x.onion"),
    *("..", "-_", "\u0301\u0301", "\u0301ada", "a\u200d", "\u0e33\u200d"),
]  # fmt: skip
# Letters, marks and signs of all kinds, with what folds into something else and what folds into nothing among them.
TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
        st.sampled_from([*AT_SIGNS, *"@._-aA1", "\uff0e", "\u2024", "\u0301", "\u0323", "\u034f", "\u200d", "\ufe0f"]),
        st.characters(categories=["L", "M", "N"]),
    ),
    min_size=1,
    max_size=12,
)


def register(api: Api, username: str, email: str = "other@example.org") -> Any:
    return api.post("/auth/register", {"username": username, "email": email, "password": PASSWORD})


@pytest.mark.unit
@given(TEXTS)
@example("boss\ufe6bcorp.example")
@settings(max_examples=2_000, deadline=None)
def test_the_key_of_an_accepted_username_has_nothing_but_letters_marks_digits_and_three_signs(name: str) -> None:
    if username_fault(name) is None:
        key = account_key(name)
        assert is_username_key(key)
        assert {unicodedata.category(sign)[0] for sign in key if sign not in "._-"} <= set("LMN")
        assert all(unicodedata.category(sign) == "Nd" for sign in key if unicodedata.category(sign)[0] == "N")
        assert not INVISIBLE.search(key)


@pytest.mark.unit
@given(st.one_of(TEXTS, st.text(), st.builds("{}@{}".format, TEXTS, TEXTS)))
@settings(max_examples=2_000, deadline=None)
def test_a_key_is_its_own_key(name: str) -> None:
    assert account_key(account_key(name)) == account_key(name)
    assert (
        account_key(unicodedata.normalize("NFC", name))
        == account_key(unicodedata.normalize("NFD", name))
        == account_key(name)
    )


@pytest.mark.integration
@pytest.mark.requires_db
@given(TEXTS, TEXTS)
@example("boss\ufe6bcorp.example", "boss\uff20corp.example")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_finds_an_account_is_its_own_name_or_address(context: Flask, name: str, other: str) -> None:
    """One row at most for any text, even where a row has a name from before the rule."""
    add_account(1, name, "boss@corp.example")
    add_account(2, other, "b@corp.example")
    for login in (name, other, "boss@corp.example", "BOSS\uff20corp.example"):
        found = db.session.scalars(select(User).where(matches_login(login))).all()
        assert len(found) <= 1
        for user in found:
            assert account_key(login) == (user.email_key if "@" in account_key(login) else user.username_key)
    assert [user.id for user in db.session.scalars(select(User).where(matches_login("boss@corp.example")))] == [1]
    db.session.rollback()


def add_account(number: int, username: str, email: str) -> None:
    statement = """
        INSERT INTO organizations (id, name, slug, personal) VALUES (:id, 'o', 'o' || :id, true);
        INSERT INTO users (id, email, email_key, username, username_key, password_hash, role, personal_organization_id)
        VALUES (:id, :email, :email, :username, :key, '', 'user', :id) ON CONFLICT DO NOTHING
    """
    values = {"id": number, "username": username, "key": account_key(username), "email": email}
    db.session.execute(text(statement), values)


@pytest.mark.integration
@pytest.mark.requires_db
@pytest.mark.parametrize("name", REFUSED)
def test_a_name_with_other_signs_or_one_that_reads_as_an_address_is_refused(
    anonymous: Api, ada: Api, name: str
) -> None:
    assert set(field_errors(register(anonymous, name))) == {"body.username"}
    assert set(field_errors(ada.patch("/profile", {"username": name}))) == {"body.username"}
    with ada.app.app_context(), pytest.raises(Invalid):
        create_user("other@example.org", name, PASSWORD, admin=False)


@pytest.mark.integration
@pytest.mark.requires_db
@pytest.mark.parametrize("email", ["a\uff20b@example.org", "\ufe6b@example.org", "boss\uff20corp.example@evil.example"])
def test_an_address_holds_one_at_sign_however_it_is_read(anonymous: Api, email: str) -> None:
    assert field_errors(register(anonymous, "ada", email)) == {"body.email": "value_error"}


@pytest.mark.integration
@pytest.mark.requires_db
def test_a_composed_and_a_decomposed_name_is_one_and_comes_back_composed(anonymous: Api) -> None:
    made = register(anonymous, "Cafe\u0301")
    assert made.json["user"]["username"] == "Caf\u00e9"
    assert register(anonymous, "caf\u00e9", "b@example.org").status_code == 409
    for login in ("cafe\u0301", "CAF\u00c9"):
        assert anonymous.post("/auth/login", {"login": login, "password": PASSWORD}).status_code == 200


@pytest.fixture
def command(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `users …` on the application of the test."""
    monkeypatch.setattr(people, "connected_application", app.app_context)
    return lambda *arguments: CliRunner().invoke(people.users, arguments, catch_exceptions=False)


@pytest.fixture
def offender(person: Callable[..., Api]) -> Api:
    """An account from before the rule, whose name folds into the boss's address."""
    offender = person("mallory")
    with offender.app.app_context():
        user = db.session.get_one(User, offender.user_id)
        user.username, user.username_key = "boss\ufe6bcorp.example", "boss@corp.example"
        db.session.commit()
    return offender


@pytest.fixture
def boss(anonymous: Api) -> Api:
    """Whose address another account's name folds into."""
    return Api(anonymous.app, session=register(anonymous, "boss", "boss@corp.example").json)


@pytest.mark.integration
@pytest.mark.requires_db
def test_an_account_named_like_an_address_is_not_found_by_it(
    offender: Api, boss: Api, command: Callable[..., Result]
) -> None:
    assert command("promote", "boss@corp.example").output == "Made an administrator of boss (boss@corp.example)\n"
    assert command("promote", offender.session["user"]["username"]).exit_code == 1
    assert boss.get("/admin/users").status_code == 200
    assert offender.get("/admin/users").status_code == 403
    for login in ("boss@corp.example", "BOSS\ufe6bcorp.example"):
        answer = Api(boss.app).post("/auth/login", {"login": login, "password": PASSWORD})
        assert answer.json["user"]["id"] == boss.user_id


@pytest.mark.integration
@pytest.mark.requires_db
@pytest.mark.parametrize("name", ["boss\ufe6bcorp.example", "O'Brien", "\U0001f680", "evil.example", "a b"])
def test_a_name_from_before_the_rule_is_listed_and_logs_in_by_address_until_it_is_changed(
    ada: Api, command: Callable[..., Result], name: str
) -> None:
    with ada.app.app_context():
        user = db.session.get_one(User, ada.user_id)
        user.username, user.username_key = name, account_key(name)
        db.session.commit()
        with pytest.raises(NotFound):
            find_user(name)
    checked = command("check").stdout.splitlines()
    assert [line.split("\t")[:3] for line in checked] == [[str(ada.user_id), name, "ada@example.org"]]

    def login(by: str) -> int:
        return ada.post("/auth/login", {"login": by, "password": PASSWORD}).status_code

    assert [login(name), login("ada@example.org")] == [401, 200]
    assert ada.patch("/profile", {"username": "ada"}).status_code == 200
    assert [login("ada"), command("check").stdout] == [200, ""]


@pytest.mark.integration
@pytest.mark.requires_db
def test_an_account_whose_key_another_has_taken_is_listed(ada: Api, bob: Api, command: Callable[..., Result]) -> None:
    assert command("check").stdout == ""
    with ada.app.app_context():
        db.session.get_one(User, bob.user_id).username = "\uff41da"
        db.session.get_one(User, ada.user_id).email_key = "a\u034fda@example.org"
        db.session.commit()
    lines = command("check").stdout.splitlines()
    assert [line.partition("\t")[0] for line in lines] == [str(ada.user_id), str(bob.user_id)]
    assert "mail address" in lines[0]
    assert "username" in lines[1]


@pytest.mark.integration
@pytest.mark.requires_db
@pytest.mark.parametrize("kind", ["name", "deleted"])
def test_a_reset_is_mailed_for_addresses_alone(ada: Api, kind: str) -> None:
    """Until a worker has removed a deleted account, its row has a name of its own in place of the address."""
    asked = "ada"
    if kind == "deleted":
        assert ada.request("DELETE", "/profile", json={"password": PASSWORD}).status_code == 204
        asked = f"deleted {ada.user_id}"
    assert ada.post("/auth/password/forgot", {"email": asked}).status_code == 202
    with ada.app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM mail_tokens")) == 0
