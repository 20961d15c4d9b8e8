"""Request ids: taken from the client when harmless, made otherwise; in every response, log line and job."""

from __future__ import annotations

import os
import re
from functools import cache
from itertools import count
from uuid import uuid4

ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")


def new_request_id() -> str:
    """Return an id that no other request has, in any process; it is no secret."""
    return f"{_prefix()}{next(_numbers):08x}"


@cache
def _prefix() -> str:
    return uuid4().hex[:24]


_numbers = count()
os.register_at_fork(after_in_child=_prefix.cache_clear)
