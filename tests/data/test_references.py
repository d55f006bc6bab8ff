import numpy as np

from data.corpora.references import reference_for


def fields(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Cp (n,) and Cf (n, 3)."""
    rng = np.random.default_rng(n)
    return rng.normal(-0.2, 0.5, n), rng.normal(0.0, 4e-3, (n, 3))


def test_cars_keep_the_reference_that_was_made_first(tmp_path):
    first = reference_for(tmp_path, "box", [fields(40)])
    content = first.read_bytes()
    assert reference_for(tmp_path, "box", [fields(40), fields(40)]) == first
    assert first.read_bytes() == content


def test_cars_whose_name_begins_with_another_name_have_a_reference_of_their_own(tmp_path):
    longer = reference_for(tmp_path, "box-long", [fields(50)])
    assert reference_for(tmp_path, "box", [fields(40)]) != longer
    assert reference_for(tmp_path, "box-long", [fields(50)]) == longer
