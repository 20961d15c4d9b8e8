"""Finding bookmarks by their words: what is stored of them, what a query asks of it, what ranking counts with."""
