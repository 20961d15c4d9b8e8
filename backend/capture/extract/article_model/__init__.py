"""A model of which blocks of a page are its article.

In: the blocks of a page, and what each reader has found of them. Out: for each block the probability that it belongs to
the article, by logistic regression. `benchmarks.article_weights` learns the weights. Called by `selection`.
"""
