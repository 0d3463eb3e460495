"""Quota: what a request costs, what is left, and what happens when nothing is."""

from datetime import UTC, datetime, timedelta

import pytest
from google.analytics.data_v1beta import types as ga4
from google.api_core import exceptions

from pipelines.emulator.server import service
from pipelines.emulator.server.errors import ApiError
from pipelines.emulator.server.quota import QuotaLedger, QuotaLimits, token_price
from tests.support.emulated_shop import Shop, served_shop


def test_quota_is_reported_when_asked_for(tmp_path):
    def quota(shop: Shop) -> ga4.PropertyQuota:
        return shop.report("date", "sessions", return_property_quota=True).property_quota

    with served_shop(tmp_path) as shop:
        first, second = quota(shop), quota(shop)
        unasked = shop.report("date", "sessions")
    assert (first.tokens_per_day.consumed, first.concurrent_requests.remaining) == (1, 10)
    assert second.tokens_per_day.remaining == first.tokens_per_day.remaining - 1
    assert second.tokens_per_hour.remaining == 39_998
    assert second.tokens_per_project_per_hour.remaining == 13_998
    assert second.server_errors_per_project_per_hour.remaining == 10
    assert second.potentially_thresholded_requests_per_hour.remaining == 120
    assert not unasked.HasField("property_quota")


def test_a_fault_of_ours_looks_like_the_services_own(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    with served_shop(tmp_path) as shop:
        with monkeypatch.context() as patched:
            patched.setattr(service, "run_report", fail)
            with pytest.raises(exceptions.InternalServerError) as seen:
                shop.report("date", "sessions")
        assert "secret" not in seen.value.message
        quota = shop.report("date", "sessions", return_property_quota=True).property_quota
    assert quota.server_errors_per_project_per_hour.remaining == 9


def test_prices_grow_with_days_and_dimensions():
    four_days, five_weeks, quarter = (token_price(days, 3) for days in (4, 35, 90))
    assert (four_days, five_weeks, quarter) == (1, 8, 19)
    assert token_price(1, 9) == 1


class Clock:
    """A clock that tests put forward."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 11, 6, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


def remaining(ledger: QuotaLedger) -> tuple[int, int]:
    """Tokens that are left to the project this hour, and today."""
    state = ledger.state()
    return tuple(
        state[name]["remaining"] for name in ("tokens_per_project_per_hour", "tokens_per_day")
    )


def test_used_up_tokens_come_back_with_the_hour_and_the_pacific_day():
    clock = Clock()
    limits = QuotaLimits(tokens_per_project_per_hour=10, tokens_per_day=15)
    ledger = QuotaLedger(clock, lambda: limits)
    with ledger.request():
        ledger.charge(10)
    assert remaining(ledger) == (0, 5)
    with pytest.raises(ApiError, match="Exhausted property tokens for a project per hour"):
        ledger.request().__enter__()
    clock.time += timedelta(minutes=50)  # 07:00 UTC is midnight in California (summer time)
    with ledger.request():
        ledger.charge(9)
    assert remaining(ledger) == (1, 6)
    clock.time += timedelta(hours=1)
    with ledger.request():
        ledger.charge(6)
    clock.time += timedelta(hours=1)
    with pytest.raises(ApiError, match="Exhausted property tokens per day"):
        ledger.request().__enter__()


def test_concurrent_requests_and_server_errors_run_out_too():
    ledger = QuotaLedger(Clock(), lambda: QuotaLimits(concurrent_requests=1))
    with ledger.request(), pytest.raises(ApiError, match="Exhausted concurrent requests quota"):
        ledger.request().__enter__()
    for _ in range(10):
        ledger.count_server_error()
    with pytest.raises(ApiError, match="Exhausted server errors quota"):
        ledger.request().__enter__()
