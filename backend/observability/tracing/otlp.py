"""Sender of spans: batches by OTLP over HTTP, as protobuf; a collector that is away costs next to nothing.

It is not retried: what cannot be sent is dropped, and nothing is sent for a while. The exporter of OpenTelemetry waits
and retries for ten seconds in each process, which the end of every job would wait for.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Mapping, Sequence

import httpx
from loguru import logger
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

PATH = "/v1/traces"
STEP_SECONDS = 1.0
PAUSE_SECONDS = 30.0
CONTENT_TYPE = "application/x-protobuf"


class OtlpSender:
    """Sends batches of spans to a collector; all processes that are forked later share what it knows of an outage."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Connect to nothing yet; make it before the forks.

        Args:
            endpoint: the collector's address, without the path of the signal.
            headers: sent along, such as a key.
        """
        self._url = endpoint.rstrip("/") + PATH
        self._headers = {**headers, "Content-Type": CONTENT_TYPE}
        # When to try again, and how many batches in a row have failed. The pages belong to the forks too.
        self._outage = memoryview(mmap.mmap(-1, 16)).cast("d")
        self._client: httpx.Client | None = None
        self._process = 0

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send a batch, or drop it. Raises nothing; takes a second for each step at most."""
        if time.time() < self._outage[0]:
            return
        content = encode_spans(spans).SerializeToString()
        try:
            status = self._connected().post(self._url, content=content, headers=self._headers).status_code
            fault = "" if status < 300 else f"it answered {status}"
        except httpx.HTTPError as error:
            fault = type(error).__name__
        self._note(fault)

    def _note(self, fault: str) -> None:
        """Say once that the collector is away, for all processes, and once that it is back."""
        was_away = self._outage[1] > 0
        if fault:
            self._outage[0], self._outage[1] = time.time() + PAUSE_SECONDS, 1.0
            if not was_away:
                logger.warning("traces are dropped until the collector takes them: {}", fault)
        elif was_away:
            self._outage[1] = 0.0
            logger.info("the collector takes traces again")

    def _connected(self) -> httpx.Client:
        if self._client is None or self._process != os.getpid():
            # Two processes must never share a connection.
            self._client, self._process = httpx.Client(timeout=STEP_SECONDS, trust_env=False), os.getpid()
        return self._client
