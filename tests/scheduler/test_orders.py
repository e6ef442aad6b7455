from itertools import permutations

import pytest

from dse.scheduler.cosa.orders import innermost_run, order_classes
from dse.specification.problem import CNN_LAYER, DataSpace, Shape, Term
from tests.strategies import SHAPES


def _space(name: str, *dimensions: int, result: bool = False) -> DataSpace:
    return DataSpace(name, tuple((Term(dimension),) for dimension in dimensions), result)


# Z[i, r] = Σ A[i, j, k] B[j, r] C[k, r]: every dimension but r is irrelevant to two data spaces.
MTTKRP = Shape("mttkrp", tuple("ijkr"), (_space("A", 0, 1, 2), _space("B", 1, 3), _space("C", 2, 3), _space("Z", 0, 3)))


def test_three_classes_stand_for_all_orders_of_a_convolution() -> None:
    classes = order_classes(CNN_LAYER, frozenset(range(7)))
    runs = {tuple("".join(CNN_LAYER.dimensions[d] for d in sorted(run)) for run in own.runs) for own in classes}
    assert runs == {("PQN", "", ""), ("", "K", ""), ("", "", "RSC")}


@pytest.mark.parametrize("shape", [*SHAPES, MTTKRP], ids=lambda shape: shape.name)
def test_no_order_reuses_more_than_a_class(shape: Shape) -> None:
    dimensions = range(len(shape.dimensions))
    classes = order_classes(shape, frozenset(dimensions))
    spaces = [space.dimensions for space in shape.data_spaces]
    for own in classes:
        assert sorted(own.permutation) == list(dimensions)
        assert own.runs == tuple(innermost_run(own.permutation, space) for space in spaces)
    for order in permutations(dimensions):
        runs = [innermost_run(order, space) for space in spaces]
        assert any(all(mine <= best for mine, best in zip(runs, own.runs, strict=True)) for own in classes)


def test_dimensions_of_bound_one_split_no_run() -> None:
    names = CNN_LAYER.index
    (own,) = order_classes(CNN_LAYER, frozenset({names["C"]}))
    assert own.runs == (frozenset(), frozenset(), frozenset({names["C"]}))
