"""Remote embeddings: any endpoint that implements OpenAI's `/v1/embeddings`, such as Ollama or vLLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    DefaultHttpx2Client,
    OpenAI,
    OpenAIError,
)
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from backend.ai.embeddings.provider import EmbeddingsUnavailable, Vectors
from backend.spans import child_span, current_traceparent

if TYPE_CHECKING:
    from httpx2 import Response

BATCH = 32  # the smallest limit known: text-embeddings-inference's default --max-client-batch-size
# No tokenizer makes more tokens than a text has bytes: this stays under OpenAI's 8,192 for a text,
# and a batch under its 300,000 for a request.
TEXT_BYTES = 8_000
LONGEST_WAIT = 20.0  # seconds; a longer Retry-After is left to the retry of the job
RETRYABLE_STATUS = {408, 409, 425, 429}
CURES = {
    400: "check EMBEDDING_MODEL",
    401: "check EMBEDDING_API_KEY",
    403: "check the rights of EMBEDDING_API_KEY",
    404: "check EMBEDDING_BASE_URL and EMBEDDING_MODEL",
    405: "check EMBEDDING_BASE_URL",
}


class _Item(BaseModel):
    index: int
    embedding: list[FiniteFloat]


class _Answer(BaseModel):
    data: list[_Item] = Field(min_length=1)


class RemoteEmbeddings:
    """Client of one endpoint and model. Connects on first use, which must come after a fork."""

    def __init__(
        self, *, base_url: str, api_key: str, model: str, dimension: int, timeout: float, max_retries: int
    ) -> None:
        """Create the client.

        Args:
            base_url: up to and including `/v1`.
            api_key: may be empty for an endpoint without authentication.
            model: the endpoint's name of the model.
            dimension: the length of the model's vectors; an answer of another length is refused.
            timeout: seconds to wait for a connection and for each part of an answer.
            max_retries: further tries of a batch after a connection fault, a time-out, 408, 409, 429 or 5xx.

        Raises:
            EmbeddingsUnavailable: `base_url` or `api_key` cannot be used.
        """
        self.model = model
        self.dimension = dimension
        self._host = _host(base_url)
        if not (api_key.isascii() and api_key.isprintable()):
            raise EmbeddingsUnavailable(
                "EMBEDDING_API_KEY holds characters that no HTTP header can carry.", retryable=False
            )
        self._client = OpenAI(
            base_url=base_url,
            api_key=api_key or "none",  # The package requires one; endpoints without keys ignore it.
            timeout=timeout,
            max_retries=max_retries,
            http_client=DefaultHttpx2Client(
                trust_env=False,
                timeout=timeout,
                follow_redirects=False,  # A redirected POST arrives as a GET without its body.
                event_hooks={"response": [_refuse_long_waits]},
            ),
        )
        # The package reads these from the environment; only OpenAI should see them.
        self._client.organization = self._client.project = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, see `EmbeddingProvider.embed`."""
        batches = [self._embed_batch(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate([np.empty((0, self.dimension), np.float32), *batches])

    def _embed_batch(self, texts: Sequence[str]) -> Vectors:
        try:
            with child_span("POST", "client", {"http.request.method": "POST"}):
                traceparent = current_traceparent()
                response = self._client.embeddings.with_raw_response.create(
                    input=[_shorten(text) for text in texts],
                    model=self.model,
                    encoding_format="float",
                    extra_headers={"traceparent": traceparent} if traceparent else None,
                )
            answer = _Answer.model_validate_json(response.content)
        except OpenAIError as error:
            raise self._unavailable(error) from None  # The error's request holds the key.
        except ValidationError:
            raise EmbeddingsUnavailable(
                f"{self._host} answered something that is not an embeddings response.", retryable=True
            ) from None
        return self._normalised(answer, len(texts))

    def _normalised(self, answer: _Answer, count: int) -> Vectors:
        items = sorted(answer.data, key=lambda item: item.index)
        if [item.index for item in items] != list(range(count)):
            raise EmbeddingsUnavailable(f"{self._host} answered {len(items)} vectors to {count} texts.", retryable=True)
        for item in items:
            if len(item.embedding) != self.dimension:
                raise EmbeddingsUnavailable(
                    f"The vectors of {self.model} from {self._host} have {len(item.embedding)} numbers, "
                    f"but EMBEDDING_DIMENSION is {self.dimension}.",
                    retryable=False,
                )
        vectors = np.array([item.embedding for item in items], np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise EmbeddingsUnavailable(f"{self._host} answered a vector of zeros.", retryable=False)
        return np.asarray(vectors / lengths, np.float32)

    def _unavailable(self, error: OpenAIError) -> EmbeddingsUnavailable:
        match error:
            case APITimeoutError():
                return EmbeddingsUnavailable(f"{self._host} did not answer in time.", retryable=True)
            case APIConnectionError():
                return EmbeddingsUnavailable(f"{self._host} cannot be reached.", retryable=True)
            case APIStatusError(status_code=status):
                cure = f": {CURES[status]}" if status in CURES else ""
                return EmbeddingsUnavailable(
                    f"{self._host} answered {status}{cure}.",
                    retryable=status in RETRYABLE_STATUS or status >= 500,
                )
        return EmbeddingsUnavailable(f"The request to {self._host} failed.", retryable=True)


def _host(base_url: str) -> str:
    try:
        address = urlsplit(base_url)
        if address.scheme in ("http", "https") and address.hostname and address.port != 0:
            return address.hostname
    except ValueError:  # a port that is no number, an unbalanced bracket
        base_url = ""
    raise EmbeddingsUnavailable(
        "EMBEDDING_PROVIDER=openai needs an EMBEDDING_BASE_URL such as https://api.openai.com/v1.",
        retryable=False,
    )


def _shorten(text: str) -> str:
    """Cut a text to the endpoint's limit; OpenAI refuses an empty one."""
    return text.encode("utf-8", "replace")[:TEXT_BYTES].decode("utf-8", "ignore") or " "


def _refuse_long_waits(response: Response) -> None:
    """Stop the package from waiting up to two minutes when an endpoint asks it to: that would block the worker.

    Its own back-off of at most 8 seconds stays. It obeys the header `x-should-retry` before any other rule.
    """
    try:
        wait = float(response.headers.get("retry-after", 0))
    except ValueError:  # a date: no known endpoint sends one, and the package bounds it
        return
    if wait > LONGEST_WAIT:
        response.headers["x-should-retry"] = "false"
