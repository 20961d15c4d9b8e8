"""Encryption at rest, and moving to a new key (R-AUTH 9)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import SecretStr

from backend.ai import key_rotation
from backend.ai.key_rotation import ENCRYPTED, rotate_keys
from backend.ai.models import AiProvider
from backend.cli import encryption
from backend.encryption import DecryptionError, decrypt, encrypt, reencrypt
from backend.extensions import current_settings, db
from config import Settings
from tests.support.api import Api
from tests.support.factories import make_person

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
ROOT = Path(__file__).parent.parent
OLD, NEW = SecretStr("an old secret of more than 32 bytes " * 2), SecretStr("a new secret of more than 32 bytes " * 2)


@pytest.fixture
def keys(context: Flask, monkeypatch: pytest.MonkeyPatch):
    """Sets the present key and earlier ones."""

    def use(present: SecretStr, *previous: SecretStr) -> None:
        settings = current_settings()
        changed = settings.model_copy(update={"SECRET_KEY": present, "PREVIOUS_SECRET_KEYS": list(previous)})
        monkeypatch.setitem(context.extensions, "settings", changed)

    return use


def test_what_is_encrypted_comes_back_and_looks_different_each_time(context: Flask) -> None:
    token = encrypt("sk-ключ")
    assert decrypt(token) == "sk-ключ"
    assert encrypt("sk-ключ") != token
    assert b"sk-" not in token


def test_the_present_key_encrypts_and_earlier_ones_still_decrypt(keys) -> None:
    keys(OLD)
    token = encrypt("secret")
    keys(NEW, OLD)
    assert decrypt(token) == "secret"
    renewed = reencrypt(token)
    assert renewed is not None
    assert reencrypt(renewed) is None
    keys(NEW)
    assert decrypt(renewed) == "secret"
    with pytest.raises(DecryptionError):
        decrypt(token)


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: token[:-4] + b"AAA=", lambda _: b""])
def test_what_was_changed_is_not_decrypted(context: Flask, change) -> None:
    with pytest.raises(DecryptionError):
        decrypt(change(encrypt("secret")))


def provide(person: Api, api_key: str | None) -> None:
    encrypted = encrypt(api_key) if api_key else None
    db.session.add(
        AiProvider(user_id=person.user_id, base_url="https://x.example/v1", model="m", api_key_encrypted=encrypted)
    )
    db.session.commit()


def test_rotation_moves_every_key_and_can_be_run_again(context: Flask, keys) -> None:
    people = [make_person(context) for _ in range(5)]
    keys(OLD)
    for person in people[:4]:
        provide(person, f"key of {person.user_id}")
    provide(people[4], None)
    keys(NEW, OLD)
    assert vars(rotate_keys(batch=2)) == {"renewed": 4, "current": 0, "unreadable": 0}
    keys(NEW)
    for person in people[:4]:
        token = db.session.get_one(AiProvider, person.user_id, populate_existing=True).api_key_encrypted
        assert decrypt(token) == f"key of {person.user_id}"
    assert vars(rotate_keys(batch=2)) == {"renewed": 0, "current": 4, "unreadable": 0}


def test_rotation_moves_kept_answers_too(context: Flask, keys) -> None:
    keys(OLD)
    ada = make_person(context)

    def make() -> Any:
        headers = {"Idempotency-Key": "same"}
        return ada.post("/auth/tokens", {"name": "script", "scopes": ["*:read"]}, headers=headers)

    token = make().json["token"]
    keys(NEW, OLD)
    assert vars(rotate_keys()) == {"renewed": 1, "current": 0, "unreadable": 0}
    keys(NEW)
    assert make().json["token"] == token


@pytest.mark.unit
def test_rotation_knows_whatever_is_encrypted() -> None:
    """A module that encrypts writes a column of `ENCRYPTED`: name it there, and here."""
    encrypting = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "backend").rglob("*.py")
        if re.search(r"^from backend\.encryption import .*\bencrypt\b", path.read_text(), re.MULTILINE)
    }
    assert encrypting == {"backend/profile/ai/service.py", "backend/http/idempotency/service.py"}
    assert [str(column) for column in ENCRYPTED] == ["AiProvider.api_key_encrypted", "IdempotencyKey.body"]


def test_a_rotation_that_is_broken_off_goes_on_where_it_was(
    context: Flask, keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys(OLD)
    for _ in range(4):
        provide(make_person(context), "secret")
    keys(NEW, OLD)
    calls = []

    def dies_at_the_third(token: bytes) -> bytes | None:
        calls.append(token)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return reencrypt(token)

    with monkeypatch.context() as patch:
        patch.setattr(key_rotation, "reencrypt", dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            rotate_keys(batch=2)
    db.session.rollback()
    assert vars(rotate_keys(batch=2)) == {"renewed": 2, "current": 2, "unreadable": 0}


def test_what_no_key_fits_is_counted_and_left_alone(context: Flask, keys) -> None:
    keys(OLD)
    lost = make_person(context)
    provide(lost, "lost")
    keys(NEW)
    before = db.session.get_one(AiProvider, lost.user_id).api_key_encrypted
    provide(make_person(context), "kept")
    assert vars(rotate_keys()) == {"renewed": 0, "current": 1, "unreadable": 1}
    assert db.session.get_one(AiProvider, lost.user_id, populate_existing=True).api_key_encrypted == before


def test_the_operator_moves_the_keys_and_is_told_how_many(
    context: Flask, keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encryption, "connected_application", context.app_context)
    keys(OLD)
    provide(make_person(context), "secret")
    keys(NEW, OLD)
    moved = CliRunner().invoke(encryption.rotate_keys)
    assert moved.exit_code == 0
    assert "Encrypted again: 1\n" in moved.output
    keys(OLD)
    lost = CliRunner().invoke(encryption.rotate_keys)
    assert lost.exit_code == 1
    assert "1 can be read with none of the keys" in lost.output
    for secret in (OLD, NEW):
        assert secret.get_secret_value() not in moved.output + lost.output


def test_earlier_keys_are_a_list_that_is_not_shown() -> None:
    settings = Settings(_env_file=None, PREVIOUS_SECRET_KEYS="first-key, second-key,")
    assert [key.get_secret_value() for key in settings.PREVIOUS_SECRET_KEYS] == ["first-key", "second-key"]
    assert "first-key" not in repr(settings)
