"""Fuze: a self-hosted backend for what people save to read and use."""
