"""Attachments: which bookmarks belong to which projects."""
