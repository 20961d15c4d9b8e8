"""What no log may hold: passwords, tokens, keys (R-LOG 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.support.api import PASSWORD

# The password of the tests' people, JWTs, API tokens, keys of providers.
SECRETS = re.compile(rf"{PASSWORD}|eyJ[\w-]{{10,}}\.[\w-]+\.[\w-]+|fz_[0-9A-Za-z]{{36}}|sk-[A-Za-z0-9_-]{{8,}}")


def secrets_in(written: str, others: Iterable[str] = ()) -> set[str]:
    """The secrets in what was logged: those that can be told by their form, and any of the `others`."""
    return {*SECRETS.findall(written), *(secret for secret in others if secret in written)}
