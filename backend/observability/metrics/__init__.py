"""Metrics of all processes: counters, gauges and histograms of prometheus-client, shared by files.

In: what features say has happened (`recording`). Out: samples merged over web processes, workers and the scheduler.
`storage` gives each process a file of its own, `families` defines what is measured, `reading` merges the files.
"""
