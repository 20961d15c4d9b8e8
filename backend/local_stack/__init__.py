"""`python -m backend up`: the whole of Fuze on one machine, in the foreground.

In: options and settings. Out: embedded PostgreSQL and Redis, web server, worker and scheduler under one supervisor.
Called by `make run` and by tests.
"""
