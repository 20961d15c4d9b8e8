"""No cookie sessions: Flask reads and writes none."""

from __future__ import annotations

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin


class NoSessions(SessionInterface):
    """A session interface whose sessions cannot be written to."""

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return an empty session."""
        return NullSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write nothing."""
