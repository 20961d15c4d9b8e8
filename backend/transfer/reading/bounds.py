"""What one file may cost while it is read."""

from __future__ import annotations

# Bytes that detection of a format looks at first, and at most.
HEAD_BYTES = 64 * 1024
LONG_HEAD_BYTES = 1024 * 1024
# Characters that are read at a time.
PIECE_LENGTH = 64 * 1024
# Characters of one field, one tag or one line of a table. Real descriptions stay under 64 KiB, icons under 1 MiB.
MAX_FIELD_LENGTH = 16 * 1024 * 1024
# Characters of an address that a report repeats.
MAX_REPORTED_LENGTH = 2048
