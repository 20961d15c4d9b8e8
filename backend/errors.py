"""Domain errors: the exceptions that become problem responses (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """Fault of one input field: `field` is a path such as `body.url`, `code` a stable word for programs."""

    field: str
    message: str
    code: str = "invalid"


class DomainError(Exception):
    """Base of all errors that the caller gets explained."""

    detail = "The request could not be carried out."

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.extra = extra


class MalformedBody(DomainError):
    detail = "The body is not well-formed JSON."


class Unauthenticated(DomainError):
    detail = "A valid access token is required."


class Forbidden(DomainError):
    detail = "This is not allowed with your role or token."


class NotFound(DomainError):
    detail = "There is nothing here, or it is not yours."


class Gone(DomainError):
    detail = "This was there, and is no longer."


class Conflict(DomainError):
    detail = "This conflicts with what is already there."


class PreconditionFailed(DomainError):
    detail = "It has changed since you read it. Read it again."


class BodyTooLarge(DomainError):
    detail = "The body is too large."


class NotAcceptable(DomainError):
    detail = "Accept-Encoding rules out everything that this could be sent in."


class UnsupportedMediaType(DomainError):
    detail = "The body must be sent as application/json."


class TooManyRequests(DomainError):
    """Rate limit reached; `retry_after` is the wait in seconds."""

    detail = "Too many requests. Try again later."

    def __init__(self, detail: str | None = None, *, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = max(1, math.ceil(retry_after))


class Unavailable(DomainError):
    detail = "A service that this needs is down. Try again shortly."


class Invalid(DomainError):
    """Well-formed input that breaks a rule; names every faulty field."""

    detail = "Some fields are not valid."

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors=[asdict(error) for error in errors])

    @classmethod
    def field(cls, field: str, message: str, code: str = "invalid") -> Invalid:
        """Make the error of a single field."""
        return cls([FieldError(field, message, code)])
