"""Where a login comes from: the address, browser and device of a request."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from backend.auth.cookies import device_cookie_of


@dataclass(frozen=True)
class Client:
    """Where a login comes from, as the person will see it in the list of sessions; `device` is the device's cookie."""

    user_agent: str
    ip: str
    device: str = ""


def client_of_request() -> Client:
    """Describe where the request comes from."""
    agent = request.headers.get("User-Agent", "")
    return Client(user_agent=agent, ip=request.remote_addr or "", device=device_cookie_of(request))
