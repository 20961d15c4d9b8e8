"""Tasks: a tree of tasks and subtasks in a manual order.

In: requests of members. Out: tasks whose tree PostgreSQL keeps free of cycles.
Called by routes; `breakdown` finds the steps of a task.
"""
