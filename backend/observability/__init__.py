"""Logs: JSON lines in production, coloured text in development, an access line for each request.

In: records of loguru and of the standard library, finished requests. Out: lines on stderr and in log files.
Called by `create_app`, the worker and the command line.
"""
