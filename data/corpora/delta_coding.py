"""Delta coding of face values: each face keeps its difference from another face, its predecessor.

Where a car's Cp lies above that of other cars, it does so over a whole region. So a face's deviation is close to that
of a face beside it, or further along the same edge. The predecessors are found from the cases themselves, which makes
their files a third smaller; the nearest face in space would save a fifth.
"""

from __future__ import annotations

import numpy as np

_CASES, _DIMENSIONS, _CANDIDATES = 40, 24, 8


def predecessors(deviations: np.ndarray) -> np.ndarray:
    """(M,) the predecessor of each face, for deviations (C, 4, M) int16 of Cp and Cf of C cases.

    The faces are the nodes of a graph, with one more node, M, whose values are 0. An edge weighs the bits that its two
    nodes' difference takes. Predecessors are the parents in the minimum spanning tree with its root at M.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
    from scipy.spatial import cKDTree

    some = deviations[:: -(-len(deviations) // _CASES)]
    rows = _with_root(some.reshape(-1, some.shape[-1]))
    places = _principal_components(rows.astype(np.float32))
    root = len(places) - 1
    near = cKDTree(places).query(places, k=min(_CANDIDATES + 1, len(places)))[1]
    near = np.column_stack([near, np.full(len(near), root)])
    bits = np.column_stack([_bits(rows - rows[:, other]) for other in near.T])
    starts = np.arange(0, near.size + 1, near.shape[1])
    tree = minimum_spanning_tree(csr_matrix((bits.ravel(), near.ravel(), starts), shape=(root + 1, root + 1)))
    return breadth_first_order(tree, root, directed=False)[1][:root]


def encode(values: np.ndarray, predecessor: np.ndarray) -> np.ndarray:
    """(..., M) int16: each face's value minus its predecessor's. predecessor: (M,), see `predecessors`."""
    return values - _with_root(values)[..., predecessor]


def decode(differences: np.ndarray, predecessor: np.ndarray) -> np.ndarray:
    """(..., M): the values that `encode` was given, by pointer doubling along the paths to the root."""
    values, root = _with_root(differences), len(predecessor)
    ancestor = np.append(predecessor, root)
    while (ancestor != root).any():
        values = values + np.take(values, ancestor, axis=-1)  # thrice as quick as indexing
        ancestor = ancestor[ancestor]
    return values[..., :root]


def _with_root(values: np.ndarray) -> np.ndarray:
    """(..., M + 1): the faces' values, then the root's, 0."""
    return np.concatenate([values, np.zeros_like(values[..., :1])], axis=-1)


def _principal_components(rows: np.ndarray) -> np.ndarray:
    """(M, at most _DIMENSIONS) scores of the M columns of (R, M): their distances are about those of the columns."""
    directions = np.linalg.eigh(rows @ rows.T)[1][:, -_DIMENSIONS:]
    return (directions.T @ rows).T


def _bits(differences: np.ndarray) -> np.ndarray:
    """(M,) about how many bits a value of each column of (R, M) takes; at least 1, as scipy takes 0 for no edge."""
    return np.log2(2.0 + np.abs(differences.astype(np.float32))).mean(axis=0)
