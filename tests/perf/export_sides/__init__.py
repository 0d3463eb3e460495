"""The sides of the export's benchmark, each a process of its own, run with `python -m`.

Each reads the same raw files and tells the same numbers: sessions by day, events and sessions by
day and event, and the strict ordered closed funnel of the last 28 days in users and in sessions.
On the way each lands what the default tracking plan needs of an event (`told.PARAMETERS` and some
columns) as flat Parquet, and counts from there, as a night does; or, `bare`, decodes no more than
these numbers need, and keeps it in memory.

Those of other engines run in other environments, and import nothing of ours but `told`.
"""
