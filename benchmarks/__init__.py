"""Measurements: run by hand, compared within one run, never asserted in tests."""
