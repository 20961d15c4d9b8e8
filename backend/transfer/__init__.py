"""Import and export: everything that a person brings along or takes away as a file.

In come the export files of other products. `formats` recognises each by its content and reads it, one module a format,
with the readers of `reading`; out come the records of `records`, one after another and in bounded memory.
The import job calls `formats`; it checks the records, unites duplicates and writes bookmarks.
"""
