"""Tags: names, assignment to bookmarks, renaming and merging."""
