"""Progress without a terminal: a line each tenth, with rate and time left."""

import logging

import pytest

from pipelines.cli.progress import PlainLines, duration, show_pulls, speed


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (3540, "59 min"), (7500, "2 h 05 min")],
)
def test_seconds_for_people(seconds, words):
    assert duration(seconds) == words


def test_a_rate_for_people():
    assert [speed(12.34), speed(1), speed(0.25)] == ["12.3 a second", "1.0 a second", "15 a minute"]


def test_a_line_each_tenth_with_rate_and_time_left():
    moment, said = [100.0], []
    lines = PlainLines("pulls", said.append, lambda: moment[0])
    moment[0] += 3600  # of other work
    for done in range(1, 41):
        moment[0] += 2
        lines(done, 40)
    # 4 pulls are a tenth and take 8 s; the rest goes on at a pull in two seconds.
    assert len(said) == 10
    assert said[0] == "  4 of 40 pulls, 30 a minute, 1 min left"
    assert said[-2] == "  36 of 40 pulls, 30 a minute, 8 s left"


@pytest.mark.parametrize("again", [1, 2, 40])
def test_work_that_begins_again_has_a_rate_of_its_own(again):
    """A night's second round of pulls: one alone, fewer than before, or as many."""
    moment, said = [100.0], []
    lines = PlainLines("pulls", said.append, lambda: moment[0])
    for total, seconds in ((40, 2), (again, 20)):
        for done in range(1, total + 1):
            moment[0] += seconds
            lines(done, total)
    assert len(said) == 10 + {1: 0, 2: 1, 40: 10}[again]
    if again > 1:
        assert "3 a minute" in said[-1]


def test_a_clock_that_stands_still_is_no_rate(monkeypatch):
    monkeypatch.setattr("pipelines.cli.progress.SECONDS_BETWEEN_LINES", 0)
    said: list[str] = []
    lines = PlainLines("pulls", said.append, lambda: 1.0)
    for done in range(1, 11):
        lines(done, 10)
    assert said == []


def test_a_display_that_fails_stops_nothing(monkeypatch, capsys, caplog):
    monkeypatch.setattr("pipelines.cli.progress.SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr("pipelines.cli.progress.speed", lambda rate: 1 / 0)
    caplog.set_level(logging.INFO, logger="sluice")
    with show_pulls():
        for done in range(1, 4):
            logging.getLogger("sluice").info("Pulled", extra={"progress": (done, 3)})
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_short_work_needs_no_line():
    said: list[str] = []
    lines = PlainLines("days", said.append, lambda: 0.0)
    for done in range(1, 11):
        lines(done, 10)
    assert said == []


def test_pulls_tell_their_progress_in_log_records(monkeypatch, capsys, caplog):
    monkeypatch.setattr("pipelines.cli.progress.SECONDS_BETWEEN_LINES", 0)
    logger = logging.getLogger("sluice")
    # Not by its attribute: a logger remembers which levels it has found disabled.
    caplog.set_level(logging.INFO, logger="sluice")
    with show_pulls():
        logger.info("Pulled a", extra={"progress": (1, 3)})
        logger.info("Pulled b", extra={"progress": (2, 3)})
    logger.info("Pulled c", extra={"progress": (3, 3)})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("  2 of 3 pulls, ")
