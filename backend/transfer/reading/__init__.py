"""What the readers of several formats share.

In comes a file of bytes; out come lines of text, HTML tags, rows of a table or objects of JSON, one after another, and
from their fields links, dates, tags and states. Called by the modules of `backend.transfer.formats`.
"""
