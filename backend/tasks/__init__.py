"""Tasks: what is to be done, in what order, and in which steps."""
