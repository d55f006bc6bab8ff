"""The point store: nothing stale, nothing half, nothing twice; and the datasets that read it."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from data.catalogue import open_catalogue
from data.catalogue.opening import open_design
from data.catalogue.prepare import prepare, store_folder
from data.catalogue.query import ids
from data.catalogue.scan import scan
from data.dataset import DesignDataset
from data.errors import DrivAerError
from data.point_store import MeshStamp, PointSettings, PointStore

FIRST, SECOND, ESTATE = "F_D_WM_WW_0001", "F_D_WM_WW_0002", "E_S_WWC_WM_005"
STAMP = MeshStamp("abc", 5, 7)
FULL = PointSettings(1500, normals=True, pressure=True)


def cloud(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    return {"points": np.random.default_rng(seed).random((n, 3), np.float32)}


def test_what_was_put_is_read_back_by_another_that_opens_the_store(tmp_path):
    settings = PointSettings(100)
    PointStore(tmp_path, settings).put("a", cloud(100), STAMP)
    store = PointStore(tmp_path, settings)
    assert np.array_equal(store.cloud("a").points, cloud(100)["points"])
    assert np.array_equal(store.cloud("a", 10).points, cloud(100)["points"][:10])
    assert store.stamp("a") == STAMP


@pytest.mark.parametrize("changed", [{"n_points": 101}, {"draw": 1}, {"normals": True}, {"pressure": True}])
def test_with_another_setting_nothing_of_a_store_is_seen(tmp_path, changed):
    PointStore(tmp_path, PointSettings(100)).put("a", cloud(100), STAMP)
    assert "a" not in PointStore(tmp_path, PointSettings(**{"n_points": 100, **changed}))


def test_with_another_sampler_nothing_of_a_store_is_seen(tmp_path, monkeypatch):
    PointStore(tmp_path, PointSettings(100)).put("a", cloud(100), STAMP)
    monkeypatch.setattr("data.point_store.SAMPLER", 999)
    assert "a" not in PointStore(tmp_path, PointSettings(100))


def test_who_reads_a_cloud_keeps_it_while_it_is_replaced(tmp_path):
    settings = PointSettings(100)
    writer = PointStore(tmp_path, settings)
    writer.put("a", cloud(100, 1), STAMP)
    before = PointStore(tmp_path, settings).cloud("a").points
    writer.put("a", cloud(100, 2), STAMP)
    assert np.array_equal(before, cloud(100, 1)["points"])
    assert np.array_equal(PointStore(tmp_path, settings).cloud("a").points, cloud(100, 2)["points"])


def test_two_writers_at_once_do_not_overwrite_each_other(tmp_path):
    settings = PointSettings(100)
    one, other = PointStore(tmp_path, settings), PointStore(tmp_path, settings)
    for i in range(10):
        (one if i % 2 else other).put(f"d{i}", cloud(100, i), STAMP)
    store = PointStore(tmp_path, settings)
    assert all(np.array_equal(store.cloud(f"d{i}").points, cloud(100, i)["points"]) for i in range(10))


def test_a_store_that_was_cut_short_is_reported(tmp_path):
    settings = PointSettings(100)
    PointStore(tmp_path, settings).put("a", cloud(100), STAMP)
    os.truncate(tmp_path / settings.key / "points.bin", 50)
    with pytest.raises(DrivAerError, match="cut short"):
        PointStore(tmp_path, settings).cloud("a")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, real_corpus):
    """A copy of the corpus with its points, and what preparing it said."""
    folder = tmp_path_factory.mktemp("prepared") / "corpus"
    shutil.copytree(real_corpus, folder)
    scan(folder)
    with open_catalogue(folder) as catalogue:
        done = prepare(catalogue, ids(catalogue), FULL, workers=1)
    return folder, done


def test_every_design_gets_the_points_that_prediction_would_see(prepared):
    from data.load import sample_car

    folder, done = prepared
    assert (done.n_ready, done.n_new, done.failed) == (3, 3, {})
    with open_catalogue(folder, read_only=True) as catalogue:
        car = open_design(catalogue, FIRST).car
        cloud = PointStore(store_folder(catalogue), FULL).cloud(FIRST)
    assert np.array_equal(cloud.points, sample_car(car, 1500).points)
    assert np.isfinite(cloud.cp).mean() > 0.99 and cloud.cp.max() < 1.05


def test_only_what_changed_is_sampled_anew(prepared, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(prepared[0], folder, copy_function=shutil.copy2)
    mesh = {i: folder / "3DMeshesSTL" / f"{i}.stl" for i in (FIRST, SECOND, ESTATE)}
    os.utime(mesh[FIRST])  # another time, the same bytes
    shutil.copy(mesh[ESTATE], mesh[SECOND])  # another car
    scan(folder)
    with open_catalogue(folder) as catalogue:
        with pytest.raises(DrivAerError, match="2 of 3 designs have no points"):
            DesignDataset(folder, FULL)
        done = prepare(catalogue, ids(catalogue), FULL, workers=1)
        store = PointStore(store_folder(catalogue), FULL)
    assert (done.n_ready, done.n_new) == (3, 1)
    assert np.array_equal(store.cloud(SECOND).points, store.cloud(ESTATE).points)


def test_a_broken_mesh_fails_alone(prepared, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(prepared[0], folder, copy_function=shutil.copy2)
    (folder / "3DMeshesSTL" / f"{SECOND}.stl").write_bytes(b"solid nothing")
    scan(folder)
    with open_catalogue(folder) as catalogue:
        done = prepare(catalogue, [*ids(catalogue), "F_D_WM_WW_0999"], FULL, workers=1)
    assert done.n_ready == 2
    assert sorted(done.failed) == [SECOND, "F_D_WM_WW_0999"]
    assert SECOND in done.failed[SECOND]


def test_a_dataset_gives_clouds_and_targets_of_a_split(prepared):
    folder, _ = prepared
    with open_catalogue(folder, read_only=True) as catalogue:
        cd = {d.id: d.cd for d in catalogue.designs()}
    designs = DesignDataset(folder, FULL, where="style = 'fastback'", targets=("cd", "cl"), n_points=200)
    assert designs.designs == (FIRST, SECOND)
    assert designs[1]["points"].shape == (200, 3)
    assert designs[1]["cd"] == pytest.approx(cd[SECOND])
    assert len(DesignDataset(folder, FULL, split="train")) == 3
    with pytest.raises(DrivAerError, match="no design is left"):
        DesignDataset(folder, FULL, split="test")


def test_torch_and_torch_geometric_load_it_in_batches(prepared):
    from torch.utils.data import DataLoader
    from torch_geometric.loader import DataLoader as GraphLoader

    from gnn.design_graphs import DesignGraphs

    designs = DesignDataset(prepared[0], FULL, n_points=200)
    (batch,) = DataLoader(designs, batch_size=3)
    assert batch["points"].shape == (3, 200, 3) and batch["cd"].shape == (3,)
    (graphs,) = GraphLoader(DesignGraphs(designs), batch_size=3)
    assert graphs.pos.shape == (600, 3) and graphs.y.shape == (3, 1) and graphs.cp.shape == (600,)
    assert graphs.design == list(designs.designs)
