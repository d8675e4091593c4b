"""A resource attribute is called by its key wherever people read it."""

from hypothesis import given
from hypothesis import strategies as st

from codometer.store.tables import TABLES, column_name, resource_column


@given(st.text(min_size=1, max_size=40))
def test_a_column_of_a_resource_attribute_is_called_by_its_key(key: str) -> None:
    assert column_name(resource_column(key).name) == f"resource.{key}"


def test_all_other_columns_are_called_what_they_are() -> None:
    columns = {column.name for table in TABLES.values() for column in table}
    assert {column_name(name) for name in columns} == columns
