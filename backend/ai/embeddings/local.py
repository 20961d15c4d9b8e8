"""Local embeddings: all-MiniLM-L6-v2, run by onnxruntime."""

from __future__ import annotations

import fcntl
import os
import subprocess  # nosec B404
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from loguru import logger
from onnxruntime import InferenceSession, SessionOptions
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf
from tokenizers import Tokenizer

from backend.ai.embeddings.provider import EmbeddingsUnavailable, Vectors
from backend.ai.embeddings.weights import MODEL, TOKENIZER, WEIGHTS, WEIGHTS_SHA256, check_weights, weights_folder

ROOT = Path(__file__).parents[3]
DIMENSION = 384
MAX_TOKENS = 256  # the model's own limit, special tokens included
# 256 tokens of the measured texts span at most 1,600 characters; tokenizing a long page whole takes seconds.
MAX_CHARACTERS = 4_096
BATCH_TOKENS = 256  # padding included; of 1 to 4,096 the fastest, and a third faster than 1,024
DAMAGED = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf)  # onnxruntime's errors for a damaged file
GRAPH_VERSION = 1  # add one with every change of minilm_graph.py that changes a vector


@dataclass(frozen=True)
class _Loaded:
    tokenizer: Tokenizer
    session: InferenceSession


class LocalEmbeddings:
    """Embedding model of this process, loaded on first use.

    Thread-safe. With `threads=1` it may be used before a fork, and the children share its memory. With more, the first
    use must come after the fork, since the session's threads do not survive it.
    """

    model = MODEL
    dimension = DIMENSION

    def __init__(self, data_dir: Path, *, threads: int = 1) -> None:
        """Find the weights; nothing is loaded yet.

        Args:
            data_dir: the built model is stored in its `models` folder.
            threads: threads of one call; 0 for every core.

        Raises:
            EmbeddingsUnavailable: the weights are not installed.
        """
        self._folder = weights_folder()
        self._models = data_dir / "models"
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, see `EmbeddingProvider.embed`. Only the first 256 tokens of each text count.

        Texts are tokenized one at a time: a call for many would start threads in the tokenizer, which do not survive a
        later fork unless `TOKENIZERS_PARALLELISM` forbids them.
        """
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        if not texts:
            return vectors
        loaded = self._load()
        tokens = [loaded.tokenizer.encode(_clean(text)).ids for text in texts]
        for batch in _batches(tokens):
            vectors[batch] = _run(loaded.session, [tokens[index] for index in batch])
        return vectors

    def _load(self) -> _Loaded:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = _Loaded(self._tokenizer(), self._session())
        return self._loaded

    def _tokenizer(self) -> Tokenizer:
        tokenizer: Tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer

    def _session(self) -> InferenceSession:
        try:
            return open_session(str(self._kept_model()), self._threads)
        except (OSError, *DAMAGED) as error:
            logger.warning("The embedding model is built in memory, a second of work, for: {}", error)
            return open_session(self._build(), self._threads)

    def _kept_model(self) -> Path:
        """Return the path of the built model; the first process builds it under a lock, others wait."""
        path = self._models / f"{MODEL}-{WEIGHTS_SHA256[:12]}-int8-v{GRAPH_VERSION}.onnx"
        if not path.exists():
            self._models.mkdir(parents=True, exist_ok=True)
            with _lock(path.with_suffix(".lock")):
                if not path.exists():
                    _write_whole(path, self._build())
        return path

    def _build(self) -> bytes:
        """Build the graph in a process of its own: this one would keep what onnx has loaded."""
        check_weights(self._folder / WEIGHTS)
        command = [sys.executable, "-m", "backend.ai.embeddings.minilm_graph"]
        try:
            return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout  # nosec B603
        except subprocess.CalledProcessError as error:
            reason = f"{MODEL} could not be built: exit code {error.returncode}."
            raise EmbeddingsUnavailable(reason, retryable=True) from error


def _clean(text: str) -> str:
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode()  # The tokenizer refuses lone surrogates.


def _batches(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield indices of texts, longest first, in batches of similar lengths: little padding, bounded memory."""
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]), reverse=True)
    start = 0
    while start < len(order):
        end = start + max(1, BATCH_TOKENS // len(tokens[order[start]]))
        yield order[start:end]
        start = end


def _run(session: InferenceSession, batch: Sequence[Sequence[int]]) -> Vectors:
    shape = len(batch), max(map(len, batch))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    (vectors,) = session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})
    return cast(Vectors, vectors)


def open_session(model: str | bytes, threads: int) -> InferenceSession:
    """Open a session of a model, given as its path or its bytes."""
    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would take the cores from the servers beside them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The fused SkipLayerNormalization takes longer than the two operators that it replaces.
    return InferenceSession(
        model, options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file closes, or its process dies
        yield


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file atomically and durably. The caller holds the lock."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
