"""Import and export: whole collections, in files of other products' formats and of our own.

In comes a file of bookmarks (`POST /bookmarks/import`), which a worker reads, a batch at a time, into `bookmarks`. Each
format is one module of `formats/`, which yields the records of `records.py`.
"""
