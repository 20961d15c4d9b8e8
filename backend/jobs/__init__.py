"""The durable job table, the RQ glue, the worker and the status API."""
