"""Embeddings: texts as vectors, so that texts of one meaning are near each other. Start at `provider`."""
