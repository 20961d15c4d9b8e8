"""Why a mail was not sent."""

from __future__ import annotations


class NotSent(Exception):
    """Raised where trying again later may help; the message is the reason in words."""


class Undeliverable(Exception):
    """Raised where trying again cannot help; the message is the reason in words."""
