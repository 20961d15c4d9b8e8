"""Bookmarks: saved links with their titles, notes, tags and projects. CRUD, bulk actions, trash, duplicates.

In: requests of people and scripts. Out: rows, their search documents, and messages that wake the worker.
`tags` and `attachments` hold what a bookmark belongs to. Called by routes, `capture`, `search` and `recommendations`.
"""
