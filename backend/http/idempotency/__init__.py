"""Idempotency keys: a request that is sent again gets the response of the first one.

In: a POST with `Idempotency-Key`, its actor, and the work. Out: the response of the work, or the stored one.
The pipeline calls `replay_or_run`; a daily job deletes old keys.
"""
