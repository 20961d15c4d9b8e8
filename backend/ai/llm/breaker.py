"""The circuit breaker of an endpoint, shared by all processes: workers fork for each message, and forget.

Its state is in Redis. While Redis is away nothing is known of earlier faults, and the endpoint is asked: a job then has
its own time to end, and no job comes without Redis.
"""

from __future__ import annotations

import hashlib
from typing import cast

from backend.ai.credentials import Credentials
from backend.ai.llm.faults import EndpointFault, in_words
from backend.redis.client import redis_gate
from backend.redis.resilient import Script

# So many faults in a row open it; then nobody asks for so long, and after that one probes at a time.
FAULTS, PAUSE_SECONDS = 3, 30
# A row of faults ends when none has come for so long.
FORGET_SECONDS = 600

# Redis's own clock, as that of processes may differ. Both answer how many milliseconds nobody is to ask.
ENTER = Script("""
    local state = redis.call('HMGET', KEYS[1], 'faults', 'until')
    if tonumber(state[1] or 0) < tonumber(ARGV[1]) then return 0 end
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local left = tonumber(state[2] or 0) - now
    if left > 0 then return left end
    redis.call('HSET', KEYS[1], 'until', now + tonumber(ARGV[2]))
    return 0
""")
FAILED = Script("""
    local faults = redis.call('HINCRBY', KEYS[1], 'faults', 1)
    redis.call('EXPIRE', KEYS[1], ARGV[3])
    if faults < tonumber(ARGV[1]) then return 0 end
    local time = redis.call('TIME')
    redis.call('HSET', KEYS[1], 'until', time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]))
    return tonumber(ARGV[2])
""")


class EndpointBreaker:
    """After three faults in a row calls fail at once for 30 s; then one probes, and the others go on failing meanwhile.

    Nygard, Release It!, 2nd edition 2018, section 5.2.
    """

    def __init__(self, credentials: Credentials, owner: str) -> None:
        """That of an endpoint and model. `owner` is whose provider it is: nobody's faults are another's."""
        told = "\n".join((owner, credentials.base_url, credentials.model))
        self._name = f"llm-breaker:{hashlib.sha256(told.encode()).hexdigest()[:32]}"

    def enter(self, probe_seconds: float) -> None:
        """Pass, unless the endpoint is left alone. A probe that has not ended after so many seconds lets another in.

        Raises:
            EndpointFault: it is left alone for now.
        """
        left = self._run(ENTER, FAULTS, int(probe_seconds * 1000))
        if left:
            raise EndpointFault(
                f"The language model has failed {FAULTS} times in a row, and is left alone for another "
                f"{in_words(left / 1000)}."
            )

    def fault(self) -> str | None:
        """That it is left alone, or that it was and nobody has seen it work since; None otherwise."""
        answers = redis_gate().ask(lambda: [("HGET", redis_gate().key(self._name), "faults")])
        faults = int(answers[0] or 0) if answers else 0
        return f"The language model has failed {faults} times in a row." if faults >= FAULTS else None

    def failed(self) -> None:
        """Count a fault."""
        self._run(FAILED, FAULTS, PAUSE_SECONDS * 1000, FORGET_SECONDS)

    def answered(self) -> None:
        """The endpoint is there: what was counted is forgotten."""
        redis_gate().ask(lambda: [("DEL", redis_gate().key(self._name))])

    def _run(self, script: Script, *values: int) -> int:
        answers = redis_gate().ask(lambda: [script.command([redis_gate().key(self._name)], *values)])
        return cast(int, answers[0]) if answers else 0
