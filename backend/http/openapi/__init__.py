"""The OpenAPI document, its examples and its human pages."""
