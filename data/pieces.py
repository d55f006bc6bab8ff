"""Connected pieces of a surface."""

from __future__ import annotations

import numpy as np


def connected_pieces(faces: np.ndarray, n_vertices: int) -> tuple[np.ndarray, int]:
    """(V,) number of the connected piece of each vertex of faces (F, 3), and how many there are.

    A vertex that no face has is a piece of its own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(n_vertices, n_vertices))
    n, piece = connected_components(graph, directed=False)
    return piece, n
