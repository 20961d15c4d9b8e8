"""The OpenAI-compatible provider against a real HTTP server that speaks the protocol, faults included."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from backend.ai.embeddings.openai import BATCH, RemoteEmbeddings
from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.querying import QueryEmbedder

pytestmark = pytest.mark.unit

KEY = "sk-a-key-nobody-may-see"
DIMENSION = 3


class Endpoint:
    """Answers each request with the next of `answers` (status, body, headers), then rightly."""

    def __init__(self, server):
        self.url = f"http://127.0.0.1:{server.server_port}/v1"
        self.requests = []
        self.answers = []
        self.delay = 0.0

    def will_answer(self, status=200, body="", **headers):
        text = body if isinstance(body, str) else json.dumps(body)
        self.answers.append((status, text, {name.replace("_", "-"): value for name, value in headers.items()}))

    def answer(self, path, headers, body):
        self.requests.append((path, headers, body))
        time.sleep(self.delay)
        if self.answers:
            return self.answers.pop(0)
        return 200, json.dumps(vectors(*([number_of(text), 1, 0] for text in body["input"]))), {}


def number_of(text):
    return int(text) if text.strip().isdigit() else 0


def vectors(*rows):
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)],
    }


@pytest.fixture
def endpoint():
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            status, text, headers = found.answer(self.path, self.headers, json.loads(self.rfile.read(length)))
            body = text.encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """A client that gave up is a part of these tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        found = Endpoint(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def connect(endpoint):
    made = []

    def make(**changes):
        values = {"base_url": endpoint.url, "api_key": KEY, "model": "a-model", "dimension": DIMENSION}
        made.append(RemoteEmbeddings(**{**values, "timeout": 5.0, "max_retries": 2, **changes}))
        return made[-1]

    yield make
    for provider in made:
        provider._client.close()


def refusal_of(provider, texts=("1",)):
    with pytest.raises(EmbeddingsUnavailable) as refusal:
        provider.embed(texts)
    assert KEY not in refusal.value.reason
    assert refusal.value.reason.endswith(".")
    return refusal.value


def test_rows_come_normalised_as_float32(connect):
    found = connect().embed(["3", "0"])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[3 / 10**0.5, 1 / 10**0.5, 0], [0, 1, 0]], rtol=1e-6)


def test_the_request_carries_model_key_and_plain_floats(connect, endpoint):
    connect().embed(["1"])
    ((path, headers, body),) = endpoint.requests
    assert path == "/v1/embeddings"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body == {"model": "a-model", "input": ["1"], "encoding_format": "float"}


def test_an_endpoint_without_keys_is_served(connect):
    assert connect(api_key="").embed(["1"]).shape == (1, DIMENSION)


def test_nothing_to_embed_asks_nobody(connect, endpoint):
    assert connect().embed([]).shape == (0, DIMENSION)
    assert endpoint.requests == []


def test_many_texts_go_in_batches_and_come_back_in_order(connect, endpoint):
    count = 2 * BATCH + 1
    found = connect().embed([str(number) for number in range(count)])
    assert [len(body["input"]) for _, _, body in endpoint.requests] == [BATCH, BATCH, 1]
    np.testing.assert_allclose(found[:, 0] / found[:, 1], np.arange(count), rtol=1e-5)


def test_vectors_are_put_in_order_by_their_index(connect, endpoint):
    answer = vectors([1, 0, 0], [0, 1, 0])
    answer["data"].reverse()
    endpoint.will_answer(body=answer)
    np.testing.assert_array_equal(connect().embed(["a", "b"]), [[1, 0, 0], [0, 1, 0]])


def test_an_empty_text_is_sent_as_a_blank_and_a_long_one_is_cut_between_characters(connect, endpoint):
    connect().embed(["", "é" * 10_000, "a\ud800b"])
    assert endpoint.requests[0][2]["input"] == [" ", "é" * 4_000, "a?b"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_passing_fault_is_tried_again(connect, endpoint, status):
    endpoint.will_answer(status, {"error": {"message": "busy"}}, retry_after_ms="1")
    assert connect().embed(["1"]).shape == (1, DIMENSION)
    assert len(endpoint.requests) == 2


def test_tries_are_bounded(connect, endpoint):
    for _ in range(5):
        endpoint.will_answer(429, retry_after_ms="1")
    assert refusal_of(connect()).retryable
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize("wait", ["3600", "21", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_long_wait_is_left_to_the_next_try_of_the_job(connect, endpoint, wait):
    endpoint.will_answer(429, retry_after=wait)
    started = time.monotonic()
    assert refusal_of(connect()).retryable
    assert time.monotonic() - started < 20
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("status", "retryable", "named"),
    [
        (302, False, "302"),
        (400, False, "EMBEDDING_MODEL"),
        (401, False, "EMBEDDING_API_KEY"),
        (403, False, "EMBEDDING_API_KEY"),
        (404, False, "EMBEDDING_BASE_URL"),
        (429, True, "429"),
        (500, True, "500"),
        (503, True, "503"),
    ],
)
def test_a_status_tells_what_to_do_and_whether_to_try_again(connect, endpoint, status, retryable, named):
    endpoint.will_answer(status, {"error": {"message": f"no: {KEY}"}}, location="/elsewhere")
    refusal = refusal_of(connect(max_retries=0))
    assert refusal.retryable is retryable
    assert named in refusal.reason


@pytest.mark.parametrize(
    "body",
    [
        '{"data": [{"index": 0, "embed',
        "<html>a page</html>",
        "",
        "null",
        {"error": {"message": "no"}},
        {"data": []},
        {"data": [{"index": 0, "embedding": None}]},
        {"data": [{"index": 0, "embedding": "AAAA"}]},
        vectors([float("nan"), 1, 1]),
        vectors([1, 0, 0], [0, 1, 0]),
        {"data": [{"index": 1, "embedding": [1, 0, 0]}]},
    ],
    ids=str,
)
def test_an_answer_that_is_none_is_refused_in_a_sentence(connect, endpoint, body):
    endpoint.will_answer(body=body)
    assert refusal_of(connect()).retryable


def test_a_text_answer_of_another_media_type_is_refused(connect, endpoint):
    endpoint.will_answer(body="welcome", Content_Type="text/plain")
    assert "not an embeddings response" in refusal_of(connect()).reason


def test_a_vector_of_another_length_names_the_setting(connect, endpoint):
    endpoint.will_answer(body=vectors([1, 0, 0, 0]))
    refusal = refusal_of(connect())
    assert not refusal.retryable
    assert "have 4 numbers, but EMBEDDING_DIMENSION is 3" in refusal.reason


def test_a_vector_of_zeros_is_refused(connect, endpoint):
    endpoint.will_answer(body=vectors([0, 0, 0]))
    assert not refusal_of(connect()).retryable


def test_a_slow_endpoint_is_given_up(connect, endpoint):
    endpoint.delay = 0.5
    refusal = refusal_of(connect(timeout=0.05, max_retries=0))
    assert refusal.retryable
    assert "in time" in refusal.reason


def test_an_endpoint_that_is_not_there_may_come_back(connect):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refusal = refusal_of(connect(base_url=f"http://127.0.0.1:{port}/v1", max_retries=0))
    assert refusal.retryable
    assert "cannot be reached" in refusal.reason


def test_the_environment_neither_redirects_the_request_nor_adds_to_it(connect, endpoint, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-house")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-private")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-private")
    connect(api_key="").embed(["1"])
    sent = str(endpoint.requests[0][1])
    assert "another-house" not in sent
    assert "private" not in sent


@pytest.mark.parametrize("address", ["", "api.openai.com/v1", "ftp://host/v1", "http://", "http://h:x/", "http://[::1"])
def test_an_address_that_is_none_is_refused_at_once(connect, address):
    with pytest.raises(EmbeddingsUnavailable, match="EMBEDDING_BASE_URL") as refusal:
        connect(base_url=address)
    assert not refusal.value.retryable


@pytest.mark.parametrize("key", ["clé", "a\nb"])
def test_a_key_that_no_header_carries_is_refused_without_being_shown(connect, key):
    with pytest.raises(EmbeddingsUnavailable, match="EMBEDDING_API_KEY") as refusal:
        connect(api_key=key)
    assert key not in refusal.value.reason


def test_a_dead_endpoint_costs_one_query_a_wait_and_the_next_none(endpoint, connect):
    endpoint.delay = 0.6
    embedder = QueryEmbedder(connect(timeout=0.3, max_retries=0))
    started = time.monotonic()
    for number in range(50):
        with pytest.raises(EmbeddingsUnavailable):
            embedder.embed(str(number))
    assert time.monotonic() - started < 50 * 0.3 / 2
    assert len(endpoint.requests) == 1
