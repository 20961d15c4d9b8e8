"""Text processing: normalisation, tokens, stems, stop words, language detection, sort keys, the query language.

In: strings. Out: tokens, lexemes, parsed queries. Pure: no database, no request.
Called by `bookmarks` for documents, and by `search` and lists for queries.
"""
