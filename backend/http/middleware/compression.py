"""In which encoding an answer goes out: what the client accepts, as RFC 9110, 12.5.3, has it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from flask import Flask, Response, current_app, request
from flask_compress import Compress
from flask_compress.flask_compress import _compress_data

from backend.errors import NotAcceptable

# Ours, the one that is taken first of those that a client likes as much.
CODINGS = ("zstd", "br", "gzip")
IDENTITY = "identity"
WEIGHT = re.compile(r"[ \t]*q[ \t]*=[ \t]*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*", re.IGNORECASE)
ALIASES = {"x-gzip": "gzip"}


class Negotiation:
    """What a client accepts, by its header; None for a request without one."""

    def __init__(self, header: str | None) -> None:
        self._weights: Mapping[str, float] = _weights(header or "")

    def choose(self, codings: Sequence[str]) -> str | None:
        """The coding that the client likes best; "identity" for none of them, None if not even that is accepted."""
        best = max(codings, key=self._weight_of, default=IDENTITY)
        if not self._weight_of(best) or self._weight_of(best) < self._weights.get(IDENTITY, 0):
            return IDENTITY if self.takes_identity else None
        return best

    @property
    def takes_identity(self) -> bool:
        """Whether an answer may go out as it is: unless that is ruled out by name, or with all that is not named."""
        return self._weights.get(IDENTITY, self._weights.get("*", 1)) > 0

    def _weight_of(self, coding: str) -> float:
        return self._weights.get(coding, self._weights.get("*", 0))


class NegotiatedCompress(Compress):
    """Flask-Compress, which takes codings with `q=0` for accepted, told what it may choose."""

    def after_request(self, response: Response | None) -> Response:
        """Compress an answer as its client likes best, where it pays or where the client takes nothing else."""
        if response is None:
            return super().after_request(response)
        negotiation = Negotiation(request.headers.get("Accept-Encoding"))
        chosen = negotiation.choose(self.streaming_algorithms if response.is_streamed else self.enabled_algorithms)
        request.environ["HTTP_ACCEPT_ENCODING"] = chosen or IDENTITY
        answer = super().after_request(response)
        if chosen and not negotiation.takes_identity and "Content-Encoding" not in answer.headers:
            _compress(answer, chosen)
        return answer


def refuse_unacceptable() -> None:
    """Refuse a request whose answer could go out in no way that its client accepts.

    Raises:
        NotAcceptable: all our codings are ruled out, and so are answers without one.
    """
    if Negotiation(request.headers.get("Accept-Encoding")).choose(CODINGS) is None:
        raise NotAcceptable


def may_rule_out_identity(header: str) -> bool:
    """Whether a client may want even a short answer compressed: cheap, and right where it says no."""
    return "0" in header


def register_compression(app: Flask) -> None:
    """Compress answers."""
    app.config.update(COMPRESS_ALGORITHM=list(CODINGS), COMPRESS_ALGORITHM_STREAMING=["zstd", "br"])
    NegotiatedCompress(app)


def _compress(answer: Response, coding: str) -> None:
    if answer.is_streamed or not answer.get_data():
        return
    answer.set_data(_compress_data(current_app, answer.get_data(), coding))
    answer.headers["Content-Encoding"] = coding
    etag, is_weak = answer.get_etag()
    if etag and not is_weak:
        answer.set_etag(f"{etag}:{coding}")


def _weights(header: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for element in header.lower().split(","):
        coding, semicolon, parameter = element.strip(" \t").partition(";")
        weight = WEIGHT.fullmatch(parameter) if semicolon else None
        # What is malformed says nothing.
        if coding.rstrip(" \t") and (weight or not semicolon):
            name = coding.rstrip(" \t")
            found[ALIASES.get(name, name)] = float(weight[1]) if weight else 1
    return found
