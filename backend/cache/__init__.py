"""Answers kept in Redis, as bytes, for as long as nothing of what they show has changed (R-CACHE)."""
