"""Values from Python as a temporary table, for statements that join with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from arro3.core import Array, DataType, Table

if TYPE_CHECKING:
    import duckdb

U64: Final = DataType.uint64()
I64: Final = DataType.int64()
TEXT: Final = DataType.string()


def give(connection: duckdb.DuckDBPyConnection, **columns: tuple[DataType, Sequence[Any]]) -> None:
    """Make the temporary table `given`, in place of the one that was made before."""
    incoming = Table.from_arrays(  # noqa: F841 - the engine finds the table by this name
        [Array(values, type=type_) for type_, values in columns.values()], names=list(columns)
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE given AS SELECT * FROM incoming")
