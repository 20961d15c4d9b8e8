"""A real HTTP server on a loopback address whose answers a test writes byte by byte, faults included."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

Write = Callable[[socket.socket], None]


@dataclass(frozen=True)
class SeenRequest:
    """What the server was asked; header names are lower-case."""

    path: str
    headers: Mapping[str, str]


class LocalServer(socketserver.ThreadingTCPServer):
    """Answers each path with bytes as they stand, or lets a function write to the connection."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Connection)
        self.answers: dict[str, bytes | Write] = {}
        self.requests: list[SeenRequest] = []
        self.connections = 0
        self.tls = tls
        self.port: int = self.server_address[1]

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


class _Connection(socketserver.BaseRequestHandler):
    server: LocalServer

    def handle(self) -> None:
        self.server.connections += 1
        # The client may leave at any moment: that is what many tests are about.
        with contextlib.suppress(OSError):
            self._converse()

    def _converse(self) -> None:
        connection = self.request
        if self.server.tls is not None:
            connection = self.server.tls.wrap_socket(connection, server_side=True)
        with connection:
            request = _read_request(connection)
            self.server.requests.append(request)
            answer = self.server.answers.get(request.path, response(404))
            if isinstance(answer, bytes):
                connection.sendall(answer)
            else:
                answer(connection)


def _read_request(connection: socket.socket) -> SeenRequest:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        received = connection.recv(65536)
        if not received:
            raise ConnectionError
        head += received
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return SeenRequest(first.split(" ")[1], {name.lower(): value for name, value in headers.items()})


@contextlib.contextmanager
def running(host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[LocalServer]:
    """A server in a thread of its own."""
    with LocalServer(host, port, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def response(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """A well-formed answer; `content_type="text/html"` makes a Content-Type header."""
    return head(status, content_length=str(len(body)), **headers) + body


def head(status: int = 200, **headers: str) -> bytes:
    """The part of an answer before its body; without content_length the body ends with the connection."""
    lines = [f"HTTP/1.1 {status} Words"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def redirect(location: str, status: int = 302, **headers: str) -> bytes:
    return response(status, location=location, **headers)


def reset(connection: socket.socket) -> None:
    """End the connection with a TCP reset instead of a proper close."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
