"""Backups: the whole database and the files of the data directory in one file, and the way back.

In: the address of a database that runs, a data directory, a file. Out: a file with a manifest of versions and
checksums; a database and a data directory as they were. Called by the command line. PostgreSQL's own programs read and
write rows: `programs` finds those that fit the server, `database` runs them, `archive` is the format of the file.
"""
