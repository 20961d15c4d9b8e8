"""Health checks, for probes, operators and people.

In: probes without credentials. Out: the state of PostgreSQL, Redis, workers, embeddings, language model
and mail. Called by load balancers and monitoring. `parallel` runs the checks, so that what hangs delays nothing.
"""
