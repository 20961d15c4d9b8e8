"""gunicorn's parser, which reads the same headers once: a browser sends two dozen, nearly always the same ones."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

Headers: TypeAlias = tuple[tuple[str, str], ...]

REMEMBERED, LONGEST_REMEMBERED = 256, 4_096
# What these ask for depends on the rest of the request, or they differ with each.
NOT_REMEMBERED = frozenset({"CONTENT-LENGTH", "EXPECT", "TRANSFER-ENCODING"})

# The headers by the bytes between the request line and the empty line.
_headers: dict[bytes, Headers] = {}


class RememberingRequest(Request):  # type: ignore[misc]
    """A request whose headers are looked up before they are parsed."""

    def parse_headers(self, data: bytes, from_trailer: bool = False) -> list[tuple[str, str]]:
        """Return the headers of a request.

        Raises:
            ParseException: gunicorn's parser refuses them; that is not remembered.
        """
        # Whoever connects through a Unix socket may name the scheme; trailers may hold less than headers.
        if from_trailer or not isinstance(self.peer_addr, tuple):
            return cast("list[tuple[str, str]]", super().parse_headers(data, from_trailer))
        known = _headers.get(data)
        if known is None:
            known = tuple(super().parse_headers(data))
            if len(data) <= LONGEST_REMEMBERED and not any(name in NOT_REMEMBERED for name, _ in known):
                _remember(data, known)
        return list(known)


def _remember(data: bytes, headers: Headers) -> None:
    # At once: what is in use comes back with the next requests, and no thread meets a change halfway.
    if len(_headers) >= REMEMBERED:
        _headers.clear()
    _headers[data] = headers


class RememberingParser(RequestParser):  # type: ignore[misc]
    """Parser of the requests of one connection."""

    mesg_class: Any = RememberingRequest
