"""Circuit breaker of a language-model endpoint, shared by all processes through Redis.

Workers fork for each message, so a breaker in memory would forget. While Redis is away the breaker is closed: a job has
a time-out of its own, and no job arrives without Redis.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

from backend.ai.credentials import Credentials
from backend.ai.llm.faults import EndpointFault, format_duration
from backend.named_blocks import read_blocks
from backend.redis.client import resilient_redis
from backend.redis.resilient import Script

# Consecutive faults that open the breaker, and the seconds until a probe.
FAULTS, PAUSE_SECONDS = 3, 30
# Faults are consecutive while no pause between them is longer.
FORGET_SECONDS = 600

SCRIPTS = read_blocks(Path(__file__).with_suffix(".lua"))
ENTER, FAILED = Script(SCRIPTS["enter"]), Script(SCRIPTS["failed"])


class EndpointBreaker:
    """Circuit breaker: after three faults in a row calls fail at once for 30 s, then one call probes.

    Nygard, Release It!, 2nd edition 2018, section 5.2.
    """

    def __init__(self, credentials: Credentials, owner: str) -> None:
        """Open the breaker of an endpoint and model for one `owner` of a key, whose faults affect no other owner."""
        identity = "\n".join((owner, credentials.base_url, credentials.model))
        self._name = f"llm-breaker:{hashlib.sha256(identity.encode()).hexdigest()[:32]}"

    def enter(self, probe_seconds: float) -> None:
        """Pass if the breaker is closed, or as its probe; after `probe_seconds` another call may probe.

        Raises:
            EndpointFault: the breaker is open.
        """
        left = self._run(ENTER, FAULTS, int(probe_seconds * 1000))
        if left:
            raise EndpointFault(
                f"The language model has failed {FAULTS} times in a row, and is left alone for another "
                f"{format_duration(left / 1000)}."
            )

    def fault(self) -> str | None:
        """Return why the breaker is open or half-open, or None."""
        answers = resilient_redis().execute(lambda: [("HGET", resilient_redis().key(self._name), "faults")])
        faults = int(answers[0] or 0) if answers else 0
        return f"The language model has failed {faults} times in a row." if faults >= FAULTS else None

    def failed(self) -> None:
        """Record a fault."""
        self._run(FAILED, FAULTS, PAUSE_SECONDS * 1000, FORGET_SECONDS)

    def answered(self) -> None:
        """Close the breaker after an answer."""
        resilient_redis().execute(lambda: [("DEL", resilient_redis().key(self._name))])

    def _run(self, script: Script, *values: int) -> int:
        answers = resilient_redis().execute(lambda: [script.command([resilient_redis().key(self._name)], *values)])
        return cast(int, answers[0]) if answers else 0
