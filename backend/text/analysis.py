"""Text analysis: the same tokens for documents and queries.

A stored document holds the result of `analyze` at the time of writing: a change of `analyze` requires a rewrite of all
documents.
"""

from backend.text.stop_words import is_stop_word
from backend.text.terms import query_forms, query_terms
from backend.text.tokens import Token, analyze, lexeme_literal, quoted

__all__ = ["Token", "analyze", "is_stop_word", "lexeme_literal", "query_forms", "query_terms", "quoted"]
