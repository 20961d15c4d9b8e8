"""The way to Redis: connections, scripts, a circuit breaker, and invalidations that survive an outage.

In: commands of `http` and of features. Out: replies, or an error that callers degrade on.
Everything that answers at once goes through `resilient`.
"""
