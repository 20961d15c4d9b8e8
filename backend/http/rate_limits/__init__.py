"""Rate limits: sliding windows of a minute, an hour and a day, counted in Redis (R-LIMIT)."""
