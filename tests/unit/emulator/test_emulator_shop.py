"""Loading stores of events: the hand-made shop, several, broken ones."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.emulator.server import EmulatorError, serve
from pipelines.errors import SluiceError
from tests.support.emulated_shop import NOW, Shop, write_shop


def test_several_stores_are_served_side_by_side(tmp_path):
    second = write_shop(tmp_path / "b", {"property_id": "200", "time_zone": "UTC"})
    with serve([write_shop(tmp_path / "a"), second], now=lambda: NOW, exact=True) as emulator:
        assert emulator.property_ids == ("100000001", "200")
        shop = Shop(emulator.endpoint)
        assert shop.report(metrics="sessions").metadata.time_zone == "Europe/Berlin"
        other = shop.report(metrics="sessions", property="properties/200")
        assert other.metadata.time_zone == "UTC"


def test_without_property_json_the_defaults_hold(tmp_path):
    (write_shop(tmp_path) / "property.json").unlink()
    with serve([tmp_path]) as emulator:
        answer = Shop(emulator.endpoint).report("date", "sessions")
    assert (answer.metadata.currency_code, answer.metadata.time_zone) == ("USD", "UTC")
    assert answer.row_count == 2


def test_a_folder_without_events_says_so(tmp_path):
    with pytest.raises(EmulatorError, match=r"holds no events_YYYYMMDD\.parquet"):
        serve([tmp_path])


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"property_id": "shop"}',
        '{"time_zone": "Europe/Sluice"}',
        '{"time_zone": "localtime"}',
        '{"custom_dimensions": 5}',
    ],
)
def test_an_unreadable_property_json_is_named(tmp_path, content):
    (write_shop(tmp_path) / "property.json").write_text(content)
    with pytest.raises(EmulatorError, match=r"property\.json cannot be read"):
        serve([tmp_path])


def test_a_damaged_events_file_is_an_error_of_ours(tmp_path):
    (tmp_path / "events_20260310.parquet").write_bytes(b"not parquet")
    with pytest.raises(SluiceError, match="cannot be read as a GA4 export"):
        serve([tmp_path])


def test_files_that_are_no_export_name_what_they_lack(tmp_path):
    pq.write_table(pa.table({"event_date": ["20260310"]}), tmp_path / "events_20260310.parquet")
    with pytest.raises(EmulatorError, match="no column event_timestamp, event_name, event_params"):
        serve([tmp_path])


def test_two_stores_of_one_property_are_refused(tmp_path):
    with pytest.raises(EmulatorError, match="Property 100000001 is in"):
        serve([write_shop(tmp_path / "a"), write_shop(tmp_path / "b")])


def test_a_port_in_use_is_named(tmp_path):
    with serve([write_shop(tmp_path)]) as emulator:
        port = int(emulator.endpoint.rsplit(":", 1)[1])
        with pytest.raises(EmulatorError, match=f"Port {port} on 127.0.0.1 is in use"):
            serve([tmp_path], port=port)
    emulator.stop()  # stopping again does no harm, and the port is free
    serve([tmp_path], port=port).stop()
