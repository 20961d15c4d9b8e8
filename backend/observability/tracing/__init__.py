"""Traces: spans of requests, jobs, statements and calls, sent to a collector by OTLP over HTTP.

In: what `spans` is told, and what the engine, the Redis client and the WSGI server do. Out: batches of spans.
`create_app` imports this package only if OTEL_EXPORTER_OTLP_ENDPOINT is set: nothing else may, so that it costs nothing
otherwise.
"""
