"""Schemas of /profile."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from backend.auth.schemas import REVOKE_TOKENS, Email, NewPassword, Username, UserOut
from backend.http.field_types import SafeText, TimeZoneName
from backend.http.schemas import Page, PageQuery, PatchBody, RequestBody, ResponseBody

PRESENT_PASSWORD_SCHEMA = {"type": "string", "maxLength": 1024, "examples": ["my present password"]}
PresentPassword = Annotated[SafeText, Field(max_length=1024), WithJsonSchema(PRESENT_PASSWORD_SCHEMA)]
BASE_URL_SCHEMA = {
    "type": "string",
    "format": "base-url",
    "maxLength": 2048,
    "examples": ["https://api.openai.com/v1"],
}
# Characters that an HTTP header can hold.
API_KEY = r"^[\x21-\x7e]+$"
API_KEY_SCHEMA = {"type": "string", "format": "api-key", "minLength": 1, "maxLength": 1024}


def _trimmed(value: object) -> object:
    # A pasted key often ends with a line break.
    return value.strip() if isinstance(value, str) else value


WeekStart = Literal["monday", "sunday", "saturday"]
Language = Literal["en", "de"]


class ProfileOut(UserOut):
    """The own account."""

    email_verified_at: datetime | None = Field(description="Since when the mail address is known to be the person's")
    time_zone: str = Field(description="In which days begin, by its IANA name", examples=["Europe/Berlin"])
    week_start: WeekStart = Field(description="The first day of a week")
    digest: bool = Field(description="Whether a digest is mailed, on the first day of each week at eight")
    language: Language | None = Field(description="Of digests; null until they are asked for", examples=["en"])


class ProfilePatch(PatchBody):
    """Changes to the own account; what is left out stays."""

    username: Username | None = None
    email: Email | None = Field(None, description="A new address asks for `current_password`, and to be verified again")
    current_password: PresentPassword | None = None
    time_zone: TimeZoneName | None = Field(None, description="An IANA name, exactly as written there")
    week_start: WeekStart | None = None
    digest: bool | None = Field(None, description="Mailed once the address is verified")
    language: Language | None = Field(None, description="Left out, digests are in that of the request that asks first")


class PasswordIn(RequestBody):
    """A new password."""

    current_password: PresentPassword
    new_password: NewPassword = Field(
        description="10 to 128 characters, not a common one, not the name or mail address"
    )
    revoke_tokens: bool = Field(False, description=REVOKE_TOKENS)


class AccountDeletionIn(RequestBody):
    """What proves that the account's owner wants it gone."""

    password: PresentPassword


class SecurityEventOut(ResponseBody):
    """Something that matters for the safety of the account."""

    id: int
    kind: str = Field(examples=["password_changed"])
    ip: str = Field(description="Address of the client; empty where the server did it by itself")
    user_agent: str
    organization_id: int | None
    detail: dict[str, Any]
    created_at: datetime


class SecurityEventPage(Page[SecurityEventOut]):
    """One page of security events, newest first."""


class SecurityEventsQuery(PageQuery):
    """Which page of security events."""


class AiProviderIn(PatchBody):
    """An OpenAI-compatible endpoint of one's own."""

    base_url: Annotated[SafeText, Field(min_length=1, max_length=2048), WithJsonSchema(BASE_URL_SCHEMA)] = Field(
        description="Up to and including /v1, without a user name, query or fragment"
    )
    model: SafeText = Field(min_length=1, max_length=200, examples=["gpt-5-mini"])
    api_key: Annotated[SafeText | None, BeforeValidator(_trimmed), WithJsonSchema(API_KEY_SCHEMA)] = Field(
        None,
        min_length=1,
        max_length=1024,
        pattern=API_KEY,
        description="Left out, the stored key stays; it must be given again when `base_url` moves to another server",
    )


class AiProviderOut(ResponseBody):
    """The endpoint; its key is never shown."""

    base_url: str
    model: str
    has_api_key: bool
    api_key_hint: str | None = Field(description="The last four characters of a key of twelve or more")
    updated_at: datetime


class AiPeriodOut(ResponseBody):
    """What language models were asked for you since the period began."""

    calls: int = Field(description="Those that the provider may charge for")
    prompt_tokens: int
    completion_tokens: int
    server_tokens: int = Field(description="What counts against the cap: with the server's key, calls under way too")
    resets_at: datetime = Field(description="When the next period begins")


class AiCapsOut(ResponseBody):
    """How many tokens you may use of the server's language model. Your own has no cap."""

    daily_tokens: int
    monthly_tokens: int


class AiUsageOut(ResponseBody):
    """Which language model answers for you, and what was asked of it. Days and months are those of UTC."""

    provider: Literal["own", "server"] | None = Field(description="null: none is set")
    model: str | None
    today: AiPeriodOut
    month: AiPeriodOut
    caps: AiCapsOut
