"""Small Arrow builders: text as codes, structs with empty fields, look-up tables to gather from.

Text stays dictionary-coded up to the Parquet writer, which stores it as plain text columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipelines.emulator.simulator.columns import Bools, Ints


def text(codes: Ints, values: Sequence[str] | pa.Array, absent: Bools | None = None) -> pa.Array:
    """`values[codes]`, null where `absent`; `values` must not repeat itself."""
    indices = pa.array(codes.astype(np.int32), mask=absent)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))


def constant(value: str, count: int) -> pa.Array:
    """The same text `count` times."""
    return text(np.zeros(count, dtype=np.int64), [value])


def struct(
    kind: pa.DataType, columns: Mapping[str, pa.Array], count: int, absent: Bools | None = None
) -> pa.Array:
    """A struct array of `kind` in which fields that are not given are null."""
    arrays = [
        columns[field.name] if field.name in columns else pa.nulls(count, field.type)
        for field in kind
    ]
    names = [field.name for field in kind]
    mask = None if absent is None else pa.array(absent)
    return pa.StructArray.from_arrays(arrays, names=names, mask=mask)


def lookup(kind: pa.DataType, rows: Sequence[Mapping[str, object]]) -> pa.Array:
    """A struct array of a few rows, its text coded, to `take` event columns from."""
    array = pa.array([dict(row) for row in rows], kind)
    return _coded(array)


def _coded(array: pa.Array) -> pa.Array:
    if pa.types.is_struct(array.type):
        children = [_coded(array.field(position)) for position in range(array.type.num_fields)]
        return pa.StructArray.from_arrays(children, names=[field.name for field in array.type])
    is_text = pa.types.is_string(array.type) and array.null_count < len(array)
    return array.dictionary_encode() if is_text else array


def offsets(counts: Ints) -> pa.Array:
    """List offsets for lists of these lengths. Shape (len(counts) + 1,)."""
    return pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
