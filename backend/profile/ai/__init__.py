"""/profile/ai: the person's own language model provider.

In: address, model and key of a provider. Out: an encrypted row, and a job that tests it. Called by routes.
"""
