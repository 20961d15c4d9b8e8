"""Every setting of Fuze, typed and validated. Nothing else reads the environment."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from email.errors import HeaderParseError
from email.headerregistry import Address, AddressHeader, HeaderRegistry
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config_checks import (
    BASE_PATH,
    DSN,
    Network,
    export_storage_fault,
    header_pairs_fault,
    leads_to_this_machine,
    misspelt,
    proxies_fault,
    secret_fault,
    server_address_fault,
    share_much,
    web_address_fault,
)

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
# Dot-atom and host name. A comment, a quoted local part or an encoded word (RFC 2047) is none of them.
SENDER_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
NO_SENDER = "is not a mail address such as Fuze <fuze@example.org>"
# As browsers send them: of web pages, and of extensions by their ids (Chromium's are 32 letters, others' are UUIDs).
EXACT_ORIGIN = re.compile(
    r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?|chrome-extension://[a-p]{32}"
    r"|(moz|safari-web)-extension://[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
MAKE_ONE = "make one with `openssl rand -hex 32`"
SECRET_NAMES = ("SECRET_KEY", "JWT_SECRET_KEY")
# Where the servers are, and as whom.
ADDRESSES = ("DATABASE_URL", "DATABASE_MIGRATION_URL", "REDIS_URL")
# Of docker-compose.yml alone.
COMPOSE = (
    *("POSTGRES_PASSWORD", "POSTGRES_OWNER_PASSWORD", "POSTGRES_APP_PASSWORD"),
    *("REDIS_MAXMEMORY", "FUZE_BIND", "FUZE_PORTS", "FUZE_DOMAIN", "GRAFANA_PASSWORD"),
)
POSTGRESQL_PREFIXES = ("postgresql+psycopg2://", "postgresql://", "postgres://")
# What production does not start without, by what is started. Only web answers requests; the scheduler sends messages.
Part = Literal["web", "worker", "scheduler", "migrate"]
TracesSampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]
NEEDED: dict[Part, tuple[str, ...]] = {
    "web": (*SECRET_NAMES, "DATABASE_URL", "REDIS_URL", "FRONTEND_URL"),
    "worker": ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FRONTEND_URL"),
    "scheduler": ("DATABASE_URL", "REDIS_URL"),
    "migrate": (),
}


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
    DATABASE_MIGRATION_URL: str = Field(
        "", description="the same for the owner of the tables, past any pooler; empty: DATABASE_URL"
    )
    DATABASE_ADMIN_URL: str = Field("", description="the same for a superuser; only `db roles` uses it")
    DATABASE_REPLICA_URL: str = Field(
        "", description="the same for a streaming replica, for reads that may lag; empty: none"
    )
    DATABASE_REPLICA_MAX_LAG_SECONDS: float = Field(
        10, ge=1, le=600, description="a replica that is further behind is not read"
    )
    REDIS_URL: str = Field("", description="redis://host:6379/0; empty: embedded server")
    REDIS_PASSWORD: SecretStr = Field(SecretStr(""), description="used when REDIS_URL carries none")
    EMBEDDED_REDIS_MAXMEMORY_MB: int | None = Field(
        None,
        ge=16,
        le=1_000_000,
        description="memory of the embedded Redis in MB; what is cached goes first; default: 256, 64 on small machines",
    )
    HOST: str = Field("127.0.0.1", description="address to listen on")
    PORT: int = Field(8000, ge=1, le=65535, description="port to listen on")
    FUZE_DATA_DIR: Path = Field(Path("var"), description="embedded servers, development secrets, unsent mail")
    WEB_CONCURRENCY: int | None = Field(
        None, ge=1, le=64, description="gunicorn processes; default: by cores and memory"
    )
    ALLOWED_ORIGINS: Annotated[list[str], NoDecode] = Field(
        [], description="comma-separated exact origins that browsers may call from; no wildcard"
    )
    TRUSTED_PROXIES: Annotated[list[Network], NoDecode] = Field(
        [], description="comma-separated addresses or networks whose X-Forwarded-* headers are believed"
    )
    REQUEST_HEADER_SECONDS: float = Field(
        10, ge=0.1, le=300, description="time for a request's headers; its body has it too, and then a least rate"
    )
    REQUEST_BODY_BYTES_PER_SECOND: int = Field(
        500, ge=1, le=10**6, description="least rate of a body, on the average of each such time; slower is 408"
    )
    CONNECTIONS_PER_ADDRESS: int = Field(
        256,
        ge=1,
        le=100_000,
        description="of one address at each web process; TRUSTED_PROXIES and loopback have no limit",
    )
    BASE_PATH: str = Field("", description="path below which a proxy serves this, such as /fuze; empty: at the top")
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level that is logged")
    LOG_DIR: Path | None = Field(None, description="also write app_YYYY-MM-DD.log files to this folder")
    LOG_COLOR: Literal["auto", "always", "never"] = Field(
        "auto", description="colours in lines of text; auto: on a terminal"
    )
    LOG_PROBES_EVERY: int = Field(
        60, ge=1, le=1_000_000, description="of so many health checks and scrapes of metrics that succeed one is logged"
    )
    METRICS_TOKEN: SecretStr = Field(
        SecretStr(""), description="bearer token that GET /metrics asks for; empty: callers on this machine alone"
    )
    GIT_REVISION: str = Field(
        "", max_length=64, description="revision that GET /api/health names; empty: that of the working copy, if any"
    )
    OTEL_EXPORTER_OTLP_ENDPOINT: str = Field(
        "", description="collector of traces, such as http://collector:4318 (OTLP over HTTP); empty: no traces"
    )
    OTEL_EXPORTER_OTLP_HEADERS: SecretStr = Field(
        SecretStr(""), description="header fields for it, as name=value,name=value, percent-encoded"
    )
    OTEL_EXPORTER_OTLP_PROTOCOL: Literal["http/protobuf"] = Field(
        "http/protobuf", description="how it is spoken to; there is no other way here"
    )
    OTEL_SERVICE_NAME: str = Field("fuze", min_length=1, max_length=100, description="name of the service in traces")
    OTEL_TRACES_SAMPLER: TracesSampler = Field(
        "parentbased_always_on", description="which requests are traced; parentbased: as the caller's traceparent says"
    )
    OTEL_TRACES_SAMPLER_ARG: float = Field(1, ge=0, le=1, description="share of them, for a sampler by ratio")
    SENTRY_DSN: SecretStr = Field(
        SecretStr(""), description="where errors are reported to, https://key@host/project; empty: nowhere"
    )
    ENABLE_RATE_LIMITING: bool = Field(True, description="limit requests for each person and address")
    RATE_LIMIT_PER_MINUTE: int = Field(60, ge=1, le=10**9, description="requests of one kind; others in proportion")
    RATE_LIMIT_PER_HOUR: int = Field(1_000, ge=1, le=10**9, description="the same for an hour")
    RATE_LIMIT_PER_DAY: int = Field(10_000, ge=1, le=10**9, description="the same for a day")
    ENABLE_CACHING: bool = Field(True, description="cache answers in Redis")
    CACHE_DEFAULT_TTL: int = Field(300, ge=1, le=172_800, description="seconds that a computed value is cached")
    REGISTRATION: Literal["open", "closed"] = Field("open", description="closed: only create-user makes accounts")
    ACCESS_TOKEN_MINUTES: int = Field(15, ge=1, le=1440, description="life of an access token")
    REFRESH_TOKEN_DAYS: int = Field(7, ge=1, le=365, description="life of a refresh token")
    DATABASE_POOL_SIZE: int = Field(10, ge=1, le=100, description="connections that each process keeps")
    DATABASE_STATEMENT_TIMEOUT_MS: int = Field(15_000, ge=100, description="longest statement of a request")
    DATABASE_READ_TIMEOUT_MS: int = Field(5_000, ge=100, description="the same for a request that only reads")
    SLOW_QUERY_MS: int = Field(
        500, ge=0, le=3_600_000, description="statements that take this long or longer are logged; 0: none"
    )
    TRASH_RETENTION_DAYS: int = Field(30, ge=1, description="days until a deleted bookmark or project is gone for good")
    ACTIVITY_RETENTION_DAYS: int = Field(
        730, ge=31, le=36_500, description="days that the activity log is kept; counts by quarter of an hour stay"
    )
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
    LINK_CHECK_DAYS: int = Field(0, ge=0, le=365, description="days between two checks of a captured link; 0: off")
    EMBEDDING_PROVIDER: Literal["local", "openai", "none"] = Field(
        "local", description="local: all-MiniLM-L6-v2 on this machine; openai: any compatible endpoint"
    )
    EMBEDDING_MODEL: str = Field("all-MiniLM-L6-v2", description="model name, stored with every vector")
    EMBEDDING_DIMENSION: int = Field(384, ge=1, le=4000, description="length of the model's vectors")
    EMBEDDING_BASE_URL: str = Field("", description="OpenAI-compatible endpoint for EMBEDDING_PROVIDER=openai")
    EMBEDDING_API_KEY: SecretStr = Field(SecretStr(""), description="its key")
    MAX_API_TOKENS_PER_PERSON: int = Field(50, ge=1, le=10_000, description="API tokens that a person may have")
    MAX_ORGANIZATIONS_PER_OWNER: int = Field(
        50, ge=1, le=10_000, description="organizations that a person may make beside their personal one"
    )
    MAX_TAGS_PER_ORGANIZATION: int = Field(20_000, ge=1, le=1_000_000, description="tags that an organization may have")
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
    EXPORT_STORAGE: str = Field(
        "", description="s3://bucket/prefix or file:///directory for files of exports; empty: in the database"
    )
    EXPORT_STORAGE_ENDPOINT: str = Field("", description="address of the S3-compatible server; empty: Amazon's")
    EXPORT_STORAGE_REGION: str = Field("us-east-1", min_length=1, description="region of the bucket")
    EXPORT_STORAGE_ACCESS_KEY_ID: str = Field("", description="key for the bucket; empty: the role of the machine")
    EXPORT_STORAGE_SECRET_ACCESS_KEY: SecretStr = Field(SecretStr(""), description="its secret")
    SMTP_URL: SecretStr = Field(
        SecretStr(""), description="smtp://user:password@host:587 or smtps://host:465; empty: files in <data-dir>/mail"
    )
    FROM_EMAIL: str = Field("fuze@localhost", description="sender of mails")
    MAILS_PER_HOUR_TO_MAILBOX: int = Field(
        5, ge=1, le=10_000, description="mails that a mailbox gets which its owner has not confirmed or not asked for"
    )
    MAILS_PER_HOUR_TO_DOMAIN: int = Field(
        500, ge=1, le=10**6, description="the same for a domain; twenty times as many for large mail providers"
    )
    REGISTRATIONS_PER_HOUR: int = Field(
        10, ge=1, le=10**6, description="accounts that may be made from one address (IPv6: a network of 64 bits)"
    )
    FRONTEND_URL: str = Field(
        "", description="address of the web client, which links in mails lead to; empty in development: this server"
    )
    PUBLIC_URL: str = Field(
        "", description="this server as mail programs reach it, to unsubscribe; empty: BASE_PATH at FRONTEND_URL's host"
    )

    @field_validator("HOST")
    @classmethod
    def _without_brackets(cls, value: str) -> str:
        # As an IPv6 address stands in URLs.
        return value[1:-1] if value.startswith("[") and value.endswith("]") else value

    @field_validator("ALLOWED_ORIGINS", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return _split(value)

    @field_validator("ALLOWED_ORIGINS")
    @classmethod
    def _refuse_wildcards(cls, value: list[str]) -> list[str]:
        for origin in value:
            if not EXACT_ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an exact origin such as https://app.example.com or an extension's")
        return value

    @field_validator(
        "TRUSTED_PROXIES", "CAPTURE_ALLOWED_NETWORKS", "AI_ALLOWED_NETWORKS", "PREVIOUS_SECRET_KEYS", mode="before"
    )
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return _split(value)

    @field_validator(
        "DATABASE_URL", "DATABASE_MIGRATION_URL", "DATABASE_ADMIN_URL", "DATABASE_REPLICA_URL", "REDIS_URL"
    )
    @classmethod
    def _check_server(cls, value: str) -> str:
        if value and (fault := server_address_fault(value)):
            raise ValueError(fault)
        return value

    @field_validator("DATABASE_REPLICA_URL")
    @classmethod
    def _check_replica(cls, value: str) -> str:
        if value and not value.startswith(POSTGRESQL_PREFIXES):
            raise ValueError("is not a postgresql:// address")
        return value

    @field_validator("BASE_PATH")
    @classmethod
    def _check_base_path(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not BASE_PATH.fullmatch(value):
            raise ValueError("is not a path such as /fuze; /api is taken")
        return value

    @field_validator("EXPORT_STORAGE")
    @classmethod
    def _check_export_storage(cls, value: str) -> str:
        if value and (fault := export_storage_fault(value)):
            raise ValueError(fault)
        return value

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

    @field_validator("OTEL_EXPORTER_OTLP_ENDPOINT")
    @classmethod
    def _check_collector(cls, value: str) -> str:
        if value and (fault := web_address_fault(value)):
            raise ValueError(fault)
        return value

    @field_validator("OTEL_EXPORTER_OTLP_HEADERS")
    @classmethod
    def _check_collector_headers(cls, value: SecretStr) -> SecretStr:
        if value and (fault := header_pairs_fault(value.get_secret_value())):
            raise ValueError(fault)
        return value

    @field_validator("SENTRY_DSN")
    @classmethod
    def _check_dsn(cls, value: SecretStr) -> SecretStr:
        if value and not DSN.fullmatch(value.get_secret_value()):
            raise ValueError("is not an address such as https://key@errors.example.org/1")
        return value

    @field_validator("LLM_API_KEY", "METRICS_TOKEN")
    @classmethod
    def _check_header_value(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[\x21-\x7e]*", value.get_secret_value()):
            raise ValueError("holds characters that no HTTP header can carry")
        return value

    @field_validator("FROM_EMAIL")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        sender_of(value)
        return value

    @model_validator(mode="after")
    def _need_both_keys(self) -> Self:
        if bool(self.EXPORT_STORAGE_ACCESS_KEY_ID) != bool(self.EXPORT_STORAGE_SECRET_ACCESS_KEY.get_secret_value()):
            raise ValueError(
                "EXPORT_STORAGE_ACCESS_KEY_ID and EXPORT_STORAGE_SECRET_ACCESS_KEY belong together: one is missing"
            )
        return self

    @model_validator(mode="after")
    def _need_a_model(self) -> Self:
        if self.LLM_BASE_URL and not self.LLM_MODEL:
            raise ValueError("LLM_MODEL is missing: LLM_BASE_URL does not say which model to ask")
        return self

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse settings that contradict each other, as far as they were given."""
        given = self.model_fields_set
        if self.ACCESS_TOKEN_MINUTES >= self.REFRESH_TOKEN_DAYS * 1440:
            raise ValueError("ACCESS_TOKEN_MINUTES is no less than REFRESH_TOKEN_DAYS: nobody would ever refresh")
        if {"LLM_DAILY_TOKENS", "LLM_MONTHLY_TOKENS"} <= given and self.LLM_DAILY_TOKENS > self.LLM_MONTHLY_TOKENS:
            raise ValueError("LLM_DAILY_TOKENS is more than LLM_MONTHLY_TOKENS, which would end before it")
        if self.DATABASE_REPLICA_URL and self.DATABASE_REPLICA_URL == self.DATABASE_URL:
            raise ValueError("DATABASE_REPLICA_URL is DATABASE_URL: a replica is another server")
        if self.CAPTURE_PER_PERSON >= self.CAPTURE_CONCURRENCY:
            raise ValueError("CAPTURE_PER_PERSON is not below CAPTURE_CONCURRENCY: one person could take all places")
        return self

    @field_validator("FRONTEND_URL", "PUBLIC_URL", "EXPORT_STORAGE_ENDPOINT")
    @classmethod
    def _check_web_address(cls, value: str) -> str:
        if value and (fault := web_address_fault(value)):
            raise ValueError(fault)
        return value

    def faults_in_production(self, part: Part) -> list[str]:
        """What keeps this part from running in production: one sentence for each, none with a secret in it."""
        missing = [f"{name} is missing" for name in NEEDED[part] if not self._is_given(name)]
        return missing + self._secret_faults() + self._address_faults()

    def _is_given(self, name: str) -> bool:
        return name in self.model_fields_set and bool(getattr(self, name))

    def _secret_faults(self) -> list[str]:
        own = {name: getattr(self, name).get_secret_value() for name in SECRET_NAMES}
        previous = [key.get_secret_value() for key in self.PREVIOUS_SECRET_KEYS]
        named = {name: value for name, value in own.items() if value}
        named |= {f"PREVIOUS_SECRET_KEYS: key {at}": key for at, key in enumerate(previous, 1)}
        faults = [f"{name} {fault}; {MAKE_ONE}" for name, value in named.items() if (fault := secret_fault(value))]
        if share_much(own["SECRET_KEY"], own["JWT_SECRET_KEY"]):
            faults.append(f"SECRET_KEY and JWT_SECRET_KEY are the same or share a long part; {MAKE_ONE} for each")
        if any(share_much(key, own["JWT_SECRET_KEY"]) for key in previous):
            faults.append("PREVIOUS_SECRET_KEYS holds the present JWT_SECRET_KEY or a long part of it")
        if own["SECRET_KEY"] in previous:
            faults.append("PREVIOUS_SECRET_KEYS holds the present SECRET_KEY, so that nothing has been changed")
        return faults

    def _address_faults(self) -> list[str]:
        faults = []
        for name in ("FRONTEND_URL", "PUBLIC_URL"):
            if self._is_given(name) and leads_to_this_machine(getattr(self, name)):
                faults.append(f"{name} is an address of this machine alone: links in mails would lead nowhere")
        if fault := proxies_fault(self.TRUSTED_PROXIES):
            faults.append(f"TRUSTED_PROXIES: {fault}")
        return faults

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
    def registrations_per_hour(self) -> int:
        """How many accounts may be made from one address; more where more requests are allowed, in proportion."""
        return self.REGISTRATIONS_PER_HOUR * max(self.RATE_LIMIT_PER_HOUR, DEFAULT_BUDGET.hour) // DEFAULT_BUDGET.hour

    @property
    def public_url(self) -> str:
        """The address below which mail programs reach the paths of this server, without a slash at its end."""
        if self.PUBLIC_URL:
            return self.PUBLIC_URL.rstrip("/")
        parts = urlsplit(self.FRONTEND_URL)
        return f"{parts.scheme}://{parts.netloc}{self.BASE_PATH}"

    @property
    def metrics_dir(self) -> Path:
        """Where processes store what they count, for all of them that share the data directory."""
        return self.FUZE_DATA_DIR.absolute() / "metrics"

    @property
    def stack_file(self) -> Path:
        """Where a running `up` leaves the addresses of its embedded servers for other commands."""
        return self.FUZE_DATA_DIR / "stack.json"

    @property
    def database_url(self) -> str:
        """DATABASE_URL with the driver that Fuze uses spelled out."""
        return self.database_address("DATABASE_URL")

    @property
    def libpq_address(self) -> str:
        """The address that migrations use, as PostgreSQL's own programs take it."""
        return self.migration_url.replace(*POSTGRESQL_PREFIXES[:2], 1)

    @property
    def migration_url(self) -> str:
        """The same of the connection that may change tables."""
        return self.database_address("DATABASE_MIGRATION_URL" if self.DATABASE_MIGRATION_URL else "DATABASE_URL")

    def database_address(self, name: str) -> str:
        """The address in the setting `name`, with the driver that Fuze uses spelled out.

        Raises:
            ConfigurationError: it is none.
        """
        value: str = getattr(self, name)
        for prefix in POSTGRESQL_PREFIXES:
            if value.startswith(prefix):
                return POSTGRESQL_PREFIXES[0] + value.removeprefix(prefix)
        raise ConfigurationError(f"{name} is not a postgresql:// address")


def load_settings(part: Part = "web", /, **overrides: object) -> Settings:
    """The settings of this process, complete: development secrets and embedded servers filled in.

    `part` is what is started with them; the others need less.

    Raises:
        ConfigurationError: naming every variable that is missing or wrong, at once.
    """
    if faults := [
        f"{name} is not a setting: did you mean {known}?"
        for name, known in misspelt(
            _given_names(overrides.get("_env_file", ".env")), {*Settings.model_fields, *COMPOSE}
        )
        # The standard has many more names than are settings here, for other programs on the machine too.
        if not name.startswith("OTEL_")
    ]:
        raise ConfigurationError("\n".join(faults))
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        # Of a value that is neither this nor that, the first says enough.
        by_setting = {fault["loc"][:1]: fault for fault in reversed(error.errors())}
        raise ConfigurationError("\n".join(_readable(fault) for fault in reversed(by_setting.values()))) from None
    if settings.ENVIRONMENT != "production":
        _fill_development_secrets(settings)
        settings.FRONTEND_URL = settings.FRONTEND_URL or f"http://localhost:{settings.PORT}{settings.BASE_PATH}"
    elif faults := settings.faults_in_production(part):
        raise ConfigurationError("\n".join(faults))
    if not (settings.DATABASE_URL and settings.REDIS_URL):
        _fill_embedded_servers(settings)
    return settings


def sender_of(value: str) -> Address:
    """The one address of FROM_EMAIL, its domain in Punycode, with the name to show.

    Raises:
        ValueError: there is none, or more than one, or a mail client could read something else in it.
    """
    try:
        header = HeaderRegistry()("From", value)
        [found] = cast(AddressHeader, header).addresses
        sender = Address(found.display_name, found.username, found.domain.encode("idna").decode())
    except (ValueError, LookupError, AttributeError, HeaderParseError):
        raise ValueError(NO_SENDER) from None
    plain = SENDER_ADDRESS.fullmatch(sender.addr_spec) and value.isprintable() and not header.defects
    if not plain or any(sign in value for sign in ("=?", "?=", "(", ")", ";")):
        raise ValueError(NO_SENDER)
    return sender


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
        if not settings.DATABASE_URL and not settings.DATABASE_MIGRATION_URL:
            settings.DATABASE_MIGRATION_URL = running.get("DATABASE_MIGRATION_URL", "")
        settings.DATABASE_URL = settings.DATABASE_URL or running["DATABASE_URL"]
        settings.REDIS_URL = settings.REDIS_URL or running["REDIS_URL"]


def _given_names(env_file: object) -> set[str]:
    named = dotenv_values(env_file) if isinstance(env_file, str | Path) else {}
    return {*os.environ, *named}


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _readable(fault: object) -> str:
    assert isinstance(fault, dict)
    where = ".".join(str(part) for part in fault["loc"][:1])
    message = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
