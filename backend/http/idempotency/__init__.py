"""Idempotency keys: a request that is sent again gets the response of the first one."""
