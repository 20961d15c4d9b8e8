"""Client of a login: the address, browser and device of a request."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from backend.auth.cookies import device_cookie_of


@dataclass(frozen=True)
class Client:
    """Client of a login, as the list of sessions shows it; `device` is the device's cookie."""

    user_agent: str
    ip: str
    device: str = ""


def client_of_request() -> Client:
    """Read the client of the current request."""
    agent = request.headers.get("User-Agent", "")
    return Client(user_agent=agent, ip=request.remote_addr or "", device=device_cookie_of(request))
