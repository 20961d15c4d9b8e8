"""What keeps a backup from being made, verified or restored."""

from __future__ import annotations


class BackupError(Exception):
    """A backup cannot be made, read or restored; the message is one readable line."""
