"""The smallest of each row, on both of its ways."""

import pytest
import torch

from gnn.smallest import smallest


@pytest.fixture(params=[1, 8], ids=["few threads", "many threads"])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("shape", "k"), [((40, 300), 24), ((3, 17, 64), 1), ((5, 12), 12)])
def test_gives_the_smallest_of_each_row_and_where_they_are(threads, shape, k):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found, places = smallest(values, k)
    assert torch.equal(found, values.gather(-1, places))
    assert torch.equal(found.sort(dim=-1).values, values.sort(dim=-1).values[..., :k])


def test_infinite_and_equal_values_and_rows_apart_in_memory_are_no_trouble(threads):
    values = torch.randint(0, 5, (64, 50), generator=torch.Generator().manual_seed(2)).float().T
    values[:, ::3] = float("inf")
    found, places = smallest(values, 20)
    assert (places.sort(dim=1).values.diff(dim=1) > 0).all()
    assert torch.equal(found.sort(dim=1).values, values.sort(dim=1).values[:, :20])
