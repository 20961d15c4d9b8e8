"""Dashboard export: an organization's tables as one file, in JSON, CSV or XLSX.

The request queues a job. The job reads the tables in batches, writes the file into the database in parts, and tells a
signed link that its owner alone can use for a day. Called by routes and by the worker.
"""
