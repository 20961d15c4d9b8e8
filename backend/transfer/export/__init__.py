"""Export: filters come in, a file goes out in pieces.

The request checks the filters and reads the first ids; the rest is read while the file is sent, in batches with a short
transaction each. Each format is a module that turns batches into text.
"""
