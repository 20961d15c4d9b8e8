"""HTTP transport that connects to checked addresses only and ends at the deadline (DESIGN 7)."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import httpcore
import httpx

from backend.outbound.addresses import IPAddress
from backend.outbound.deadline import Deadline
from backend.outbound.failures import certificate_error

# A connection that takes longer will not come; no heartbeat is possible meanwhile.
CONNECT_SECONDS = 30.0


class PinnedTransport(httpx.BaseTransport):
    """Transport that sends one request to the first of the addresses that accepts a connection.

    The host name serves for the Host header, for SNI and for the certificate check; it is not resolved again. Proxies
    and settings of the environment are not read. Exceptions are httpcore's, or FetchError.
    """

    def __init__(self, addresses: Sequence[IPAddress], deadline: Deadline) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted_context(),
            network_backend=_PinnedBackend(addresses, deadline),
            max_connections=1,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response), request=request)

    def close(self) -> None:
        self._pool.close()


@cache
def trusted_context() -> ssl.SSLContext:
    """Return the TLS context with the trusted authorities; made once, as it takes some 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


class _PinnedBackend(httpcore.NetworkBackend):
    def __init__(self, addresses: Sequence[IPAddress], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for index, address in enumerate(self._addresses):
            # A silent address must leave the later ones their share of the time.
            share = self._deadline.remaining() / (len(self._addresses) - index)
            share = min(share, CONNECT_SECONDS)
            try:
                stream = self._sockets.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                self._deadline.beat()
            else:
                return _DeadlineStream(stream, self._deadline)
        raise failure


class _DeadlineStream(httpcore.NetworkStream):
    """Network stream whose every step ends at the deadline, whatever time-out it is given."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            try:
                return self._stream.read(max_bytes, self._deadline.longest_wait)
            except httpcore.ReadTimeout:
                if self._deadline.has_passed:
                    raise
                self._deadline.beat()

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.remaining())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            secured = self._stream.start_tls(
                ssl_context, server_hostname, min(self._deadline.remaining(), CONNECT_SECONDS)
            )
        except httpcore.ConnectError as error:
            # The connection pool drops the cause.
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise certificate_error() from error
            raise
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()
