"""A mail server on this machine that speaks SMTP, faults included."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import cast


@dataclass
class SmtpServer:
    """What the server took, and how it behaves.

    `replies` holds, by command, what it says instead of yes: `451 later`; `drop` hangs up; `silence` says nothing more;
    `drip` never ends a line. CONNECT is the greeting, END the end of the data. With a certificate (`tls`) it offers
    STARTTLS, or begins with it (`tls_first`); with `users` it offers and wants AUTH PLAIN.
    """

    port: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8")
    users: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    tls_first: bool = False
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    was_encrypted: bool = False

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        """The mails it took, parsed."""
        parser = BytesParser(policy=default)
        return [cast(EmailMessage, parser.parsebytes(raw)) for raw in self.raw]


class _Conversation(socketserver.StreamRequestHandler):
    timeout = 20

    @property
    def script(self) -> SmtpServer:
        return cast(_Server, self.server).script

    def handle(self) -> None:
        try:
            self.converse()
        except OSError as error:
            self.script.commands.append(f"({type(error).__name__})")

    def finish(self) -> None:
        super().finish()
        self.rfile.close()
        self.connection.close()

    def converse(self) -> None:
        self.sender = self.recipient = ""
        self.encrypted = self.known = False
        if self.script.tls_first:
            self.encrypt()
        if not self.answer("CONNECT", "220 test"):
            return
        while line := self.rfile.readline(2048):
            word, _, argument = line.decode().strip().partition(" ")
            self.script.commands.append(line.decode().strip())
            if not self.obey(word.upper(), argument):
                return

    def obey(self, word: str, argument: str) -> bool:
        if word in ("EHLO", "HELO"):
            return self.answer(word, self.greeting())
        if word == "STARTTLS" and self.script.tls:
            return self.answer(word, "220 go on") and self.encrypt()
        if word == "AUTH":
            return self.log_in(argument)
        if word == "MAIL":
            self.sender = argument
            return self.answer(word, "250 ok" if self.known or not self.script.users else "530 who are you")
        if word == "RCPT":
            self.recipient = argument
            return self.answer(word, "250 ok")
        if word == "DATA":
            return self.take()
        return self.answer(word, "221 bye" if word == "QUIT" else "250 ok") and word != "QUIT"

    def greeting(self) -> str:
        offers = ["test", *self.script.extensions]
        if self.script.tls and not self.encrypted:
            offers.append("STARTTLS")
        if self.script.users:
            offers.append("AUTH PLAIN")
        return "\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    def encrypt(self) -> bool:
        assert self.script.tls is not None
        self.rfile.close()
        self.connection = self.script.tls.wrap_socket(self.connection, server_side=True, do_handshake_on_connect=False)
        self.connection.do_handshake()
        self.rfile = self.connection.makefile("rb")
        self.encrypted = self.script.was_encrypted = True
        return True

    def log_in(self, argument: str) -> bool:
        _, user, password = base64.b64decode(argument.partition(" ")[2]).decode().split("\0")
        self.known = self.script.users.get(user) == password
        return self.answer("AUTH", "235 welcome" if self.known else "535 wrong password")

    def take(self) -> bool:
        if not self.answer("DATA", "354 go on") or "DATA" in self.script.replies:
            return "DATA" in self.script.replies and self.script.replies["DATA"] != "drop"
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        if "END" not in self.script.replies:
            self.script.raw.append(b"".join(lines))
            self.script.envelopes.append((self.sender, self.recipient))
        return self.answer("END", "250 taken")

    def answer(self, word: str, usual: str) -> bool:
        """Say what the script wants, and whether the conversation goes on."""
        reply = self.script.replies.get(word, usual)
        if reply == "drop":
            return False
        if reply == "silence":
            time.sleep(5)
            return False
        if reply == "drip":
            return self.drip()
        self.connection.sendall(f"{reply}\r\n".encode())
        return True

    def drip(self) -> bool:
        for _ in range(100):
            try:
                self.connection.sendall(b"2")
            except OSError:
                break
            time.sleep(0.1)
        return False


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    script: SmtpServer


@contextmanager
def smtp_server(script: SmtpServer | None = None) -> Iterator[SmtpServer]:
    """A running server; its `url` says where. It stops with the block."""
    script = script or SmtpServer()
    with _Server(("127.0.0.1", script.port), _Conversation) as server:
        server.script = script
        script.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
