"""Bookmarks: links with what people say of them. CRUD, bulk changes, trash, duplicates.

In: requests of people and scripts. Out: rows, their search documents, and messages that wake the worker.
`tags` and `attachments` hold what a bookmark belongs to. Called by routes, `capture`, `search` and `recommendations`.
"""
