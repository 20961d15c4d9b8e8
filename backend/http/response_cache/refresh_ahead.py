"""Refresh-ahead: popular responses are computed after a write, by one thread of each process that serves."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask, current_app
from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from backend.actor import Actor
from backend.http.request_state import current_request_id
from backend.observability.log_context import log_context

# The most people in the queue; responses of others are computed when they are requested.
MOST_WAITING = 32


class RefreshAhead:
    """A queue of writers, and the thread that calls `refresh` for each; a writer is queued once."""

    def __init__(self, app: Flask, refresh: Callable[[Actor], None]) -> None:
        """Start the thread: to be made after the fork."""
        self._app = app
        self._refresh = refresh
        self._queue: dict[tuple[int, int, str], tuple[Actor, str]] = {}
        self._filled = threading.Condition()
        threading.Thread(target=self._work, name="refresh-ahead", daemon=True).start()

    def later(self, actor: Actor) -> None:
        """Queue a writer, unless the queue is full; log lines carry the id of the request that wrote."""
        with self._filled:
            if len(self._queue) < MOST_WAITING:
                self._queue[actor.organization_id, actor.user_id, actor.reach] = actor, current_request_id()
                self._filled.notify()

    def _work(self) -> None:
        while True:
            with self._filled:
                self._filled.wait_for(lambda: self._queue)
                actor, request_id = self._queue.pop(next(iter(self._queue)))
            with self._app.app_context(), log_context(request_id=request_id):
                try:
                    self._refresh(actor)
                except SQLAlchemyError as fault:
                    logger.warning("responses are not refreshed ahead: {}", type(fault).__name__)


def refresh_later(actor: Actor) -> None:
    """Queue a writer, in a process that serves."""
    queue: RefreshAhead | None = current_app.extensions.get("refresh_ahead")
    if queue is not None:
        queue.later(actor)
