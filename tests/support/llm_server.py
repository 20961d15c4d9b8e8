"""A local HTTP server that speaks as much of OpenAI's chat protocol as a test asks for, faults included."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}
Reply = tuple[int, Any, dict[str, str]]


def said(content: Any, /, *, finish: str = "stop", usage: tuple[int, int] | None = (100, 20), **message: Any) -> Any:
    """The body of an answer; what is no text is said as JSON. `usage` are the tokens of question and answer."""
    text = content if isinstance(content, str | None) else json.dumps(content)
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    counted = {"usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}} if usage else {}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **counted}


class LlmServer(ThreadingHTTPServer):
    """Answers with `replies` in turn, the last one over and over, each after `delay` seconds; `asked` holds path,
    headers and body. What `refuses` answers to a body comes first."""

    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.replies: list[Reply] = [(200, ANSWER, {})]
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.delay = 0.0
        self.refuses: Callable[[Any], Reply | None] = lambda body: None
        self._stopping = threading.Event()

    @property
    def base_url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_address[1]}/v1"

    def will_answer(self, status: int, body: Any = None, **headers: str) -> None:
        self.replies.append((status, body, headers))
        if len(self.asked) == 0 and self.replies[0][1] is ANSWER:
            self.replies.pop(0)

    def will_say(self, *contents: Any, **how: Any) -> None:
        """Answers as a model that says these in turn; see `said`."""
        for content in contents:
            self.will_answer(200, said(content, **how))

    def next_reply(self, body: Any) -> Reply:
        refusal = self.refuses(body)
        if refusal is not None:
            return refusal
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def wait(self) -> None:
        """Take the time that an answer takes."""
        self._stopping.wait(self.delay)

    def shutdown(self) -> None:
        self._stopping.set()
        super().shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away while they are answered; that is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: LlmServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        status, answer, headers = self.server.next_reply(body)
        self.server.wait()
        content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[LlmServer]:
    """A server on a port of its own."""
    with LlmServer(host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
