from pathlib import Path

from codometer.analysis.measures.catalogue import MEASURES
from codometer.analysis.measures.reference import measures_page

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "measures.md"


def test_the_page_of_measures_is_what_the_catalogue_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == measures_page()


def test_every_measure_is_on_the_page_once() -> None:
    page = measures_page()
    assert all(page.count(f"\n| `{name}` |") == 1 for name in MEASURES)


def test_every_definition_is_a_sentence() -> None:
    for measure in MEASURES.values():
        assert measure.definition[0].isupper() or measure.definition[0].isdigit(), measure.name
        assert measure.definition.endswith("."), measure.name
        assert "|" not in measure.definition, measure.name


def test_exported_names_end_as_prometheus_expects() -> None:
    names = [measure.prometheus for measure in MEASURES.values() if measure.prometheus]
    assert len(names) == len(set(names))
    assert all(name.startswith("codometer_") and name.endswith("_total") for name in names)
