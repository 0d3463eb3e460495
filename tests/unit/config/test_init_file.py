"""A new `sluice.yml`: what is written is what the settings read back, and nothing is lost."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from yamllint import linter
from yamllint.config import YamlLintConfig

from pipelines.config.folders import PROJECT_DIR
from pipelines.config.init_file import (
    Answers,
    learn_time_zones,
    refuse_existing,
    render,
    write_config,
)
from pipelines.config.settings import Ga4, Nightly, Publish, load_settings
from pipelines.errors import ConfigError
from tests.support.protocol_server import serving


def refusal(config: Path, answers: Answers) -> str:
    with pytest.raises(ConfigError) as caught:
        write_config(config, answers, {})
    return str(caught.value)


def test_the_answers_are_read_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Path("sluice.yml")
    answers = Answers(
        ("42", "43"), "keys/ga4.json", "./there", "fashion", "Ireland", "127.0.0.1:8080"
    )
    write_config(config, answers, {"43": "Europe/Berlin"})
    settings = load_settings()
    assert [(one.id, one.time_zone) for one in settings.properties] == [
        ("42", None), ("43", "Europe/Berlin"),
    ]  # fmt: skip
    assert settings.home == tmp_path / "there"
    assert settings.ga4.credentials == tmp_path / "keys" / "ga4.json"
    assert settings.ga4.endpoint == "127.0.0.1:8080"
    assert (settings.store.industry, settings.store.region) == ("fashion", "Ireland")
    assert (settings.nightly, settings.publish) == (Nightly(), Publish())
    assert [path.name for path in tmp_path.iterdir()] == ["sluice.yml"]
    assert config.read_text().count("#") >= 5


def test_the_shop_has_a_name(tmp_path):
    config = tmp_path / "sluice.yml"
    write_config(config, Answers(("42",), name="Wool & Co"), {})
    settings = load_settings(config)
    assert (settings.store.name, settings.properties[0].name) == ("Wool & Co", "Wool & Co")
    # Which of two properties is which shop, nobody was asked.
    write_config(config, Answers(("42", "43"), name="Wool & Co"), {})
    settings = load_settings(config)
    assert settings.store.name == "Wool & Co"
    assert [one.name for one in settings.properties] == ["", ""]


def test_what_was_not_answered_is_the_default(tmp_path):
    ga4 = write_config(tmp_path / "sluice.yml", Answers(("42",)), {})
    assert ga4 == Ga4()


def test_it_keeps_the_style_of_the_project_and_passes_the_linter(monkeypatch):
    monkeypatch.chdir(PROJECT_DIR)
    style = YamlLintConfig(file=str(PROJECT_DIR / ".yamllint"))
    text = render(Answers(("100000001",), name="My shop", endpoint="127.0.0.1:8181"), {}, Path())
    assert list(linter.run(text, style)) == []
    assert max(map(len, text.splitlines())) <= 100


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30))
def test_any_text_survives(text):
    written = yaml.safe_load(
        render(Answers(("42",), text, f"/{text}", text, text, name=text), {}, Path.cwd())
    )
    assert written["store"] == {"name": text, "industry": text, "region": text}
    assert written["properties"][0]["name"] == text
    assert written["ga4"]["credentials"] == text
    assert written["home"] == f"/{text}"


def test_a_path_means_the_same_from_another_folder(tmp_path, monkeypatch):
    """Relative paths in the file start at its folder; the user typed them somewhere else."""
    (tmp_path / "etc").mkdir()
    monkeypatch.chdir(tmp_path)
    config = Path("etc/sluice.yml")
    write_config(config, Answers(("42",), "key.json", "./data"), {})
    settings = load_settings(config)
    assert settings.home == tmp_path / "data"
    assert settings.ga4.credentials == tmp_path / "key.json"


@pytest.mark.parametrize("text", ["G-ABC123", "", "12 34", "²"])
def test_what_is_no_property_id_is_refused(tmp_path, text):
    message = refusal(tmp_path / "sluice.yml", Answers((text,)))
    assert f"'{text}' is no property id" in message
    assert "Admin > Property details" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (Answers(("42", "42")), "property 42 is listed twice"),
        (Answers(("42",), endpoint="nowhere"), "does not look like 127.0.0.1:8080"),
        (Answers(("42",), home="~no-such-user/data"), "write it in full"),
    ],
)
def test_an_answer_that_does_not_fit_leaves_the_old_file(tmp_path, answers, words):
    config = tmp_path / "sluice.yml"
    config.write_text("home: ./old\n")
    message = refusal(config, answers)
    assert words in message
    assert ".new" not in message
    assert config.read_text() == "home: ./old\n"
    assert list(tmp_path.iterdir()) == [config]


def test_an_answer_that_is_no_text_is_a_sentence(tmp_path):
    """An argument with bytes that are no UTF-8 reaches Python as lone surrogates."""
    message = refusal(tmp_path / "sluice.yml", Answers(("42",), home="d\udcff"))
    assert "no UTF-8" in message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path):
    message = refusal(tmp_path / "none" / "sluice.yml", Answers(("42",)))
    assert str(tmp_path / "none" / "sluice.yml") in message
    assert "make its folder" in message


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path):
    config = tmp_path / "sluice.yml"
    refuse_existing(config, force=False)
    config.write_text("")
    refuse_existing(config, force=True)
    with pytest.raises(ConfigError, match="--force"):
        refuse_existing(config, force=False)


def test_time_zones_are_learned_from_ga4():
    with serving() as server:
        server.put("42", [])
        server.time_zone = "Pacific/Auckland"
        zones, problems = learn_time_zones(Ga4(endpoint=server.endpoint), ("42", "43"))
    assert zones == {"42": "Pacific/Auckland"}
    (problem,) = problems
    assert "43" in problem


def test_a_time_zone_that_nobody_knows_is_not_written():
    with serving() as server:
        server.put("42", [])
        server.time_zone = "Mars/Olympus"
        zones, problems = learn_time_zones(Ga4(endpoint=server.endpoint), ("42",))
    assert zones == {}
    assert "Mars/Olympus" in problems[0]


def test_without_credentials_nobody_is_asked(tmp_path):
    zones, (problem,) = learn_time_zones(Ga4(credentials=tmp_path / "absent.json"), ("42",))
    assert zones == {}
    assert "absent.json does not exist" in problem
