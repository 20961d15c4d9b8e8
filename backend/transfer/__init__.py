"""Import, export and feeds: bookmarks and what belongs to them as files of many formats.

`export/` writes files for a request, `formats/` reads one format a module as records, `account.py` restores what a JSON
export holds beside bookmarks, `feeds/` publishes a saved filter as Atom.
"""
