"""Connections of clients that nothing waits for: gunicorn's threads serve requests that have arrived whole.

In: sockets that the listener accepts. Out: requests with their bodies, given to a thread of `gunicorn_worker.Worker`,
and responses that the poller goes on sending when their thread has left. Who is too slow is answered 408 and dropped.
"""
