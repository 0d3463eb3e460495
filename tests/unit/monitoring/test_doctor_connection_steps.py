"""Property, fields, custom dimensions and quota: each step against answers made by hand."""

import pytest

from pipelines.config.settings import Property
from pipelines.config.tracking_plan import MicroConversion, ParameterCondition, TrackingPlan
from pipelines.monitoring.doctor.connection_steps import (
    dimensions_step,
    fields_step,
    property_step,
    quota_step,
)
from pipelines.monitoring.doctor.expected_keys import read_plan
from pipelines.monitoring.doctor.probes import PropertyAnswer
from pipelines.monitoring.doctor.step_model import Mark
from tests.support.doctor_parts import metadata_of

PLAN = read_plan()
QUOTA = {"tokens_per_day": 199_000, "tokens_per_hour": 39_000, "concurrent_requests": 10}


def answer(**change: object) -> PropertyAnswer:
    return PropertyAnswer(
        **{
            "time_zone": "Europe/Berlin", "currency": "EUR", "sessions": 4_187, "quota": QUOTA,
            **change,
        }
    )  # fmt: skip


def test_a_property_that_answers():
    step = property_step(Property(id="42", time_zone="Europe/Berlin"), answer())
    assert step.mark is Mark.RIGHT
    assert step.message == "Europe/Berlin, EUR, 4,187 sessions in the last 28 days"
    assert step.facts["sessions"] == 4_187


@pytest.mark.parametrize(
    ("written", "told", "mark", "words"),
    [
        (None, "Europe/Berlin", Mark.RIGHT, "Europe/Berlin"),
        ("Europe/Paris", "Europe/Berlin", Mark.WRONG, "correct time_zone in sluice.yml"),
        (None, "Mars/Olympus", Mark.WRONG, "this machine does not know"),
        ("Europe/Paris", "", Mark.RIGHT, "Europe/Paris"),
        (None, "", Mark.RIGHT, "EUR, 4,187 sessions"),
    ],
)
def test_the_time_zone_is_the_one_of_ga4(written, told, mark, words):
    step = property_step(Property(id="42", time_zone=written), answer(time_zone=told))
    assert step.mark is mark
    assert words in step.message


def test_all_fields_are_there():
    step = fields_step(metadata_of(), PLAN.reports)
    assert step.mark is Mark.RIGHT
    assert f"{len(PLAN.reports)} reports" in step.message


def test_a_field_of_a_required_report_is_gone():
    step = fields_step(metadata_of(without=("deviceCategory", "itemName")), PLAN.reports)
    assert step.mark is Mark.WRONG
    assert "2 fields" in step.message
    assert "nothing can be published" in step.message
    lines = {line.partition(":")[0]: line for line in step.details}
    assert "sessions_by_device" in lines["deviceCategory"]
    assert lines["itemName"] == "itemName: asked for by items"
    assert step.facts["missing"] == ["deviceCategory", "itemName"]


def test_a_field_of_an_optional_report_is_gone():
    step = fields_step(metadata_of(without=("itemName",)), PLAN.reports)
    assert step.mark is Mark.WRONG
    assert "these reports are left out" in step.message


def test_every_parameter_is_registered():
    names = ("page_type", "percent_scrolled", "payment_type", "exp_variant_string", "unused")
    step = dimensions_step(metadata_of(custom=names), PLAN.tracking)
    assert step.mark is Mark.RIGHT
    assert "page_type, percent_scrolled" in step.message
    assert step.details == ()


def test_a_parameter_that_a_filter_needs_is_not_registered():
    step = dimensions_step(metadata_of(custom=("percent_scrolled",)), PLAN.tracking)
    assert step.mark is Mark.WRONG
    assert "1 event parameter that filters of the tracking plan need is not" in step.message
    assert "Admin > Data display > Custom definitions > Create custom dimension" in step.message
    assert step.details[0] == (
        "page_type: home_view, home_scroll_fold, product_scroll_50 cannot be counted"
    )
    assert step.facts["missing"] == ["page_type"]


def test_a_parameter_whose_values_are_only_listed_is_a_hint():
    step = dimensions_step(metadata_of(custom=("page_type", "percent_scrolled")), PLAN.tracking)
    assert step.mark is Mark.RIGHT
    assert step.facts["missing_optional"] == ["exp_variant_string", "payment_type"]
    assert step.details[0] == "payment_type: its values with payment_method are left out"


def test_a_standard_dimension_of_that_name_is_no_custom_dimension():
    """`country` is a field of GA4; the event parameter `country` still has to be registered."""
    condition = ParameterCondition("country", "=", "DE")
    plan = TrackingPlan((MicroConversion("german", ("view_item",), (condition,)),), ())
    assert dimensions_step(metadata_of(), plan).mark is Mark.WRONG


def test_enough_quota():
    step = quota_step(answer(), PLAN.reports)
    assert step.mark is Mark.RIGHT
    assert step.message.startswith("tokens left: 199,000 a day, 39,000 an hour; a night takes")
    assert 0 < step.facts["tokens_for_a_night"] < 10_000
    assert step.facts["remaining"] == QUOTA


@pytest.mark.parametrize(
    ("name", "left", "words"),
    [
        ("tokens_per_day", 12, "at midnight in California"),
        ("tokens_per_hour", 12, "within the hour"),
        ("tokens_per_project_per_hour", 0, "within the hour"),
        ("concurrent_requests", 0, "as soon as"),
        ("server_errors_per_project_per_hour", 0, "within the hour"),
    ],
)
def test_too_little_quota_says_when_it_comes_back(name, left, words):
    step = quota_step(answer(quota={**QUOTA, name: left}), PLAN.reports)
    assert step.mark is Mark.WRONG
    assert f"Only {left} {name.replace('_', ' ')} left" in step.message
    assert words in step.message


def test_a_server_that_tells_no_quota():
    assert quota_step(answer(quota={}), PLAN.reports).mark is Mark.NOT_CHECKED
