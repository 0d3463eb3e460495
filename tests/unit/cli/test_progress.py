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


def lines_of(*rounds: tuple[int, float]) -> list[str]:
    """What is said in rounds of so many pulls, of so many seconds each."""
    moment, said = [100.0], []
    lines = PlainLines("pulls", said.append, lambda: moment[0])
    moment[0] += 3600  # of other work
    for total, seconds in rounds:
        for done in range(1, total + 1):
            moment[0] += seconds
            lines(done, total)
    return said


def test_a_line_each_tenth_with_rate_and_time_left():
    said = lines_of((40, 2))
    # 4 pulls are a tenth and take 8 s; the rest goes on at a pull in two seconds.
    assert len(said) == 10
    assert said[0] == "  4 of 40 pulls, 30 a minute, 1 min left"
    assert said[-2] == "  36 of 40 pulls, 30 a minute, 8 s left"


@pytest.mark.parametrize(("again", "lines"), [(1, 0), (2, 1), (40, 10)])
def test_work_that_begins_again_has_a_rate_of_its_own(again, lines):
    """A night's second round of pulls: one alone, fewer than before, or as many."""
    said = lines_of((40, 2), (again, 20))[10:]
    assert len(said) == lines
    assert all("3 a minute" in line for line in said)


@pytest.mark.parametrize("between", [0, 5])
def test_work_that_takes_no_time_needs_no_line(monkeypatch, between):
    monkeypatch.setattr("pipelines.cli.progress.SECONDS_BETWEEN_LINES", between)
    assert lines_of((10, 0)) == []


def test_a_display_that_fails_stops_nothing(monkeypatch, capsys, caplog):
    monkeypatch.setattr("pipelines.cli.progress.SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr("pipelines.cli.progress.speed", lambda rate: 1 / 0)
    # The command line switches it off, for the whole of its process.
    monkeypatch.setattr(logging, "raiseExceptions", True)
    caplog.set_level(logging.INFO, logger="sluice")
    with show_pulls():
        for done in range(1, 4):
            logging.getLogger("sluice").info("Pulled", extra={"progress": (done, 3)})
    assert "ZeroDivisionError" in capsys.readouterr().err


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
