"""What counts as the same name or mail address (R-AUTH 5), and which names can be had."""

from __future__ import annotations

import pytest

from backend.text.account_keys import account_key
from tests.support.api import PASSWORD, Api, field_errors

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HEART = "\u2764\ufe0f"
FILLER = "\u3164"


@pytest.mark.unit
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada", "aDA"),
        ("ada", "\uff41\uff44\uff41"),  # Full width.
        ("\u00e9mile", "e\u0301mile"),  # One sign, and two.
        ("stra\u00dfe", "STRASSE"),
        ("\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3"),
        ("kelvin", "\u212aelvin"),
        ("ada", "a\u034fda"),  # Combining grapheme joiner.
        ("ada", "ada\ufe0f"),
        ("ada", "a\u200dda"),
        ("ada", f"ada{FILLER}"),
        (HEART, "\u2764"),
        ("ada@b\u00fccher.example", "ADA@xn--bcher-kva.example"),
        ("ada@stra\u00dfe.example", "ada@xn--strae-oqa.example"),
    ],
)
def test_what_looks_the_same_or_is_the_same_mailbox_is_one(one: str, other: str) -> None:
    assert account_key(one) == account_key(other)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada", "ado"),
        ("ada", "ad\u0430"),  # A Cyrillic letter: another, though it looks alike.
        ("ada@example.org", "ada@example.com"),
        ("xn--bcher-kva", "b\u00fccher"),  # No domain.
        ("ada@xn--no-such-thing-.example", "ada@example"),
        (FAMILY, "\U0001f468"),
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert account_key(one) != account_key(other)


def register(api: Api, username: str, email: str) -> int:
    body = {"username": username, "email": email, "password": PASSWORD}
    return int(api.post("/auth/register", body).status_code)


@pytest.mark.integration
@pytest.mark.requires_db
@pytest.mark.parametrize("alike", ["\uff41da", "a\u034fda", "ada\ufe0f", "A\u200dDA", "ad\uff21"])
def test_nobody_takes_a_name_that_looks_like_that_of_another(ada: Api, anonymous: Api, alike: str) -> None:
    assert register(anonymous, alike, "other@example.org") == 409
    assert anonymous.post("/auth/login", {"login": alike, "password": PASSWORD}).json["user"]["id"] == ada.user_id


@pytest.mark.integration
@pytest.mark.requires_db
def test_one_mailbox_is_one_account_however_its_domain_is_written(anonymous: Api) -> None:
    assert register(anonymous, "ada", "ada@b\u00fccher.example") == 201
    assert register(anonymous, "other", "ADA@XN--BCHER-KVA.example") == 409
    login = {"login": "ada@xn--bcher-kva.example", "password": PASSWORD}
    assert anonymous.post("/auth/login", login).json["user"]["email"] == "ada@b\u00fccher.example"


@pytest.mark.integration
@pytest.mark.requires_db
@pytest.mark.parametrize(
    "name",
    [
        "\u5f20\u4e09",
        "\u0645\u06cc\u200c\u0631\u0648\u0645",
        "\u0928\u092e\u0938\u094d\u0924\u0947",
        "jane.doe",
        "J_R-R.1990",
    ],
)
def test_names_of_all_scripts_come_back_as_they_went_in(anonymous: Api, name: str) -> None:
    assert register(anonymous, name, "ada@example.org") == 201
    answer = anonymous.post("/auth/login", {"login": name, "password": PASSWORD})
    assert answer.json["user"]["username"] == name


@pytest.mark.integration
@pytest.mark.requires_db
@pytest.mark.parametrize("name", [FILLER * 3, "\u200d\u200c", "\ufe0f\ufe0f", "\u034f\u034f", "ada\u202e", "\u00adada"])
def test_a_name_that_cannot_be_seen_or_turns_the_text_around_is_refused(anonymous: Api, name: str) -> None:
    body = {"username": name, "email": "ada@example.org", "password": PASSWORD}
    assert field_errors(anonymous.post("/auth/register", body)) == {"body.username": "value_error"}
