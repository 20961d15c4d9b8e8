"""What comes in and goes out where people act by mail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend.auth.schemas import REVOKE_TOKENS, NewPassword
from backend.http.field_types import Text
from backend.http.schemas import In, Out

MailedToken = Annotated[
    Text,
    Field(min_length=1, max_length=256, description="`token` of the mailed link", examples=["Zk3J…"]),
]


class ForgottenPasswordIn(In):
    """Who forgot a password. Any text will do: the answer is always the same."""

    email: Text = Field(max_length=254, examples=["ada@example.org"])


class NewPasswordIn(In):
    """A mailed token, and the password that it buys."""

    token: MailedToken
    password: NewPassword = Field(description="10 to 128 characters, not a common one, not the name or mail address")
    revoke_tokens: bool = Field(False, description=REVOKE_TOKENS)


class VerificationIn(In):
    """A mailed token."""

    token: MailedToken


class AcceptedOut(Out):
    """Nothing: whether a mail follows is not told."""
