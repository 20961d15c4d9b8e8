"""Highlights: where a text holds the words of a query, and its best passages."""
