"""Every gate passes the hand-made warehouse that the other tests of gates spoil."""

import pytest

from data_checks import GATES
from tests.support.checked_warehouse import PROPERTIES, build_warehouse, check

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("gate", GATES)
def test_a_clean_warehouse_passes_every_gate(gate: str) -> None:
    report = check(build_warehouse(), gate)
    assert [r.sentence for r in report.results if not r.is_success] == []
    assert report.is_passed
    assert {r.property_id for r in report.results} == set(PROPERTIES)
