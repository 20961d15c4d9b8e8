"""Bundles: searches that linkding's clients store under a name and list bookmarks by."""
