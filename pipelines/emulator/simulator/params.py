"""event_params of a batch: which event carries which parameter, as one nested Arrow array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.emulator.simulator import arrow
from pipelines.emulator.simulator.catalogue import PAGE_TYPE_OF_PAGE, PAGE_TYPES, PAGES
from pipelines.emulator.simulator.columns import Floats, Ints
from pipelines.emulator.simulator.events import (
    CODES,
    DETAIL_VALUES,
    DETAILS,
    WITH_VALUE,
    WITHOUT_PAGE_TYPE,
    Batch,
    code_table,
)
from pipelines.emulator.simulator.experiments import EXPOSURE_PARAMETER
from pipelines.emulator.simulator.schema import PARAM, PARAM_VALUE
from pipelines.emulator.simulator.shop import CURRENCY
from pipelines.emulator.simulator.visitors import session_ids

_FIXED_KEYS = (
    "ga_session_id", "ga_session_number", "session_engaged", "page_location", "page_title",
    "page_type", "engagement_time_msec", "percent_scrolled", "currency", "value",
    "transaction_id", EXPOSURE_PARAMETER,
)  # fmt: skip
KEYS = (*_FIXED_KEYS, *sorted({key for key, _, _ in DETAILS.values()}))
_KEY_OF_EVENT = np.full(len(CODES), -1)
for _name, _detail in DETAILS.items():
    _KEY_OF_EVENT[CODES[_name]] = KEYS.index(_detail[0])

_TEXTS = tuple(
    dict.fromkeys(
        (
            "0",
            "1",
            CURRENCY,
            *PAGE_TYPES,
            *(page.location for page in PAGES),
            *(page.title for page in PAGES),
            *DETAIL_VALUES,
        )
    )
)
_CODE_OF_TEXT = {value: code for code, value in enumerate(_TEXTS)}


def _text_codes(values: tuple[str, ...]) -> Ints:
    return np.array([_CODE_OF_TEXT[value] for value in values])


_LOCATION = _text_codes(tuple(page.location for page in PAGES))
_TITLE = _text_codes(tuple(page.title for page in PAGES))
_PAGE_TYPE = _text_codes(PAGE_TYPES)[PAGE_TYPE_OF_PAGE]
_ENGAGED = _text_codes(("0", "1"))
_DETAIL = _text_codes(DETAIL_VALUES)


_TEXT, _INT, _DOUBLE = range(3)


@dataclass(frozen=True)
class _Param:
    """One parameter on some event rows; `kind` says which value column it fills."""

    rows: Ints
    key: Ints | int
    kind: int
    values: Ints | Floats | int


def event_params(batch: Batch, transactions: Ints, exposures: tuple[str, ...]) -> pa.Array:
    """event_params of every event row; `transactions` are the batch's order numbers, sorted,
    `exposures` what the codes of shown variants stand for.
    """
    params = (
        *_automatic(batch),
        *_custom(batch),
        *_money(batch, transactions),
        _shown(batch, len(_TEXTS) + len(transactions)),
    )
    counts = np.zeros(len(batch.events), dtype=np.int64)
    for param in params:
        counts[param.rows] += 1
    total = int(counts.sum())
    free = np.cumsum(counts) - counts
    keys, kinds = np.zeros(total, dtype=np.int64), np.zeros(total, dtype=np.int64)
    wholes, amounts = np.zeros(total, dtype=np.int64), np.zeros(total)
    for param in params:
        slots = free[param.rows]
        free[param.rows] += 1
        keys[slots], kinds[slots] = param.key, param.kind
        target = amounts if param.kind == _DOUBLE else wholes
        target[slots] = param.values
    vocabulary = pa.concat_arrays(
        [pa.array(_TEXTS), transaction_ids(transactions), pa.array(exposures, pa.string())]
    )
    value = arrow.struct(
        PARAM_VALUE,
        {
            "string_value": arrow.text(wholes, vocabulary, absent=kinds != _TEXT),
            "int_value": pa.array(wholes, mask=kinds != _INT),
            "double_value": pa.array(amounts, mask=kinds != _DOUBLE),
        },
        total,
    )
    pairs = arrow.struct(PARAM, {"key": arrow.text(keys, KEYS), "value": value}, total)
    return pa.ListArray.from_arrays(arrow.offsets(counts), pairs)


def transaction_ids(orders: Ints) -> pa.Array:
    """The shop's transaction_id of each order number."""
    return pc.binary_join_element_wise("T", pa.array(orders).cast(pa.string()), "-")


def _automatic(batch: Batch) -> tuple[_Param, ...]:
    """What GA4 puts on every web event; a server knows nothing of it."""
    events, sessions = batch.events, batch.sessions
    own = np.flatnonzero(~events.is_sessionless)
    timed = np.flatnonzero(events.engagement_ms >= 0)
    ids, numbers = session_ids(sessions), sessions.number
    return (
        _Param(own, KEYS.index("ga_session_id"), _INT, ids[events.session[own]]),
        _Param(own, KEYS.index("ga_session_number"), _INT, numbers[events.session[own]]),
        _Param(
            own, KEYS.index("session_engaged"), _TEXT, _ENGAGED[events.is_engaged[own].astype(int)]
        ),
        _Param(own, KEYS.index("page_location"), _TEXT, _LOCATION[events.page[own]]),
        _Param(own, KEYS.index("page_title"), _TEXT, _TITLE[events.page[own]]),
        _Param(timed, KEYS.index("engagement_time_msec"), _INT, events.engagement_ms[timed]),
    )


def _custom(batch: Batch) -> tuple[_Param, ...]:
    """What the shop's own tags add."""
    events = batch.events
    typed = np.flatnonzero(~code_table(WITHOUT_PAGE_TYPE)[events.code] & ~events.is_sessionless)
    scrolled = np.flatnonzero(events.percent > 0)
    told = np.flatnonzero(events.detail >= 0)
    return (
        _Param(typed, KEYS.index("page_type"), _TEXT, _PAGE_TYPE[events.page[typed]]),
        _Param(scrolled, KEYS.index("percent_scrolled"), _INT, events.percent[scrolled]),
        _Param(told, _KEY_OF_EVENT[events.code[told]], _TEXT, _DETAIL[events.detail[told]]),
    )


def _shown(batch: Batch, first_code: int) -> _Param:
    exposure = batch.events.exposure
    rows = np.flatnonzero(exposure >= 0)
    return _Param(rows, KEYS.index(EXPOSURE_PARAMETER), _TEXT, first_code + exposure[rows])


def _money(batch: Batch, transactions: Ints) -> tuple[_Param, ...]:
    events = batch.events
    priced = np.flatnonzero(code_table(WITH_VALUE)[events.code])
    ordered = np.flatnonzero(events.order >= 0)
    codes = len(_TEXTS) + np.searchsorted(transactions, events.order[ordered])
    return (
        _Param(priced, KEYS.index("currency"), _TEXT, _CODE_OF_TEXT[CURRENCY]),
        _Param(priced, KEYS.index("value"), _DOUBLE, batch.value_cents()[priced] / 100),
        _Param(ordered, KEYS.index("transaction_id"), _TEXT, codes),
    )
