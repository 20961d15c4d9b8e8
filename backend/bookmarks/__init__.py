"""Bookmarks, tags, capture and transfer."""
