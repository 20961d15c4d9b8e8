"""The response to a request for a stream of events."""

from __future__ import annotations

import time
from typing import cast

from flask import Response, current_app, request

from backend.errors import Unavailable
from backend.extensions import application
from backend.http.authentication import authenticator
from backend.http.event_streams.body import EventBody, Subscription
from backend.http.event_streams.framing import MEDIA_TYPE, OPENING
from backend.http.event_streams.loop import LEASE_SECONDS, Poll, StreamLoop, Update
from backend.redis.leased_slots import LeasedSlot

# Of one person, over all processes.
MOST_STREAMS_OF_A_PERSON = 10
# After that a client comes back by itself, and shows its credential again.
LONGEST_SECONDS = 3600.0
RETRY_SECONDS = 15
LOOP = "event_streams"


def start_event_streams(poll: Poll) -> None:
    """Let this process hold streams open, on sockets that gunicorn's worker hands over. To be called after the fork."""
    app = application()
    app.extensions[LOOP] = StreamLoop(app, poll)


def stop_event_streams() -> None:
    """End all streams of this process."""
    loop = _loop()
    if loop is not None:
        loop.stop()


def stream_events(user_id: int, watch: object, first: Update) -> Response:
    """Answer with what is there, and go on with what the poll finds new about `watch`.

    A stream ends with its credential, at the latest after an hour.

    Raises:
        TooManyRequests: the person has as many streams as one may have.
        Unavailable: the process has.
    """
    loop = _loop()
    if first.is_last or loop is None or request.method == "HEAD":
        return _response([OPENING + first.piece])
    if loop.is_full:
        raise Unavailable("Too many streams are open right now.")
    slot = LeasedSlot(f"event-streams:{user_id}", MOST_STREAMS_OF_A_PERSON, LEASE_SECONDS)
    refusal = f"You have {MOST_STREAMS_OF_A_PERSON} streams of events open. Close one of them."
    slot.acquire_or_refuse(refusal, retry_after=RETRY_SECONDS)
    subscription = Subscription(watch, slot, _ends_at())
    return _response(EventBody(OPENING + first.piece, subscription, loop))


def _response(body: EventBody | list[bytes]) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if isinstance(body, EventBody):
        # The socket is closed after the stream: a client that kept it would lose its next request.
        headers["Connection"] = "close"
    # Passed through as it is, so that gunicorn's worker gets to see the handover.
    return Response(body, mimetype=MEDIA_TYPE, headers=headers, direct_passthrough=isinstance(body, EventBody))


def _ends_at() -> float:
    credential = authenticator().read_credential(request.headers)
    return min(credential.expires_at, time.time() + LONGEST_SECONDS)


def _loop() -> StreamLoop | None:
    return cast("StreamLoop | None", current_app.extensions.get(LOOP))
