"""Settings that cannot be started with, and what the one line about each must say; see `scripts/wrong-settings`."""

from __future__ import annotations

from dataclasses import dataclass, field

SECRET = "hunter2-is-my-password"
STRONG = {
    "SECRET_KEY": "mmHCx0_uGxx-RWiF9SSzFlcyAcKJ8grM",
    "JWT_SECRET_KEY": "2Jk-b7OPcs7mlG0TqWuPS4_XWbN2BL0A",
}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://fuze@127.0.0.1:9/fuze",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "FRONTEND_URL": "https://fuze.example.org",
    **STRONG,
}


@dataclass(frozen=True)
class WrongSettings:
    """A wrong start: the variables, and words of the line that refuses it."""

    name: str
    said: str
    variables: dict[str, str] = field(default_factory=dict)


def _production(name: str, said: str, **variables: str) -> WrongSettings:
    return WrongSettings(name, said, {**PRODUCTION, **variables})


WRONG = [
    WrongSettings("port is a word", "PORT", {"PORT": "eight"}),
    WrongSettings("environment misspelt", "ENVIRONMENT", {"ENVIRONMENT": "prod"}),
    WrongSettings("setting misspelt", "did you mean DATABASE_URL?", {"DATABSE_URL": "postgresql://u@h/d"}),
    WrongSettings("origin is a wildcard", "ALLOWED_ORIGINS", {"ALLOWED_ORIGINS": "*"}),
    WrongSettings("proxy is a name", "TRUSTED_PROXIES", {"TRUSTED_PROXIES": "proxy.local"}),
    WrongSettings("link begins with javascript", "FRONTEND_URL", {"FRONTEND_URL": "javascript:alert(1)"}),
    WrongSettings("sender is no address", "FROM_EMAIL", {"FROM_EMAIL": "fuze"}),
    WrongSettings("mail server without scheme", "SMTP_URL", {"SMTP_URL": f"u:{SECRET}@mail.example.org:25"}),
    WrongSettings(
        "another kind of database", "DATABASE_URL is not a postgresql:// address", {"DATABASE_URL": "mysql://h/d"}
    ),
    WrongSettings("@ in a password", "write %40 for @", {"DATABASE_URL": f"postgresql://u:{SECRET}@@127.0.0.1/d"}),
    WrongSettings(": in a password", "%3A for :", {"DATABASE_URL": f"postgresql://u:{SECRET}:x@127.0.0.1/d"}),
    WrongSettings("/ in a password", "%2F for /", {"DATABASE_URL": f"postgresql://u:a/{SECRET}@127.0.0.1/d"}),
    WrongSettings("# in a password", "%23 for #", {"DATABASE_URL": f"postgresql://u:{SECRET}#1@127.0.0.1/d"}),
    WrongSettings("@ in a password of Redis", "REDIS_URL", {"REDIS_URL": f"redis://:{SECRET}@@127.0.0.1:6379/0"}),
    WrongSettings("database away", "does not answer", {"DATABASE_URL": f"postgresql://u:{SECRET}@127.0.0.1:9/d"}),
    WrongSettings("model without a name", "LLM_MODEL is missing", {"LLM_BASE_URL": "http://127.0.0.1:9/v1"}),
    WrongSettings(
        "access outlives refresh", "ACCESS_TOKEN_MINUTES", {"ACCESS_TOKEN_MINUTES": "1440", "REFRESH_TOKEN_DAYS": "1"}
    ),
    WrongSettings(
        "one person may take all places",
        "CAPTURE_PER_PERSON",
        {"CAPTURE_PER_PERSON": "40", "CAPTURE_CONCURRENCY": "40"},
    ),
    WrongSettings("slow statements by a word", "SLOW_QUERY_MS", {"SLOW_QUERY_MS": "half a second"}),
    WrongSettings("fetch of an hour", "CAPTURE_TIMEOUT_SECONDS", {"CAPTURE_TIMEOUT_SECONDS": "3600"}),
    _production("no key", "SECRET_KEY is missing", SECRET_KEY=""),
    _production("one key for two purposes", "are the same", JWT_SECRET_KEY=STRONG["SECRET_KEY"]),
    _production("a key of one letter", "too few different characters", SECRET_KEY="a" * 64),
    _production("links to this machine", "FRONTEND_URL", FRONTEND_URL="http://localhost:3000"),
    _production("trust for everybody", "TRUSTED_PROXIES", TRUSTED_PROXIES="0.0.0.0/0"),
    _production("an earlier key of one letter", "PREVIOUS_SECRET_KEYS: key 1", PREVIOUS_SECRET_KEYS="x"),
]
