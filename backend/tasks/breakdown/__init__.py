"""Breakdown: the steps of a task, from its own text, a how-to page or a language model.

In: a task. Out: steps with estimates, applied as subtasks on request.
`service` reads downwards; each engine is a module of its own.
"""
