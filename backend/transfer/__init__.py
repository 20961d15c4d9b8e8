"""Import, export and feeds: bookmarks and what belongs to them as files.

In: export files of other products and our own, filters of a list. Out: bookmarks, projects and tasks; files; Atom.
`formats` reads files, one module a format; `export` writes them; `restore` brings an account back; `feeds` publishes
a saved filter. Called by routes and by the worker's import job.
"""
