"""Background work: durable jobs, messages, lanes of the worker, and the scheduler.

In: rows that say what is due, and messages that only wake a worker. Out: one run of a declared job each.
Called by features after their commit; `registry` declares jobs, `lanes` runs them.
"""
