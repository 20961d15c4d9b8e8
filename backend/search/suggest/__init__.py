"""Suggestions for search as you type: recent searches, tags, titles and domains."""
