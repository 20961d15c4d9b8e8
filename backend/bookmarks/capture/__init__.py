"""Capture: fetch a page safely and read it."""
