"""Projects: the work that saved reading is for.

In: requests of members. Out: projects with counts of their tasks and bookmarks.
Called by routes; `tasks`, `bookmarks` and `recommendations` look projects up here.
"""
