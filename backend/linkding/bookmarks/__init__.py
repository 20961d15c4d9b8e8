"""Bookmarks as linkding's clients list, save, change and delete them."""
