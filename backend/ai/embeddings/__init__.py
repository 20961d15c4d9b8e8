"""Embeddings: texts as vectors whose cosine similarity follows their meaning. Start at `provider`."""

import os

# Else onnxruntime reports its use to its publisher, from a thread that no fork survives. It reads this at its import.
os.putenv("ORT_DISABLE_TELEMETRY", "1")
