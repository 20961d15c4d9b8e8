"""Feedback on recommendations."""
