"""GET /metrics: what all processes have counted, and what only PostgreSQL and Redis know.

In: scrapes of Prometheus. Out: its text format. `access` says who may scrape; `state` reads queues, workers and servers
at the time of the scrape, within a second, and says so where one of them does not answer.
"""
