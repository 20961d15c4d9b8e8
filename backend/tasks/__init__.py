"""Tasks: what is to be done, in what order, in which steps.

In: requests of members. Out: a tree of tasks that PostgreSQL keeps free of cycles.
Called by routes; `breakdown` finds the steps of a task.
"""
