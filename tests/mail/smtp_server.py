"""A mail server on this machine: aiosmtpd's, which a test can make refuse, hang up, fall silent or drip."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.mail.reading import parsed
from tests.support.processes import eventually, free_port

# It logs to whom mails go, into the same log as Fuze, which does not.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
ENDLESS = 60.0  # Seconds that silence and dripping last, unless the client hangs up.


@dataclass
class SmtpServer:
    """What the server took, and how it behaves.

    `replies` holds, by command, what it says instead of yes: `451 later`; `drop` hangs up; `silence` says nothing more;
    `drip` never ends a line. CONNECT is the greeting, END the end of the data. With a certificate (`tls`) it offers
    STARTTLS, or begins with it (`tls_first`); with `users` it takes mails of theirs only.
    """

    port: int = field(default_factory=free_port)
    replies: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    utf8: bool = True
    tls: ssl.SSLContext | None = None
    tls_first: bool = False
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    was_encrypted: bool = False

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        """The mails it took, parsed."""
        return [parsed(raw) for raw in self.raw]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail that has arrived."""
        if self.users and not session.authenticated:
            return "530 who are you"
        if "END" not in self.replies:
            assert isinstance(envelope.original_content, bytes)
            assert server.transport is not None
            self.raw.append(envelope.original_content)
            self.envelopes.append(envelope)
            self.was_encrypted = server.transport.get_extra_info("ssl_object") is not None
        return self.replies.get("END", "250 taken")

    def authenticate(self, _: SMTP, __: Session, ___: Envelope, mechanism: str, login: LoginPassword) -> AuthResult:
        """Compare the password; the server words its answer itself."""
        right = self.users.get(login.login.decode()) == login.password.decode()
        return AuthResult(success=right, handled=False)


class _Smtp(SMTP):
    """Says what the script wants where it is not asked by a hook, and acts its faults."""

    event_handler: SmtpServer

    async def push(self, status: str | bytes) -> None:
        assert self.session is not None
        if self.session.host_name is None and str(status).startswith("220 "):
            status = self.event_handler.replies.get("CONNECT", status)
        if status in ("drop", "silence", "drip"):
            await self._act(str(status))
        else:
            await super().push(status)

    async def _act(self, fault: str) -> None:
        assert self.transport is not None
        transport = self.transport
        try:
            for _ in range(0 if fault == "drop" else int(ENDLESS / 0.1)):
                if fault == "drip":
                    self._writer.write(b"2")
                await asyncio.sleep(0.1)
        finally:
            # Also when the client hung up meanwhile, where the greeting leaves the connection open.
            transport.close()


def _scripted(word: str) -> Callable[[_Smtp, str], Awaitable[None]]:
    usual = getattr(SMTP, f"smtp_{word}")

    async def command(self: _Smtp, argument: str) -> None:
        self.event_handler.commands.append(word)
        reply = self.event_handler.replies.get(word)
        await (self.push(reply) if reply else usual(self, argument))

    return command


for _word in ("EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"):
    setattr(_Smtp, f"smtp_{_word}", _scripted(_word))


class _Controller(Controller):
    handler: SmtpServer

    def factory(self) -> SMTP:
        script = self.handler
        return _Smtp(
            script,
            hostname="test",
            enable_SMTPUTF8=script.utf8,
            tls_context=None if script.tls_first else script.tls,
            auth_require_tls=False,
            authenticator=script.authenticate,
            loop=self.loop,
        )


@contextmanager
def smtp_server(script: SmtpServer | None = None) -> Iterator[SmtpServer]:
    """A running server; its `url` says where. It stops with the block."""
    script = script or SmtpServer()
    # To start it must greet once, whatever it is to say later.
    replies, script.replies = script.replies, {}
    context = script.tls if script.tls_first else None
    controller = _Controller(script, "127.0.0.1", script.port, ssl_context=context)
    controller.start()
    script.replies = replies
    try:
        yield script
    finally:
        # Whoever hung up must be gone: it forgets to close connections that it still waits on.
        eventually(lambda: not asyncio.all_tasks(controller.loop), timeout=30)
        controller.stop()
