"""Failures of delivery, by the classes of SMTP (RFC 5321, 4.2.1)."""

from __future__ import annotations


class TransientFailure(Exception):
    """Delivery failed, a later try may succeed; the message is the reason."""


class PermanentFailure(Exception):
    """Delivery failed for good; the message is the reason."""
