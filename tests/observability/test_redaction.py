"""What is hidden in log lines, and what is not (R-LOG 5)."""

from __future__ import annotations

import pytest

from backend.observability import redaction
from backend.observability.redaction import HIDDEN, MOST_TEXT, hide_values, loggable_path, redact, redact_fields

pytestmark = pytest.mark.unit
SECRET = "q7Xz-19aK_bb2Lw0pP"
JWT = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{SECRET}"


@pytest.mark.parametrize(
    "text",
    [
        f"token {JWT}",
        f"TOKEN {JWT.upper()}",
        "fz_" + "a1B2" * 9,
        "FZ_" + "A1b2" * 9,
        "fuze_" + "a1B2" * 9,
        f"Incorrect API key provided: sk-{SECRET}.",
        "AIza" + "a1B2" * 9,
        "ghp_" + "a1B2" * 9,
        "hf_" + "a1B2" * 6,
        "AKIA" + "A1B2" * 4,
        f"Authorization: Basic {SECRET}",
        f"{{'Authorization': 'Token {SECRET}', 'Cookie': 'a={SECRET}; b={SECRET}'}}",
        f"Set-Cookie: fuze_refresh={SECRET}; HttpOnly",
        f"sent bearer {SECRET} to it",
        f"Token {SECRET}",
        f"postgresql+psycopg2://fuze:{SECRET}@db:5432/fuze",
        f"redis://:{SECRET}@cache:6379/0",
        f"redis://:{SECRET} with {SECRET}@cache:6379/0",
        f"https://example.org/?a=1&access_token={SECRET}&b=2",
        f"https://example.org/?sig={SECRET}#part",
        f"https://example.org/reset-password#token={SECRET}",
        f"password={SECRET}",
        f'{{"new_password": "{SECRET} and {SECRET}", "name": "x"}}',
        f"client_secret => {SECRET}",
        f"X-Api-Key: {SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET.replace('-', '')}\n-----END RSA PRIVATE KEY-----",
        f"GET /api/v1/feeds/{SECRET} 200",
    ],
)
def test_secrets_are_hidden_by_their_form(text: str) -> None:
    hidden = redact(text)
    assert HIDDEN in hidden
    assert not [
        part for part in (SECRET, SECRET.replace("-", ""), "a1B2a1B2", "A1b2A1b2", "A1B2A1B2") if part in hidden
    ]
    # What is hidden is not taken for a secret again.
    assert redact(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v1/bookmarks/17 200",
        "GET /api/v1/auth/tokens/17 204",
        "GET /api/v1/feeds/17 200",
        "GET /api/v1/feeds/17?page=2 200",
        "job breakdown failed on attempt 2",
        "the token expired, basic checks follow",
        "a bearer of news",
        "https://example.org/a?page=2&sort=-created_at",
        "redis://cache:6379 does not answer, ask admin@example.org",
        "eyjafjallajökull is a volcano",
        "message 'job-0f2c' dropped: arguments",
        "Select a course from the list'; --",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


def test_values_are_hidden_by_their_keys_in_nested_structures_too() -> None:
    fields = {
        "Password": "short",
        "refresh_token": "short",
        "prompt_tokens": 12,
        "token_id": 7,
        "headers": {"Proxy-Authorization": "short", "Accept": "text/html"},
        "calls": [{"api_key": "short"}, f"Bearer {SECRET}", ("a", b"sk-" + SECRET.encode())],
        "secrets": ["short"],
    }
    assert redact_fields(fields) == {
        "Password": HIDDEN,
        "refresh_token": HIDDEN,
        "prompt_tokens": 12,
        "token_id": 7,
        "headers": {"Proxy-Authorization": HIDDEN, "Accept": "text/html"},
        "calls": [{"api_key": HIDDEN}, f"Bearer {HIDDEN}", ["a", HIDDEN]],
        "secrets": HIDDEN,
    }


def test_a_value_that_cannot_be_shown_fails_nothing() -> None:
    class Shy:
        def __str__(self) -> str:
            raise RuntimeError

    assert redact_fields({"shy": Shy()}) == {"shy": "<Shy>"}


def test_a_structure_that_is_too_deep_is_still_hidden() -> None:
    fields: dict[str, object] = {"password": SECRET}
    for _ in range(8):
        fields = {"inner": fields}
    assert SECRET not in str(redact_fields(fields))


@pytest.mark.parametrize("size", [MOST_TEXT, 10 * MOST_TEXT])
def test_of_a_long_text_no_half_of_a_secret_is_left(size: int) -> None:
    words = f" {JWT} " * (size // len(JWT))
    hidden = redact(words)
    assert len(hidden) <= MOST_TEXT
    assert SECRET not in hidden
    assert "eyJ" not in hidden
    assert redact("x" * size)[:1] in ("x", " ")


def test_values_that_are_known_are_hidden_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_secrets", None)
    assert loggable_path("/a/correct horse/b") == "/a/correct horse/b"
    hide_values(["correct horse", "correct horse battery", "short"])
    assert redact("xcorrect horse batteryx short") == f"x{HIDDEN}x short"
    assert loggable_path("/a/correct horse/b") == f"/a/{HIDDEN}/b"
    hide_values([])
    assert redact("correct horse") == "correct horse"
