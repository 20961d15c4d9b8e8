"""`python -m backend up`: the whole of Fuze on one machine, in the foreground."""
