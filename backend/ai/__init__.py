"""Model clients: embeddings, and language models behind OpenAI-compatible endpoints.

In: texts, and prompts of features. Out: vectors, and objects of a given shape.
Called by `index`, `search`, `recommendations`, `tasks` and `profile`; every connection goes through `outbound`.
"""
