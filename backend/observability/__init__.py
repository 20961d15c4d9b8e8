"""Logs: JSON lines in production, coloured text in development, an access line for each request.

In: records of loguru and of the standard library, finished requests. Out: lines on stderr and in log files, without
secrets; the id of a request for all that works for it.
Called by `create_app`, the worker and the command line.
"""
