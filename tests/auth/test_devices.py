"""A device that an account knows is not held up by strangers' wrong passwords (R-AUTH 7)."""

from __future__ import annotations

from typing import Any

import pytest

from backend.auth import login_throttle, service
from backend.auth.devices import MAX_ENTRIES, DeviceRecognition
from tests.support.api import PASSWORD, Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
HOME, OFFICE, ELSEWHERE = "198.51.100.7", "192.0.2.1", "203.0.113.9"
NEW = "quite another password 7"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are compared without hashing, for tests of hundreds of logins."""
    login_throttle._memory.counts.clear()
    right = {True: PASSWORD, False: None}
    monkeypatch.setattr(service, "password_matches", lambda hashed, given: right[hashed is not None] == given)


def log_in(api: Api, password: str = PASSWORD, login: str = "ada", address: str = OFFICE) -> Any:
    return api.post("/auth/login", {"login": login, "password": password}, environ_base={"REMOTE_ADDR": address})


def status(api: Api, password: str = PASSWORD, login: str = "ada", address: str = OFFICE) -> int:
    return int(log_in(api, password, login, address).status_code)


def browser(api: Api, *accounts: str, address: str = OFFICE) -> Api:
    """A browser in which people have logged in."""
    made = Api(api.app)
    for account in accounts:
        assert status(made, login=account, address=address) == 200
    return made


def attack(api: Api, login: str = "ada", address: str = ELSEWHERE, tries: int = 5) -> None:
    """Strangers' wrong passwords, until they have to wait."""
    statuses = [status(Api(api.app), "wrong password", login, address) for _ in range(tries + 1)]
    assert statuses == [401] * tries + [429]


def attack_address(api: Api) -> None:
    """Wrong passwords for many accounts, until the whole office has to wait."""
    for place in range(30):
        assert status(Api(api.app), "wrong password", f"nobody{place}") == 401
    assert status(Api(api.app), "wrong password", "nobody") == 429


def test_a_device_with_its_cookie_is_held_up_by_no_stranger_anywhere(ada: Api) -> None:
    known = browser(ada, "ada")
    ada.post("/auth/logout-all")
    attack(ada)
    attack_address(ada)
    for address in (OFFICE, HOME):
        assert status(known, address=address) == 200
    assert status(Api(ada.app), address="203.0.113.77") == 429


def test_whoever_registered_on_a_device_is_known_there(anonymous: Api) -> None:
    body = {"email": "new@example.org", "username": "new", "password": PASSWORD}
    assert anonymous.post("/auth/register", body, environ_base={"REMOTE_ADDR": HOME}).status_code == 201
    attack(anonymous, "new")
    assert status(anonymous, login="new") == 200


def test_the_address_of_a_login_is_known_until_it_is_ended(ada: Api) -> None:
    session = Api(ada.app, session=log_in(Api(ada.app), address=HOME).json)
    attack(ada)
    assert status(Api(ada.app), address=HOME) == 200
    assert status(Api(ada.app)) == 429
    session.post("/auth/logout-all")
    assert status(Api(ada.app), address=HOME) == 429


def test_a_known_address_is_not_held_up_by_neighbours_in_its_network_of_ipv6(ada: Api) -> None:
    assert status(Api(ada.app), address="2001:db8:1:2:3::4") == 200
    attack(ada)
    assert status(Api(ada.app), address="2001:db8:1:2::9") == 200
    assert status(Api(ada.app), address="2001:db8:1:3::9") == 429


def test_at_a_known_address_the_failures_of_all_people_there_count(ada: Api) -> None:
    """Else whoever sits in an office could try the accounts of everybody who works there."""
    assert status(Api(ada.app)) == 200
    attack_address(ada)
    assert status(Api(ada.app)) == 429


def test_failures_at_a_known_address_hold_up_that_address_and_strangers(ada: Api) -> None:
    assert status(Api(ada.app)) == 200
    attack(ada, address=OFFICE)
    assert status(Api(ada.app), address=ELSEWHERE) == 429


def test_a_known_device_may_fail_five_times_as_well(ada: Api) -> None:
    known = browser(ada, "ada")
    assert [status(known, "wrong password") for _ in range(6)] == [401] * 5 + [429]
    assert status(known) == 429
    # What it failed counts for strangers, too: together they have no more tries than before.
    assert status(Api(ada.app), address=ELSEWHERE) == 429


@pytest.mark.parametrize("whose", ["another account", "forged", "empty", "not ASCII", "cut", "of another key"])
def test_a_cookie_that_is_not_of_the_account_makes_nobody_known(ada: Api, bob: Api, whose: str) -> None:
    """An account of one's own is no way to try the passwords of others."""
    stranger = browser(ada, "bob", address=ELSEWHERE)
    cookie = stranger.client.get_cookie("fuze_device", path="/api/v1/auth")
    assert cookie is not None
    value = {
        "forged": cookie.value[:22] + "A" * 43,
        "empty": "",
        "not ASCII": "\u00fc" * 65,
        "cut": cookie.value[:-1],
        "of another key": "A" * 65,
    }.get(whose, cookie.value)
    stranger.client.set_cookie("fuze_device", value, path="/api/v1/auth")
    attack(ada, address=HOME)
    assert status(stranger, address=ELSEWHERE) == 429
    assert status(stranger, "wrong password", address=ELSEWHERE) == 429


def test_people_who_share_a_browser_are_all_known_there(ada: Api, bob: Api) -> None:
    shared = browser(ada, "ada", "bob", "ada", "bob")
    cookie = shared.client.get_cookie("fuze_device", path="/api/v1/auth")
    assert cookie is not None
    assert len(cookie.value.split(".")) == 2
    attack(ada, "ada")
    attack(ada, "bob")
    assert [status(shared, login=name, address=HOME) for name in ("ada", "bob")] == [200, 200]


def test_the_cookie_remembers_the_last_few_accounts(person: Any) -> None:
    people = [person(f"person{place}") for place in range(MAX_ENTRIES + 2)]
    shared = browser(people[0], *(f"person{place}" for place in range(MAX_ENTRIES + 2)))
    cookie = shared.client.get_cookie("fuze_device", path="/api/v1/auth")
    assert cookie is not None
    assert len(cookie.value.split(".")) == MAX_ENTRIES


def test_a_new_password_makes_every_other_device_unknown(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    thief = browser(ada, "ada", address=ELSEWHERE)
    assert ada.post("/profile/password", {"current_password": PASSWORD, "new_password": NEW}).status_code == 204
    attack(ada, address=HOME)
    assert status(thief, NEW, address=ELSEWHERE) == 429


def test_the_cookie_is_hidden_from_scripts_and_sent_for_logins_only(ada: Api) -> None:
    for path in ("/auth/login", "/auth/login?cookie=true"):
        answer = ada.post(path, {"login": "ada", "password": PASSWORD})
        line = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("fuze_device="))
        for part in ("HttpOnly", "SameSite=Strict", "Path=/api/v1/auth", "Secure", "Max-Age=31536000"):
            assert part in line
        assert "device" not in answer.json
    assert "fuze_device" not in str(ada.post("/auth/login", {"login": "ada", "password": "wrong"}).headers)


def test_strangers_at_the_address_do_not_keep_who_is_logged_in_from_changing_the_password(ada: Api) -> None:
    attack_address(ada)
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = ada.post("/profile/password", body, environ_base={"REMOTE_ADDR": OFFICE})
    assert answer.status_code == 204


@pytest.mark.unit
def test_a_device_is_known_by_its_cookie_or_its_address() -> None:
    assert DeviceRecognition("id").is_known_device
    assert DeviceRecognition(address=True).is_known_device
    assert not DeviceRecognition().is_known_device
