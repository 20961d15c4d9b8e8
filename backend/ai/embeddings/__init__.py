"""Embeddings: texts as vectors whose cosine similarity follows their meaning. Start at `provider`."""
