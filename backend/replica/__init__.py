"""Replica: a streaming copy of PostgreSQL for reads that may lag (`DATABASE_REPLICA_URL`).

In: the engine that `database` has bound under the name `replica`. Out: up to which moment the replica holds every
commit, and sessions that read there. `timed_connection` measures without ever waiting long, `monitor` measures twice a
second, `service` binds all to the application. `http.replica_reads` calls it, and the health check.
"""
