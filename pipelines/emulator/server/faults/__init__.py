"""Faults on demand: what a faults file says, which requests it hits, and what it does to them.

`plan` is the file's grammar, `facts` what a request is matched by, `book` the current plan with
its counters. What a fault does is in `statuses` (errors instead of an answer), `data` (other
events), `fields` (other values of dimensions and metrics) and `answers` (the finished page).
"""

from pipelines.emulator.server.faults.book import Effects, FaultBook
from pipelines.emulator.server.faults.facts import Facts
from pipelines.emulator.server.faults.plan import FaultPlan, read_plan

__all__ = ["Effects", "Facts", "FaultBook", "FaultPlan", "read_plan"]
