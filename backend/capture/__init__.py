"""Capture: fetch the page behind a link, guarded, and read what it says."""
