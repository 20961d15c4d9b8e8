"""The OpenAPI document, its examples and its human pages.

In: what routes declare (`operations`). Out: /api/openapi.json and /api/docs.
"""
