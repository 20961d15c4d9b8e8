"""Cache warm-up: fill the response cache before the first request.

In: a login, or the start of a worker. Out: cached responses of what a web client shows first.
Called by the worker; sends requests through the application, as the person whom they are for.
"""
