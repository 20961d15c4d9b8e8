"""Server-Sent Events as bytes, in chunks of HTTP/1.1 (RFC 9112, 7.1) where the client speaks it."""

from __future__ import annotations

RETRY_MS = 2_000
MEDIA_TYPE = "text/event-stream"
# Tells clients when to come back after the connection is lost.
OPENING = f"retry: {RETRY_MS}\n\n".encode()
HEARTBEAT = b": heartbeat\n\n"
LAST_CHUNK = b"0\r\n\r\n"


def event(event_id: str, data: bytes) -> bytes:
    """Frame an event; `data` is JSON without line breaks."""
    return b"id: %b\ndata: %b\n\n" % (event_id.encode(), data)


def chunk(piece: bytes) -> bytes:
    """Frame a piece of a chunked body."""
    return b"%X\r\n%b\r\n" % (len(piece), piece)
