"""Why a mail was not sent."""

from __future__ import annotations


class TransientFailure(Exception):
    """Raised where trying again later may help; the message is the reason in words."""


class PermanentFailure(Exception):
    """Raised where trying again cannot help; the message is the reason in words."""
