"""Text as XML can hold it."""

from __future__ import annotations

import re

# XML 1.0, production 2 (Char).
NO_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Replace characters that XML 1.0 has no way to write."""
    return NO_CHARACTERS.sub("\ufffd", text)
