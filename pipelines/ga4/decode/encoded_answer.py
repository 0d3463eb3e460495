"""An answer to RunReport as it came over the wire: its rows stay bytes until columns are read.

As protobuf objects 250,000 rows of five fields take 100 MB, as bytes 16. And a server can put ten
million empty rows into an answer of 20 MB: they are counted before anything is made of them.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from google.analytics.data_v1beta import types as ga4
from google.protobuf.message import DecodeError

from pipelines.ga4.api_errors import AuditError, LargePageError
from pipelines.ga4.report_request import PAGE_ROWS

Ints: TypeAlias = npt.NDArray[np.int64]
VARINT, LENGTH_DELIMITED = 0, 2
# From this on, a byte of a number says that another one follows.
MORE = 128
# Of anything but rows an answer has some kilobytes.
MOST_OBJECT_BYTES = 2 * 2**20
_FIXED_BYTES = {1: 8, 5: 4}
_Response = ga4.RunReportResponse.pb()
_ROWS = _Response.DESCRIPTOR.fields_by_name["rows"]
_ROW = _ROWS.number << 3 | LENGTH_DELIMITED


@dataclass(frozen=True)
class EncodedAnswer:
    """One RunReportResponse. Row n is the bytes `content[starts[n]:ends[n]]`.

    `message`: everything else, as the raw protobuf message.
    """

    message: Any
    content: bytes
    starts: Ints
    ends: Ints

    def __len__(self) -> int:
        """The number of its rows."""
        return len(self.starts)

    @property
    def rows(self) -> list[Any]:
        """The rows as raw protobuf messages: for answers of a few rows."""
        return list(_Response.FromString(self.content).rows)

    def plain(self) -> EncodedAnswer:
        """The same, encoded as this library does it, without fields that nobody knows here.

        Raises LargePageError where that would take too much memory: fewer rows may do.
        """
        if len(self.content) > MOST_OBJECT_BYTES:
            raise LargePageError(
                "An answer is encoded in an unusual way, and too large to be read so."
            )
        try:
            message = _Response.FromString(self.content)
        except DecodeError as error:
            raise _no_answer() from error
        message.DiscardUnknownFields()
        return encoded_answer(message.SerializeToString())


def encoded_answer(content: bytes) -> EncodedAnswer:
    """Find the rows. Raises AuditError for bytes that are no answer, or hold too many rows."""
    try:
        starts, ends, rest = _split(content)
        message = _Response.FromString(bytes(rest))
    except (IndexError, DecodeError) as error:
        raise _no_answer() from error
    return EncodedAnswer(message, content, np.array(starts), np.array(ends))


def _no_answer() -> AuditError:
    return AuditError("What came is no answer to RunReport.")


def _split(content: bytes) -> tuple[array[int], array[int], bytearray]:
    """Where every row starts and ends, and all other fields: lengths are chained, so it loops."""
    starts, ends, rest = array("q"), array("q"), bytearray()
    place, size = 0, len(content)
    while place < size:
        field, start = content[place], place + 1
        if field >= MORE:
            field, start = _varint(content, place)
        kind = field & 7
        if kind in _FIXED_BYTES:
            end = start + _FIXED_BYTES[kind]
        elif kind in {VARINT, LENGTH_DELIMITED}:
            number, start = _varint(content, start)
            end = start + number if kind == LENGTH_DELIMITED else start
        else:
            raise _no_answer()
        if field == _ROW:
            starts.append(start)
            ends.append(end)
            if len(starts) > PAGE_ROWS:
                raise AuditError(f"A page holds more than {PAGE_ROWS:,} rows, where GA4's end.")
        else:
            rest += content[place:end]
            if len(rest) > MOST_OBJECT_BYTES:
                raise AuditError(f"An answer has {MOST_OBJECT_BYTES:,} bytes beside its rows.")
        place = end
    if place > size:
        raise _no_answer()
    return starts, ends, rest


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A number of any length at `place`, and where it ends."""
    number = shift = 0
    while (byte := content[place]) >= MORE:
        number |= (byte & 127) << shift
        shift += 7
        place += 1
    return number | byte << shift, place + 1
