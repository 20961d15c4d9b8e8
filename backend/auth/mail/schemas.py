"""What comes in and goes out where people act by mail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend.auth.schemas import REVOKE_TOKENS, NewPassword
from backend.http.field_types import SafeText
from backend.http.schemas import RequestBody, ResponseBody

MailedToken = Annotated[
    SafeText,
    Field(min_length=1, max_length=256, description="`token` of the mailed link", examples=["Zk3J…"]),
]


class ForgottenPasswordIn(RequestBody):
    """Who forgot a password. Any text will do: the answer is always the same."""

    email: SafeText = Field(max_length=254, examples=["ada@example.org"])


class NewPasswordIn(RequestBody):
    """A mailed token, and the password that it buys."""

    token: MailedToken
    password: NewPassword = Field(description="10 to 128 characters, not a common one, not the name or mail address")
    revoke_tokens: bool = Field(False, description=REVOKE_TOKENS)


class VerificationIn(RequestBody):
    """A mailed token."""

    token: MailedToken


class AcceptedOut(ResponseBody):
    """Nothing: whether a mail follows is not told."""
