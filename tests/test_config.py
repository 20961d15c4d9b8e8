"""The settings: typed, complete, and refused with the variable's name (STYLE 3)."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import ConfigurationError, Part, Settings, ensure_development_secrets, load_settings, sender_of

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parent.parent
SECRETS = {"SECRET_KEY": "mmHCx0_uGxx-RWiF9SSzFlcyAcKJ8grM", "JWT_SECRET_KEY": "2Jk-b7OPcs7mlG0TqWuPS4_XWbN2BL0A"}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://fuze@db/fuze",
    "REDIS_URL": "redis://redis:6379/0",
    "FRONTEND_URL": "https://fuze.example.org",
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


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FRONTEND_URL"])
def test_production_refuses_to_start_without(name: str) -> None:
    assert f"{name} is missing" in refusal(**{**PRODUCTION, name: ""})


def test_everything_that_is_missing_is_named_at_once() -> None:
    message = refusal(ENVIRONMENT="production")
    for name in ("SECRET_KEY", "JWT_SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FRONTEND_URL"):
        assert f"{name} is missing" in message.splitlines()


@pytest.mark.parametrize(
    "secret",
    ["tiny", "x" * 31, "a" * 64, "changeme" * 8, "Change-Me-" + "q" * 40, "abcabcab" * 8, "dev-secret-key" * 4],
)
@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY"])
def test_production_refuses_secrets_that_are_none(name: str, secret: str) -> None:
    message = refusal(**{**PRODUCTION, name: secret})
    assert name in message
    assert secret not in message


GUESSABLE = [
    "a" * 32,
    "a" * 31 + "b" * 9 + "cdefghij",
    "abc" * 20,
    "changeme-changeme-changeme-changeme",
    "CHANGE_ME_TO_A_LONG_RANDOM_STRING_1234",
    "xxxxxxxxxxxxxxxxchangemexxxxxxxxxxxxxxxxyz123",
    "my-super-secret-key-please-do-not-use-in-production",
    "this is not a very good key but it will do for now",
    "correct-horse-battery-staple-orange-window",
    "thisisaverysecretkeythatishardtoguess",
    "S3cr3tK3yF0rFuz3Pr0duct10n2026!!!!",
    "REPLACE_WITH_OPENSSL_RAND_HEX_32_OUTPUT_",
    "lorem ipsum dolor sit amet consectetur adipiscing",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "zyxwvutsrqponmlkjihgfedcba9876543210",
    "aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQ",
    "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
    "0123456789abcdef" * 4,
    "1234567890" * 4,
    "qwertyuiopasdfghjklzxcvbnm1234567890",
    "nnKDy1_vHyy-SXjG" * 4,
    "00000000-0000-0000-0000-000000000001",
]


@pytest.mark.parametrize("secret", GUESSABLE)
@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY", "PREVIOUS_SECRET_KEYS"])
def test_production_refuses_keys_that_can_be_guessed(name: str, secret: str) -> None:
    [message] = refusal(**{**PRODUCTION, name: secret}).splitlines()
    assert message.startswith(name)
    assert "openssl rand -hex 32" in message
    assert secret not in message


@pytest.mark.parametrize("make", [lambda: secrets.token_hex(16), lambda: secrets.token_hex(32), secrets.token_urlsafe])
def test_keys_made_at_random_are_taken(make: Callable[[], str]) -> None:
    for _ in range(5):
        made = {name: make() for name in ("SECRET_KEY", "JWT_SECRET_KEY", "PREVIOUS_SECRET_KEYS")}
        load_settings(**{**PRODUCTION, **made})


@pytest.mark.parametrize(
    "keys",
    ["x", "k" * 31, f"{'mmHCx0_uGxx-RWiF9SSzFlcyAcKJ8gr'},", f"{secrets.token_hex(32)},y"],
    ids=["one letter", "one letter again and again", "too short", "the second is one letter"],
)
def test_production_refuses_short_earlier_keys(keys: str) -> None:
    [message] = refusal(**{**PRODUCTION, "PREVIOUS_SECRET_KEYS": keys}).splitlines()
    assert message.startswith("PREVIOUS_SECRET_KEYS: key ")


KEY = SECRETS["SECRET_KEY"]


@pytest.mark.parametrize(
    "other",
    [KEY, KEY.swapcase(), KEY + "1", "x9" + KEY, KEY[::-1], f" {KEY} ", KEY[:16] + "Zq4_"],
    ids=["equal", "other case", "longer", "longer in front", "reversed", "with blanks", "half"],
)
def test_production_refuses_one_key_for_two_purposes(other: str) -> None:
    told = refusal(**{**PRODUCTION, "JWT_SECRET_KEY": other})
    assert "SECRET_KEY and JWT_SECRET_KEY are the same" in told
    assert KEY not in told


def test_production_refuses_a_present_key_among_the_earlier_ones() -> None:
    for name, key in SECRETS.items():
        [told] = refusal(**{**PRODUCTION, "PREVIOUS_SECRET_KEYS": f"{secrets.token_hex(32)},{key}"}).splitlines()
        assert told.startswith(f"PREVIOUS_SECRET_KEYS holds the present {name}")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000", "https://LOCALHOST", "http://localhost.", "http://app.localhost", "http://127.0.0.1",
        "http://127.8.8.8:80/app", "http://127.1", "http://2130706433", "http://0x7f000001", "http://0177.0.0.1",
        "http://0.0.0.0:3000", "http://0", "http://[::1]", "http://[::]:3000", "http://[::ffff:127.0.0.1]",
        "http://localhost.localdomain", "http://ｌocalhost", "http://１２７.0.0.1", "http://0.1.2.3",
    ],
)  # fmt: skip
def test_links_in_mails_of_production_lead_to_no_reader_s_own_machine(url: str) -> None:
    for name in ("FRONTEND_URL", "PUBLIC_URL"):
        [told] = refusal(**{**PRODUCTION, name: url}).splitlines()
        assert told.startswith(f"{name} is an address of this machine alone")
        assert url == getattr(load_settings(**{name: url}), name)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "https://fuze.example.org"),
        ({"BASE_PATH": "/fuze"}, "https://fuze.example.org/fuze"),
        ({"FRONTEND_URL": "https://app.example.org:8443/app/"}, "https://app.example.org:8443"),
        ({"PUBLIC_URL": "https://api.example.org/fuze/", "BASE_PATH": "/fuze"}, "https://api.example.org/fuze"),
    ],
)
def test_mail_programs_reach_this_server_at_its_own_address_or_that_of_the_web_client(
    given: dict[str, str], address: str
) -> None:
    assert load_settings(**{**PRODUCTION, **given}).public_url == address


@pytest.mark.parametrize(
    "url", ["https://fuze.example.org", "http://192.168.1.5:3000", "https://a.example/app/", "http://nas"]
)
def test_addresses_that_readers_can_reach_are_taken(url: str) -> None:
    assert url == load_settings(**{**PRODUCTION, "FRONTEND_URL": url}).FRONTEND_URL


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "javascript://app.example.org/%0aalert(1)", "data:text/html,x", "ftp://app.example.org",
        "app.example.org", "//app.example.org", "https://", "https:///path", "https://me:pass@app.example.org",
        "https://app.example.org@evil.example", "https://app.example.org?next=1", "https://app.example.org/?",
        "https://app.example.org/#", "https://app.example.org#a", "https://app.example.org/ x",
        "https://app.example.org\\@e",
        "https://app.example.org\nX: y", "https://app.example.org:99999", "https://a<b>.example", "https://a.example/\"",
        "https://[::1",
        "https://ⓛocalhost",
    ],
)  # fmt: skip
@pytest.mark.parametrize("start", [PRODUCTION, {}], ids=["production", "development"])
def test_what_is_no_beginning_of_a_link_is_refused_everywhere(start: dict[str, str], url: str) -> None:
    for name in ("FRONTEND_URL", "PUBLIC_URL"):
        [told] = refusal(**{**start, name: url}).splitlines()
        assert told.startswith(f"{name}: ")


@pytest.mark.parametrize(
    "networks",
    [
        "0.0.0.0/0", "::/0", "0.0.0.0/1,128.0.0.0/1", "8.0.0.0/8", "10.0.0.0/7", "128.0.0.0/1", "2000::/3", "::/1",
        "::ffff:0:0/96", "64:ff9b::/96", "10.1.2.3, 0.0.0.0/0", ",".join(f"{n}.0.0.0/10,{n}.64.0.0/10" for n in (8,)),
    ],
)  # fmt: skip
def test_production_trusts_no_proxies_everywhere(networks: str) -> None:
    [told] = refusal(**{**PRODUCTION, "TRUSTED_PROXIES": networks}).splitlines()
    assert told.startswith("TRUSTED_PROXIES: ")
    assert "too wide" in told


@pytest.mark.parametrize(
    "networks", ["10.0.0.0/8,172.16.0.0/12", "fc00::/7", "104.16.0.0/13,2606:4700::/32", "127.0.0.1,::1"]
)
def test_networks_that_one_operator_owns_are_trusted(networks: str) -> None:
    assert load_settings(**{**PRODUCTION, "TRUSTED_PROXIES": networks}).TRUSTED_PROXIES


@pytest.mark.parametrize(
    ("part", "needed"),
    [
        ("worker", ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FRONTEND_URL")),
        ("scheduler", ("DATABASE_URL", "REDIS_URL")),
        ("migrate", ()),
    ],
)
def test_a_part_starts_with_what_it_needs_and_refuses_bad_values_all_the_same(
    part: Part, needed: tuple[str, ...]
) -> None:
    given = {name: PRODUCTION[name] for name in ("ENVIRONMENT", *needed)}
    assert load_settings(part, **given).ENVIRONMENT == "production"
    for name in needed:
        with pytest.raises(ConfigurationError, match=f"^{name} is missing$"):
            load_settings(part, **{**given, name: ""})
    with pytest.raises(ConfigurationError, match=r"^SECRET_KEY is shorter"):
        load_settings(part, **{**given, "SECRET_KEY": "short"})


EXTENSIONS = [
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://4d6f7a0e-1b2c-4d3e-8f90-a1b2c3d4e5f6",
    "safari-web-extension://4D6F7A0E-1B2C-4D3E-8F90-A1B2C3D4E5F6",
]


@pytest.mark.parametrize(
    "origins",
    [*EXTENSIONS, ",".join(EXTENSIONS), "https://app.example.org", " https://a.example , http://localhost:3000 ", ""],
)
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
        "chrome-extension://",
        "chrome-extension://*",
        "chrome-extension://abcdefghijklmnopabcdefghijklmno",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop/popup.html",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnoq",
        "moz-extension://*",
        "moz-extension://4d6f7a0e-1b2c-4d3e-8f90",
        "file://",
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


def test_other_standard_variables_of_opentelemetry_are_no_typing_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://collector:4318")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20YTpi, x-tenant = 7")
    monkeypatch.setenv("SENTRY_DSN", "https://0123456789abcdef@errors.example.org:8443/path/42")
    assert load_settings().OTEL_EXPORTER_OTLP_ENDPOINT == ""


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
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:password@collector:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,c d=e"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b%0D%0Ac"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("SENTRY_DSN", "https://errors.example.org/1"),
        ("SENTRY_DSN", "https://key@errors.example.org"),
        ("FROM_EMAIL", "fuze"),
        ("FROM_EMAIL", "fuze@example.org\nBcc: eve@example.org"),
        ("FROM_EMAIL", "=?utf-8?q?x=0D=0ABcc:_eve@example.org?= <fuze@example.org>"),
        ("FROM_EMAIL", "=?utf-8?q?x=0D=0ABcc:?=@example.org"),
        ("FROM_EMAIL", '"a b"@example.org'),
        ("FROM_EMAIL", "fuze(comment)@example.org"),
        ("FROM_EMAIL", "fuze@[127.0.0.1]"),
        ("FROM_EMAIL", "fuze@example.org, eve@example.org"),
        ("FROM_EMAIL", "Fuze, Inc. <fuze@example.org>"),
        ("FROM_EMAIL", "Fuze <fuze@example.org> more"),
        ("FROM_EMAIL", "team: fuze@example.org;"),
        ("FROM_EMAIL", "fuze@example.org\u2028"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert refusal().startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("fuze@localhost", "", "fuze@localhost"),
        ("Fuze <fuze@example.org>", "Fuze", "fuze@example.org"),
        ('"Fuze, Inc." <no-reply@example.org>', "Fuze, Inc.", "no-reply@example.org"),
        ("Büchersammlung <fuze@bücher.example>", "Büchersammlung", "fuze@xn--bcher-kva.example"),
    ],
)
def test_the_sender_may_have_a_name(monkeypatch: pytest.MonkeyPatch, value: str, name: str, address: str) -> None:
    monkeypatch.setenv("FROM_EMAIL", value)
    sender = sender_of(load_settings().FROM_EMAIL)
    assert (sender.display_name, sender.addr_spec) == (name, address)


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
    assert all(found == made[0] for found in made)
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
