"""The gates between the stages of the pipeline: is what a stage made fit to build upon?

`run_gate` checks one stage and only reads, `record` remembers the results. What is checked stands
in `suites/`, one module per stage; `runner.py` alone touches Great Expectations. No Dagster here.
"""

from data_checks.dbt_tests import ModelTest, tests_of_layer
from data_checks.model import GateReport, GateRequestError, GateResult, Window
from data_checks.record import first_failure, record
from data_checks.registry import GATES
from data_checks.runner import run_gate, warm_up

__all__ = [
    "GATES",
    "GateReport",
    "GateRequestError",
    "GateResult",
    "ModelTest",
    "Window",
    "first_failure",
    "record",
    "run_gate",
    "tests_of_layer",
    "warm_up",
]
