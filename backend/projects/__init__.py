"""Projects: pieces of work that bookmarks are attached to.

In: requests of members. Out: projects with counts of their tasks and bookmarks.
Called by routes; `tasks`, `bookmarks` and `recommendations` look projects up here.
"""
