"""Search index: impacts, labels, corpus statistics, vectors and their nearest neighbours.

In: rows whose document or vector is due, and values of callers. Out: postings, statistics, nearest neighbours.
Called by `bookmarks`, which writes documents, and by `search` and `recommendations`, which read.
"""
