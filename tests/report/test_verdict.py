"""What may be said of two figures that are known between a floor and a value."""

from hypothesis import assume, given
from hypothesis import strategies as st

from dse.report.verdict import Known, verdict

POSITIVE = st.floats(1e-3, 1e12)
SHARES = st.floats(0.01, 1.0)


def test_proven_open_unproven_and_equal() -> None:
    better = ("A", Known(86.0, 80.0))
    assert str(verdict("EDP", better, ("B", Known(100.0, 97.0)))) == "A beats B by 14 % in EDP; proven at least 11 %."
    assert str(verdict("EDP", ("B", Known(100.0, 80.0)), better)) == (
        "A beats B by 14 % in EDP as scheduled; the gaps leave it open: at its best, B may be up to 7.0 % better."
    )
    assert str(verdict("EDP", better, ("B", Known(100.0)))) == (
        "A beats B by 14 % in EDP as scheduled; nothing is proven."
    )
    assert str(verdict("energy", ("A", Known(5.0, 5.0)), ("B", Known(5.0, 5.0)))) == "A and B are equal in energy."
    assert str(verdict("energy", ("A", Known(5.0)), ("B", Known(5.0)))).endswith("that is not proven.")
    assert verdict("energy", ("A", Known(0.0)), ("B", Known(5.0))) is None


@given(POSITIVE, SHARES, SHARES, POSITIVE, SHARES, SHARES)
def test_the_best_mappings_keep_what_is_proven(
    one: float, floor: float, best: float, other: float, its_floor: float, its_best: float
) -> None:
    """Wherever between floor and value the best lie, their ratio is within the proven interval."""
    first, second = Known(one, one * floor), Known(other, other * its_floor)
    found = verdict("EDP", ("A", first), ("B", second))
    assert found is not None
    assert found.proven is not None
    assert found.at_most is not None
    assert found.proven <= found.saving <= found.at_most
    optima = {
        "A": one * floor + (one - one * floor) * best,
        "B": other * its_floor + (other - other * its_floor) * its_best,
    }
    assume(optima[found.worse] > 0)
    saving = 1.0 - optima[found.better] / optima[found.worse]
    assert found.proven - 1e-9 * abs(found.proven) <= saving + 1e-9
    assert saving <= found.at_most + 1e-9
    if not found.is_open:
        assert optima[found.better] <= optima[found.worse] * (1 + 1e-12)
