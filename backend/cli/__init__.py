"""The command line: the embedded stack and the operator's commands."""
