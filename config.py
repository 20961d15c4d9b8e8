"""Every setting of Fuze, typed and validated. Nothing else reads the environment."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import tempfile
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, cast
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VERSION = "0.1.0"


class Budget(NamedTuple):
    """How many requests of one class of routes may come in each window (R-LIMIT 3)."""

    minute: int = 60
    hour: int = 1_000
    day: int = 10_000


DEFAULT_BUDGET = Budget()
# The one table of limits. It holds for RATE_LIMIT_PER_MINUTE=60, _PER_HOUR=1000 and _PER_DAY=10000; other values of
# these change every class in proportion.
RATE_LIMIT_CLASSES: dict[str, Budget] = {
    "default": DEFAULT_BUDGET,
    # Wrong passwords are bounded apart, to five (R-AUTH 7), and mails to three an hour. Behind one address may be a
    # whole office, which comes to work at nine and logs in.
    "auth": Budget(minute=300, hour=3_000, day=30_000),
    "list": Budget(minute=60),
    "read": Budget(minute=120),
    "write": Budget(minute=30),
    "search": Budget(minute=60),
    "dashboard": Budget(minute=30),
    "activity": Budget(minute=60),
    "import": Budget(minute=10),
    "llm": Budget(minute=10, hour=100),
    "recommendations": Budget(minute=20, hour=200),
}
# How long an answer of each namespace is kept at most, in seconds (R-CACHE 1).
CACHE_SECONDS = {
    "list": 60,
    "bookmark": 300,
    "project": 600,
    "task": 300,
    "dashboard": 300,
    "activity": 60,
    "statistics": 600,
    "profile": 1_800,
    "organization": 3_600,
    "recommendations": 300,
}
EXACT_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE)
SECRET_MIN_BYTES = 32
SECRET_NAMES = ("SECRET_KEY", "JWT_SECRET_KEY")
KNOWN_DEFAULTS = (
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "dev-secret",
    "your-secret",
    "replace-me",
    "example",
)


class ConfigurationError(Exception):
    """The settings cannot be used; the message is one readable line for each fault."""


class Settings(BaseSettings):
    """Read once at start from the environment and `.env`; the names are the variables' names."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", case_sensitive=True, hide_input_in_errors=True
    )

    ENVIRONMENT: Literal["development", "testing", "production"] = Field(
        "development", description="production refuses to start without real secrets and logs JSON lines"
    )
    SECRET_KEY: SecretStr = Field(SecretStr(""), description="32 bytes or more; encrypts what is stored encrypted")
    JWT_SECRET_KEY: SecretStr = Field(SecretStr(""), description="32 bytes or more; signs access and refresh tokens")
    PREVIOUS_SECRET_KEYS: Annotated[list[SecretStr], NoDecode] = Field(
        [], description="comma-separated earlier SECRET_KEYs, which still decrypt until `rotate-keys` has run"
    )
    DATABASE_URL: str = Field("", description="postgresql://user:password@host:5432/fuze; empty: embedded server")
    REDIS_URL: str = Field("", description="redis://host:6379/0; empty: embedded server")
    REDIS_PASSWORD: SecretStr = Field(SecretStr(""), description="used when REDIS_URL carries none")
    HOST: str = Field("127.0.0.1", description="address to listen on")
    PORT: int = Field(8000, ge=1, le=65535, description="port to listen on")
    FUZE_DATA_DIR: Path = Field(Path("var"), description="embedded servers, development secrets, unsent mail")
    WEB_CONCURRENCY: int | None = Field(
        None, ge=1, le=64, description="gunicorn processes; default: by the number of cores"
    )
    ALLOWED_ORIGINS: Annotated[list[str], NoDecode] = Field(
        [], description="comma-separated exact origins that browsers may call from; no wildcard"
    )
    TRUSTED_PROXIES: Annotated[list[Network], NoDecode] = Field(
        [], description="comma-separated addresses or networks whose X-Forwarded-* headers are believed"
    )
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level that is logged")
    LOG_DIR: Path | None = Field(None, description="also write app_YYYY-MM-DD.log files to this folder")
    ENABLE_RATE_LIMITING: bool = Field(True, description="limit requests for each person and address")
    RATE_LIMIT_PER_MINUTE: int = Field(60, ge=1, le=10**9, description="requests of one kind; others in proportion")
    RATE_LIMIT_PER_HOUR: int = Field(1_000, ge=1, le=10**9, description="the same for an hour")
    RATE_LIMIT_PER_DAY: int = Field(10_000, ge=1, le=10**9, description="the same for a day")
    ENABLE_CACHING: bool = Field(True, description="cache answers in Redis")
    REGISTRATION: Literal["open", "closed"] = Field("open", description="closed: only create-user makes accounts")
    ACCESS_TOKEN_MINUTES: int = Field(15, ge=1, le=1440, description="life of an access token")
    REFRESH_TOKEN_DAYS: int = Field(7, ge=1, le=365, description="life of a refresh token")
    DATABASE_POOL_SIZE: int = Field(10, ge=1, le=100, description="connections that each process keeps")
    DATABASE_STATEMENT_TIMEOUT_MS: int = Field(15_000, ge=100, description="longest statement of a request")
    TRASH_RETENTION_DAYS: int = Field(30, ge=1, description="days until a deleted bookmark or project is gone for good")
    RECONCILE_SECONDS: int = Field(60, ge=1, le=3600, description="how often lost queue messages are sent again")
    CAPTURE_ALLOWED_NETWORKS: Annotated[list[Network], NoDecode] = Field(
        [], description="comma-separated networks that capture may reach although they are private"
    )
    CAPTURE_TIMEOUT_SECONDS: float = Field(20, gt=0, le=120, description="longest fetch of a page, redirects included")
    CAPTURE_MAX_BYTES: int = Field(10 * 1024 * 1024, ge=1024, description="longest page body that is read")
    CAPTURE_RETRY_SECONDS: int = Field(60, ge=1, description="wait before the second try; each later one waits longer")
    CAPTURE_LEASE_SECONDS: int = Field(
        120, ge=5, description="after this without a sign of life from its worker a capture is tried again"
    )
    CAPTURE_CONCURRENCY: int = Field(40, ge=2, le=200, description="pages that each worker fetches at once")
    CAPTURE_PER_PERSON: int = Field(2, ge=1, le=200, description="how many of them for one person while others wait")
    CAPTURE_PER_HOST: int = Field(2, ge=1, le=200, description="how many at once at one host, of all workers")
    CAPTURE_EXTRACT_SECONDS: float = Field(30, gt=0, le=300, description="longest extraction of a fetched page")
    EMBEDDING_PROVIDER: Literal["local", "openai", "none"] = Field(
        "local", description="local: all-MiniLM-L6-v2 on this machine; openai: any compatible endpoint"
    )
    EMBEDDING_MODEL: str = Field("all-MiniLM-L6-v2", description="model name, stored with every vector")
    EMBEDDING_DIMENSION: int = Field(384, ge=1, le=4000, description="length of the model's vectors")
    EMBEDDING_BASE_URL: str = Field("", description="OpenAI-compatible endpoint for EMBEDDING_PROVIDER=openai")
    EMBEDDING_API_KEY: SecretStr = Field(SecretStr(""), description="its key")
    LLM_BASE_URL: str = Field("", description="OpenAI-compatible endpoint for language features; empty: off")
    LLM_MODEL: str = Field("", description="its model")
    LLM_API_KEY: SecretStr = Field(SecretStr(""), description="its key")
    LLM_TIMEOUT_SECONDS: float = Field(60, gt=0, le=300, description="longest wait for all answers to a question")
    LLM_DAILY_TOKENS: int = Field(
        200_000, ge=1, le=10**12, description="tokens that each person may use of it in a day (UTC); own keys are free"
    )
    LLM_MONTHLY_TOKENS: int = Field(2_000_000, ge=1, le=10**12, description="the same for a month")
    AI_ALLOWED_NETWORKS: Annotated[list[Network], NoDecode] = Field(
        [], description="comma-separated networks that people's own LLM endpoints may be in although they are private"
    )
    SMTP_URL: SecretStr = Field(
        SecretStr(""), description="smtp://user:password@host:587 or smtps://host:465; empty: files in <data-dir>/mail"
    )
    FROM_EMAIL: str = Field("fuze@localhost", description="sender of mails")
    FRONTEND_URL: str = Field("http://localhost:3000", description="web client that links in mails lead to")

    @field_validator("ALLOWED_ORIGINS", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return _split(value)

    @field_validator("ALLOWED_ORIGINS")
    @classmethod
    def _refuse_wildcards(cls, value: list[str]) -> list[str]:
        for origin in value:
            if not EXACT_ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an exact origin such as https://app.example.com")
        return value

    @field_validator(
        "TRUSTED_PROXIES", "CAPTURE_ALLOWED_NETWORKS", "AI_ALLOWED_NETWORKS", "PREVIOUS_SECRET_KEYS", mode="before"
    )
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return _split(value)

    @field_validator("SMTP_URL")
    @classmethod
    def _check_mail_server(cls, value: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(value.get_secret_value())
            usable = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if value and not usable:
            raise ValueError("is not an address such as smtp://user:password@mail.example.org:587")
        return value

    @field_validator("LLM_BASE_URL")
    @classmethod
    def _check_llm_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if value and (not usable or "@" in parts.netloc or parts.query or parts.fragment):
            raise ValueError("is not an address such as https://api.openai.com/v1")
        return value

    @field_validator("LLM_API_KEY")
    @classmethod
    def _check_llm_key(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[\x21-\x7e]*", value.get_secret_value()):
            raise ValueError("holds characters that no HTTP header can carry")
        return value

    @field_validator("FROM_EMAIL")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        name, domain = parseaddr(value)[1].rpartition("@")[::2]
        if not name or not domain or not value.isprintable():
            raise ValueError("is not a mail address such as Fuze <fuze@example.org>")
        return value

    @model_validator(mode="after")
    def _need_a_model(self) -> Self:
        if self.LLM_BASE_URL and not self.LLM_MODEL:
            raise ValueError("LLM_MODEL is missing: LLM_BASE_URL does not say which model to ask")
        return self

    @model_validator(mode="after")
    def _leave_places_to_others(self) -> Self:
        if self.CAPTURE_PER_PERSON >= self.CAPTURE_CONCURRENCY:
            raise ValueError("CAPTURE_PER_PERSON is not below CAPTURE_CONCURRENCY: one person could take all places")
        return self

    @model_validator(mode="after")
    def _need_real_secrets_in_production(self) -> Self:
        if self.ENVIRONMENT == "production":
            faults = [fault for name in SECRET_NAMES if (fault := self._secret_fault(name))]
            faults += [f"{name} is missing" for name in ("DATABASE_URL", "REDIS_URL") if not getattr(self, name)]
            if faults:
                raise ValueError("; ".join(faults))
        return self

    def _secret_fault(self, name: str) -> str | None:
        value = getattr(self, name).get_secret_value()
        if not value:
            return f"{name} is missing"
        if len(value.encode()) < SECRET_MIN_BYTES:
            return f"{name} is shorter than {SECRET_MIN_BYTES} bytes"
        if any(value.lower().startswith(default) for default in KNOWN_DEFAULTS) or len(set(value)) < 8:
            return f"{name} is a known default"
        return None

    @property
    def rate_limits(self) -> dict[str, tuple[int, int, int]]:
        """The limits of each class of routes for a minute, an hour and a day; empty where nothing is limited."""
        if not self.ENABLE_RATE_LIMITING:
            return {}
        allowed = (self.RATE_LIMIT_PER_MINUTE, self.RATE_LIMIT_PER_HOUR, self.RATE_LIMIT_PER_DAY)
        return {
            name: cast(
                "tuple[int, int, int]",
                tuple(
                    max(1, budget * given // usual)
                    for budget, given, usual in zip(of_class, allowed, DEFAULT_BUDGET, strict=True)
                ),
            )
            for name, of_class in RATE_LIMIT_CLASSES.items()
        }

    @property
    def stack_file(self) -> Path:
        """Where a running `up` leaves the addresses of its embedded servers for other commands."""
        return self.FUZE_DATA_DIR / "stack.json"

    @property
    def database_url(self) -> str:
        """DATABASE_URL with the driver that Fuze uses spelled out."""
        for prefix in ("postgresql+psycopg2://", "postgresql://", "postgres://"):
            if self.DATABASE_URL.startswith(prefix):
                return "postgresql+psycopg2://" + self.DATABASE_URL[len(prefix) :]
        raise ConfigurationError("DATABASE_URL is not a postgresql:// address")


def load_settings(**overrides: object) -> Settings:
    """The settings of this process, complete: development secrets and embedded servers filled in.

    Raises:
        ConfigurationError: naming every variable that is missing or wrong, at once.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigurationError("\n".join(_readable(fault) for fault in error.errors())) from None
    if settings.ENVIRONMENT != "production":
        _fill_development_secrets(settings)
    if not (settings.DATABASE_URL and settings.REDIS_URL):
        _fill_embedded_servers(settings)
    return settings


def ensure_development_secrets(data_dir: Path) -> dict[str, str]:
    """The secrets kept in `<data_dir>/secrets.json`, made on the first call, readable by the owner only."""
    path = data_dir / "secrets.json"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=data_dir, prefix="secrets.")
        with os.fdopen(descriptor, "w") as file:
            json.dump({name: secrets.token_urlsafe(48) for name in SECRET_NAMES}, file)
        try:
            os.link(draft, path)  # Of two that start together, the first one's secrets stay.
        except FileExistsError:
            path.stat()
        finally:
            os.unlink(draft)
    found: dict[str, str] = json.loads(path.read_text())
    return found


def _fill_development_secrets(settings: Settings) -> None:
    missing = [name for name in SECRET_NAMES if not getattr(settings, name).get_secret_value()]
    if missing:
        made = ensure_development_secrets(settings.FUZE_DATA_DIR)
        for name in missing:
            setattr(settings, name, SecretStr(made[name]))


def _fill_embedded_servers(settings: Settings) -> None:
    if settings.stack_file.exists():
        running: dict[str, str] = json.loads(settings.stack_file.read_text())
        settings.DATABASE_URL = settings.DATABASE_URL or running["DATABASE_URL"]
        settings.REDIS_URL = settings.REDIS_URL or running["REDIS_URL"]


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _readable(fault: object) -> str:
    assert isinstance(fault, dict)
    where = ".".join(str(part) for part in fault["loc"][:1])
    message = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
