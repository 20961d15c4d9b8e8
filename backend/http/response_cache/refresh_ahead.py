"""Work that is done behind a write's back: a thread for each process that serves, and a short line before it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask, current_app
from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from backend.actor import Actor

# Of how many people answers wait to be made anew; those of others are made when they are asked for.
MOST_WAITING = 32


class RefreshAhead:
    """Calls `remake` for whoever has written, one after the other; those who write again meanwhile wait once."""

    def __init__(self, app: Flask, remake: Callable[[Actor], None]) -> None:
        """Starts its thread: to be made after the fork."""
        self._app = app
        self._remake = remake
        self._waiting: dict[tuple[int, int, str], Actor] = {}
        self._comes = threading.Condition()
        threading.Thread(target=self._work, name="remaker", daemon=True).start()

    def later(self, actor: Actor) -> None:
        """Have the answers of somebody made anew, if not too many wait already."""
        with self._comes:
            if len(self._waiting) < MOST_WAITING:
                self._waiting[actor.organization_id, actor.user_id, actor.reach] = actor
                self._comes.notify()

    def _work(self) -> None:
        while True:
            with self._comes:
                self._comes.wait_for(lambda: self._waiting)
                actor = self._waiting.pop(next(iter(self._waiting)))
            with self._app.app_context():
                try:
                    self._remake(actor)
                except SQLAlchemyError as fault:
                    logger.warning("answers are not made anew: {}", type(fault).__name__)


def refresh_later(actor: Actor) -> None:
    """After a write: have answers made anew, in a process that serves."""
    remaker: RefreshAhead | None = current_app.extensions.get("remaker")
    if remaker is not None:
        remaker.later(actor)
