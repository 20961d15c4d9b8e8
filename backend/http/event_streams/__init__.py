"""Server-Sent Events that hold neither a thread of the server nor a connection to PostgreSQL.

In: a response body that says whom to send events to. Out: its socket, handed by gunicorn's worker to one thread per
process that polls for all streams at once. Features bind the poll; without a loop a stream ends after its first events.
"""
