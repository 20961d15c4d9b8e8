"""Texts as vectors, so that what means the same is found whatever words it uses. Start at `provider`."""
