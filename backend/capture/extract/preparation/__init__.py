"""Preparation: a parsed page in the markup of some generator becomes plain markup, before its article is looked for.

In: the tree of a page, changed in place. Out: no furniture, each formula as TeX, each listing as `<pre><code>`, notes
and headings where an extractor finds them. Called by `article`.
"""
