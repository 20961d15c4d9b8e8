"""The settings: typed, complete, and refused with the variable's name (STYLE 3)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import ConfigurationError, Settings, ensure_development_secrets, load_settings

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parent.parent
SECRETS = {"SECRET_KEY": "mmHCx0_uGxx-RWiF9SSzFlcyAcKJ8grM", "JWT_SECRET_KEY": "2Jk-b7OPcs7mlG0TqWuPS4_XWbN2BL0A"}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://fuze@db/fuze",
    "REDIS_URL": "redis://redis:6379/0",
    **SECRETS,
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of this machine, no `.env` of this directory."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def refusal(**variables: str) -> str:
    """Why these settings are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**variables)
    return str(caught.value)


def test_production_starts_with_real_secrets_and_addresses() -> None:
    assert load_settings(**PRODUCTION).ENVIRONMENT == "production"


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_production_refuses_to_start_without(name: str) -> None:
    assert f"{name} is missing" in refusal(**{**PRODUCTION, name: ""})


def test_everything_that_is_missing_is_named_at_once() -> None:
    message = refusal(ENVIRONMENT="production")
    for name in ("SECRET_KEY", "JWT_SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        assert name in message


@pytest.mark.parametrize(
    "secret",
    ["tiny", "x" * 31, "a" * 64, "changeme" * 8, "Change-Me-" + "q" * 40, "abcabcab" * 8, "dev-secret-key" * 4],
)
@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY"])
def test_production_refuses_secrets_that_are_none(name: str, secret: str) -> None:
    message = refusal(**{**PRODUCTION, name: secret})
    assert name in message
    assert secret not in message


@pytest.mark.parametrize("origins", ["https://app.example.org", " https://a.example , http://localhost:3000 ", ""])
def test_exact_origins_are_taken_and_trimmed(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", origins)
    found = load_settings().ALLOWED_ORIGINS
    assert found == [origin.strip() for origin in origins.split(",") if origin.strip()]


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example.org",
        "https://app.example.org,*",
        "app.example.org",
        "ftp://app.example.org",
        "https://app.example.org/",
        "https://app.example.org/path",
        "https://app.example.org?x",
        "https://user@app.example.org",
        "https://app.example.org:port",
        "https://(app|web).example.org",
        "https://app.example.org$",
        "https://",
        "null",
    ],
)
def test_an_origin_that_is_not_exact_stops_the_start(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    """R-HTTP 1."""
    monkeypatch.setenv("ALLOWED_ORIGINS", origin)
    assert "ALLOWED_ORIGINS" in refusal()


def test_a_wildcard_stops_the_command_line_with_the_name_of_the_variable(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backend", "up"],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "ALLOWED_ORIGINS": "*"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "ALLOWED_ORIGINS" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_networks_are_read_from_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1 ,2001:db8::/32")
    assert [str(network) for network in load_settings().TRUSTED_PROXIES] == [
        "10.0.0.0/8",
        "192.0.2.1/32",
        "2001:db8::/32",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "no"),
        ("PORT", "70000"),
        ("ENVIRONMENT", "prod"),
        ("LOG_LEVEL", "LOUD"),
        ("REGISTRATION", "maybe"),
        ("TRUSTED_PROXIES", "proxy.local"),
        ("ACCESS_TOKEN_MINUTES", "0"),
        ("ENABLE_CACHING", "perhaps"),
        ("SMTP_URL", "mail.example.org:25"),
        ("SMTP_URL", "http://mail.example.org"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", "smtp://mail.example.org:port"),
        ("FROM_EMAIL", "fuze"),
        ("FROM_EMAIL", "fuze@example.org\nBcc: eve@example.org"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert refusal().startswith(f"{name}: ")


def test_a_variable_that_is_empty_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert load_settings().PORT == 8000


def test_the_file_counts_less_than_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nLOG_LEVEL=ERROR\n")
    monkeypatch.setenv("PORT", "9001")
    settings = load_settings()
    assert (settings.PORT, settings.LOG_LEVEL) == (9001, "ERROR")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_the_database_means_the_same_driver(scheme: str) -> None:
    assert load_settings(DATABASE_URL=f"{scheme}://u@h/d").database_url == "postgresql+psycopg2://u@h/d"


@pytest.mark.parametrize("url", ["sqlite:///fuze.db", "mysql://h/d"])
def test_there_is_one_kind_of_database(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        load_settings(DATABASE_URL=url).database_url  # noqa: B018


def test_development_secrets_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ensure_development_secrets(tmp_path / "var"), range(16)))
    assert all(secrets == made[0] for secrets in made)
    assert len(set(made[0].values())) == 2
    assert stat.S_IMODE((tmp_path / "var" / "secrets.json").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secrets.json"]


def test_no_secret_shows_when_the_settings_are_printed() -> None:
    shown = repr(load_settings(**PRODUCTION))
    assert not any(secret in shown for secret in SECRETS.values())


@pytest.mark.parametrize(
    "url",
    [
        "api.openai.com/v1", "ftp://llm.example.org/v1", "https://me:secret@llm.example.org/v1", "https://",
        "https://llm.example.org/v1?key=1", "https://llm.example.org/v1#a", "http://[::1/v1", "http://a:port/v1",
    ],
)  # fmt: skip
def test_an_address_of_a_language_model_that_cannot_be_used_stops_the_start(url: str) -> None:
    assert "LLM_BASE_URL" in refusal(LLM_BASE_URL=url, LLM_MODEL="m")


def test_a_language_model_needs_a_name_and_a_key_that_can_be_sent() -> None:
    assert "LLM_MODEL is missing" in refusal(LLM_BASE_URL="http://ollama:11434/v1")
    told = refusal(LLM_BASE_URL="http://ollama:11434/v1", LLM_MODEL="m", LLM_API_KEY="sk-first\nsk-second")
    assert "LLM_API_KEY" in told
    assert "sk-" not in told
    assert load_settings(LLM_BASE_URL="http://ollama:11434/v1", LLM_MODEL="m").LLM_DAILY_TOKENS == 200_000


def test_no_person_may_take_all_places_of_a_worker() -> None:
    message = refusal(CAPTURE_CONCURRENCY="8", CAPTURE_PER_PERSON="8")
    assert "CAPTURE_PER_PERSON is not below CAPTURE_CONCURRENCY" in message
    assert load_settings(CAPTURE_CONCURRENCY="8", CAPTURE_PER_PERSON="7").CAPTURE_PER_PERSON == 7
