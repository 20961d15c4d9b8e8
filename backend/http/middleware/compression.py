"""Compression of responses that leave through Flask: Flask-Compress, told what the client accepts."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask_compress import Compress
from flask_compress.flask_compress import _compress_data

from backend.http.negotiation import CODINGS, IDENTITY
from backend.http.request_state import request_state


class NegotiatedCompress(Compress):
    """Flask-Compress, which takes codings with `q=0` for accepted, told what it may choose."""

    def after_request(self, response: Response | None) -> Response:
        """Compress a response as its client likes best, where it pays or where the client takes nothing else."""
        if response is None:
            return super().after_request(response)
        if response.headers.get("Accept-Ranges") == "bytes":
            # Ranges count the bytes of the file: another coding has others.
            return response
        negotiation = request_state().negotiation
        coding = negotiation.choose(self.streaming_algorithms) if response.is_streamed else negotiation.coding
        request.environ["HTTP_ACCEPT_ENCODING"] = coding or IDENTITY
        response = super().after_request(response)
        if coding and not negotiation.takes_identity and "Content-Encoding" not in response.headers:
            _compress(response, coding)
        return response


def register_compression(app: Flask) -> None:
    """Compress responses."""
    app.config.update(COMPRESS_ALGORITHM=list(CODINGS), COMPRESS_ALGORITHM_STREAMING=["zstd", "br"])
    NegotiatedCompress(app)


def _compress(response: Response, coding: str) -> None:
    if response.is_streamed or not response.get_data():
        return
    response.set_data(_compress_data(current_app, response.get_data(), coding))
    response.headers["Content-Encoding"] = coding
    etag, is_weak = response.get_etag()
    if etag and not is_weak:
        response.set_etag(f"{etag}:{coding}")
