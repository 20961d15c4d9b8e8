"""Finding bookmarks by word and by meaning."""
