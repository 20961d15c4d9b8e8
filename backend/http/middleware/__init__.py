"""Middleware: proxies, request ids, input checks, security headers, compression, the time-out of reads."""
