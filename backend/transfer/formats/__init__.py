"""Readers of files: one module a format, each an `ImportFormat` that yields the records of `transfer/records.py`."""
