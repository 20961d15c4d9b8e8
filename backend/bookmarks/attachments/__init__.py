"""Attachments: the membership of bookmarks in projects."""
