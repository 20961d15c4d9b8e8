"""What comes in and goes out under /auth."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, WithJsonSchema

from backend.api import In, Out, Text
from backend.auth.passwords import MAX_LENGTH, MIN_LENGTH


def _email(value: str) -> str:
    try:
        # Self-hosted people write to each other inside a house too: names such as host.local are fine.
        validate_email(value, check_deliverability=False, test_environment=True, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return value


def _username(value: str) -> str:
    if any(unicodedata.category(character)[0] in "CZ" or character == "@" for character in value):
        raise ValueError("A username has no spaces, control characters or @")
    return value


EMAIL_SCHEMA = {"type": "string", "format": "email", "maxLength": 254, "examples": ["ada@example.org"]}
USERNAME_SCHEMA = {"type": "string", "format": "username", "minLength": 2, "maxLength": 64, "examples": ["ada"]}
PASSWORD_SCHEMA = {
    "type": "string",
    "format": "password",
    "minLength": MIN_LENGTH,
    "maxLength": MAX_LENGTH,
    "examples": ["correct horse battery"],
}
Email = Annotated[Text, Field(max_length=254), AfterValidator(_email), WithJsonSchema(EMAIL_SCHEMA)]
Username = Annotated[
    Text, Field(min_length=2, max_length=64), AfterValidator(_username), WithJsonSchema(USERNAME_SCHEMA)
]
NewPassword = Annotated[Text, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH), WithJsonSchema(PASSWORD_SCHEMA)]


class RegisterIn(In):
    """A new account."""

    email: Email
    username: Username
    password: NewPassword = Field(description="10 to 128 characters, not a common one, not the name or mail address")


class LoginIn(In):
    """Credentials."""

    login: Text = Field(max_length=254, description="Username or mail address, in any case", examples=["ada"])
    password: Text = Field(max_length=1024, examples=["correct horse battery"])


class RefreshIn(In):
    """The refresh token of the last answer."""

    refresh_token: Text = Field(max_length=4096)


class UserOut(Out):
    """A person."""

    id: int
    email: str
    username: str
    role: str = Field(examples=["user"])
    created_at: datetime


class SessionOut(Out):
    """A login: a short-lived access token, and a refresh token that works once."""

    user: UserOut
    organization_id: int = Field(description="The personal organization")
    access_token: str
    refresh_token: str
    token_type: str = Field("Bearer", examples=["Bearer"])
    expires_in: int = Field(description="Seconds until the access token expires", examples=[900])
