"""Flask's own cookie sessions, which nothing here uses: none is read or written."""

from __future__ import annotations

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin


class NoSessions(SessionInterface):
    """Gives every request a session that cannot be written to."""

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """An empty one."""
        return NullSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing was written."""
