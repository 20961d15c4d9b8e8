"""Mails: rows first, sent by the worker."""
