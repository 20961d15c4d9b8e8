"""What Fuze asks of models: embeddings, and clients of language models."""
