"""The words of texts and queries, found the same way in both.

A stored document holds what `analyze` returned when it was written: a change to what it returns asks for all documents
to be written again.
"""

from backend.text.stop_words import is_stop_word
from backend.text.terms import query_forms, query_terms
from backend.text.tokens import Token, analyze, lexeme_literal, quoted

__all__ = ["Token", "analyze", "is_stop_word", "lexeme_literal", "query_forms", "query_terms", "quoted"]
