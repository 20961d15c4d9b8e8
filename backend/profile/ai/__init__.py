"""/profile/ai: the person's own language model provider."""
