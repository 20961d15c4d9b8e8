"""Traces: spans of requests, jobs, statements and calls, sent to a collector by OTLP over HTTP.

In: what `spans` is told, and what the engine, the Redis client and the WSGI server do. Out: batches of spans.
`create_app` imports this package only if OTEL_EXPORTER_OTLP_ENDPOINT is set: nothing else may, so that it costs nothing
otherwise.
"""

from __future__ import annotations

import sys

import redis

# `backend` keeps the metrics of OpenTelemetry from redis-py, which has done without them by now.
assert redis
for _name, _module in list(sys.modules.items()):
    if _module is None and _name.startswith("opentelemetry."):
        del sys.modules[_name]
