"""Suggestions while somebody types: recent searches, tags, titles, domains."""
