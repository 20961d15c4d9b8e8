"""Accounts, sessions and who may act."""
