"""Requests that may be sent twice: the first answer is kept for a day and given again (Idempotency-Key)."""
