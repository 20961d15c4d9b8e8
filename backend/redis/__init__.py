"""Redis: connections, scripts, a circuit breaker, and invalidations that survive an outage.

In: commands of `http` and of features. Out: replies, or an error that callers degrade on.
Every command of a request goes through `resilient`, or `guarded`, redis-py's client behind the same circuit breaker.
"""
