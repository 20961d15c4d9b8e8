"""Background work: durable jobs, messages, worker lanes and the scheduler.

In: rows that are due, and messages that only wake a worker. Out: one run of a declared job for each message.
Features send messages after their commit; `registry` declares jobs, `lanes` runs them.
"""
