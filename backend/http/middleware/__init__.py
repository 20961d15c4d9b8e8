"""Middleware: what holds for every request, whatever its route.

Proxies, CORS, request ids, input checks, the time-out of reads, compression, security headers. In: the WSGI environ.
Out: a refusal, or headers of the response. `create_app` registers it, each module by one function.
"""
