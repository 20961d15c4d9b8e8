"""Health checks, for probes, operators and people.

In: probes without credentials. Out: the state of PostgreSQL, Redis, worker and embeddings.
Called by load balancers and monitoring; never cached.
"""
