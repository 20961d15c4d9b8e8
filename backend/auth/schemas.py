"""What comes in and goes out under /auth."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from backend.auth.names import MAX_USERNAME, MIN_USERNAME, username_fault
from backend.auth.passwords import MAX_LENGTH, MIN_LENGTH
from backend.http.field_types import Id, QueryBoolean, SafeText, Timestamp
from backend.http.schemas import OptionalRequestBody, Page, PageQuery, QueryParams, RequestBody, ResponseBody
from backend.mail.addresses import plain_address
from backend.text.account_keys import account_key
from backend.text.normalisation import normalize

# Self-hosted people write to each other inside a house too: host.local, home.arpa. Whether mail arrives is for a mail
# server to find out; the library's list is meant to be changed.
SPECIAL_USE_DOMAIN_NAMES.clear()


def _email(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False, test_environment=True, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    if account_key(value).count("@") != 1:
        raise ValueError("A mail address has one @ and no sign that reads as another")
    if plain_address(value) is None:
        raise ValueError("A mail address has no quotes, comments, encoded words or invisible characters")
    return value


def _username(value: str) -> str:
    fault = username_fault(value)
    if fault:
        raise ValueError(fault)
    return normalize("NFC", value)


EMAIL_SCHEMA = {"type": "string", "format": "email", "maxLength": 254, "examples": ["ada@example.org"]}
USERNAME_SCHEMA = {
    "type": "string",
    "format": "username",
    "minLength": MIN_USERNAME,
    "maxLength": MAX_USERNAME,
    "description": "Letters, digits, points, hyphens and underscores; nothing that reads as an address on the web",
    "examples": ["ada"],
}
PASSWORD_SCHEMA = {
    "type": "string",
    "format": "password",
    "minLength": MIN_LENGTH,
    "maxLength": MAX_LENGTH,
    "examples": ["correct horse battery"],
}
Email = Annotated[SafeText, Field(max_length=254), AfterValidator(_email), WithJsonSchema(EMAIL_SCHEMA)]
Username = Annotated[
    SafeText,
    Field(min_length=MIN_USERNAME, max_length=MAX_USERNAME),
    AfterValidator(_username),
    WithJsonSchema(USERNAME_SCHEMA),
]
REVOKE_TOKENS = "End all API tokens too; otherwise those that go on are told by mail"
NewPassword = Annotated[SafeText, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH), WithJsonSchema(PASSWORD_SCHEMA)]


class RegisterIn(RequestBody):
    """A new account."""

    email: Email
    username: Username
    password: NewPassword = Field(description="10 to 128 characters, not a common one, not the name or mail address")


class LoginIn(RequestBody):
    """Credentials."""

    login: SafeText = Field(max_length=254, description="Username or mail address, in any case", examples=["ada"])
    password: SafeText = Field(max_length=1024, examples=["correct horse battery"])


class RefreshIn(OptionalRequestBody):
    """The refresh token of the last answer; left out where it is in the cookie."""

    refresh_token: SafeText | None = Field(None, max_length=4096)


class CookieQuery(QueryParams):
    """Where the refresh token goes."""

    cookie: QueryBoolean = Field(
        False, description="true: into an HttpOnly cookie, with one for the header X-CSRF-Token beside it"
    )


class UserOut(ResponseBody):
    """A person."""

    id: int
    email: str
    username: str
    role: str = Field(examples=["user"])
    created_at: datetime


class SessionOut(ResponseBody):
    """A login: a short-lived access token, and a refresh token that works once."""

    user: UserOut
    organization_id: int = Field(description="The personal organization")
    access_token: str
    refresh_token: str | None = Field(description="Works once; null where it went into the cookie")
    token_type: str = Field("Bearer", examples=["Bearer"])
    expires_in: int = Field(description="Seconds until the access token expires", examples=[900])
    # For the device's cookie; no part of the body.
    device: SkipJsonSchema[str] = Field("", exclude=True)


class LoginOut(ResponseBody):
    """One of the person's logins."""

    id: UUID
    user_agent: str
    ip: str
    created_at: datetime
    last_used_at: datetime
    current: bool = Field(description="Whether the request came with it")


class LoginPage(Page[LoginOut]):
    """One page of logins."""


class LoginListQuery(PageQuery):
    """Which page."""


RESOURCES = ("bookmarks", "projects", "tasks", "search", "recommendations", "dashboard", "organizations", "jobs", "*")
SCOPES = tuple(f"{resource}:{verb}" for resource in RESOURCES for verb in ("read", "write"))


def _scope(value: str) -> str:
    if value not in SCOPES:
        raise ValueError(f"A scope is one of {', '.join(SCOPES)}")
    return value


Scope = Annotated[SafeText, AfterValidator(_scope), WithJsonSchema({"enum": list(SCOPES)})]


def _token_name(value: str) -> str:
    if not value.strip():
        raise ValueError("A token needs a name")
    return value


class TokenIn(RequestBody):
    """A token for a script or extension."""

    name: Annotated[SafeText, AfterValidator(_token_name)] = Field(
        min_length=1, max_length=100, description="What it is for", examples=["backup script"]
    )
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES), examples=[["bookmarks:read", "search:read"]])
    expires_at: Timestamp | None = Field(None, description="Default: never")
    organization_id: Id | None = Field(None, description="Default: the organization of the request")


class TokenOut(ResponseBody):
    """An API token, without the token."""

    id: int
    name: str
    prefix: str = Field(examples=["fz_A1b2c"])
    scopes: list[str]
    organization_id: int
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class TokenCreatedOut(TokenOut):
    """A new API token: this is the only time that it is told."""

    token: str


class TokenPage(Page[TokenOut]):
    """One page of API tokens."""


class TokenListQuery(PageQuery):
    """Which page."""
