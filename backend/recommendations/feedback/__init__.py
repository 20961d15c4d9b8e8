"""Feedback: what people say of recommendations, and what follows from it."""
