"""Does novelty tell strangers from family? `python benchmarks/novelty.py [MODEL] [--write MD]` makes a table.

Two candidates are compared: the profile of the surface that ships (gnn.novelty.profile), and the drag network's own
pooled features, each with a reference fitted on random designs. Needs ../shared for the designs and the strangers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))

from benchmarks.marks import show_rows  # noqa: E402
from data.corpora.case_files import read_cases  # noqa: E402
from data.errors import DrivAerError  # noqa: E402
from data.load import place_car, sample_car  # noqa: E402
from data.mesh import SurfaceSample  # noqa: E402
from data.sampling import sample_surface  # noqa: E402
from drivaer_app.models import find_model  # noqa: E402
from factory.morph_generator import MorphGenerator  # noqa: E402
from factory.morphs import MorphClouds, random_designs  # noqa: E402
from gnn.input_frame import InputFrame  # noqa: E402
from gnn.novelty import NoveltyReference  # noqa: E402
from gnn.surrogate import Surrogate  # noqa: E402

N_DESIGNS = 240
STRANGERS = ("sphere.obj", "bunny_lowpoly.obj", "motorBike.obj.gz", "Duck.glb", "chair_model.obj", "cube_20mm.stl")
OTHER_CARS = ("gazebo_hatchback.obj", "gazebo_suv.obj", "CesiumMilkTruck.glb", "ahmed_rajkumar.stl", "libigl_truck.obj")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="drivaer")
    parser.add_argument("--write", type=Path, metavar="MD")
    options = parser.parse_args()
    show_rows(_rows(Surrogate.load(find_model(options.model), "cpu")), options.write)


def _rows(surrogate: Surrogate) -> Iterator[str]:
    generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry" / "drivaer_fastback")
    reference = _features_reference(surrogate, MorphClouds(generator, pool=32768))
    yield "| kind | shape | profile | network features |\n|---|---|---|---|"
    for kind, name, sample in _shapes(generator):
        points = InputFrame.of(sample.points).to_network(sample.points)
        shipped = surrogate.novelty(points, sample.normals)
        features = reference.score(surrogate.drag_features(points))
        yield f"| {kind} | {name} | {shipped:.2f} | {features:.2f} |"


def _features_reference(surrogate: Surrogate, clouds: MorphClouds) -> NoveltyReference:
    vectors = []
    for i, design in enumerate(random_designs(clouds.generator, N_DESIGNS, seed=23)):
        cloud = clouds.draw(design, 8192, np.random.default_rng(i))
        vectors.append(surrogate.drag_features(cloud.points))
    return NoveltyReference.fit([np.array(vectors)])


def _shapes(generator: MorphGenerator) -> Iterator[tuple[str, str, SurfaceSample]]:
    held_out = [case for case in read_cases(SHARED / "corpus") if case.is_test]
    for case in held_out:
        vertices, faces = generator.mesh(case.parameters, case.underbody)
        yield "held-out design", case.name, sample_surface(vertices, faces)
    vertices, faces = generator.mesh(held_out[0].parameters, held_out[0].underbody)
    turned = np.array([1.0, -1.0, -1.0]) * vertices + [0, 0, vertices[:, 2].max()]
    yield "stranger", "a held-out design upside down", sample_surface(turned, faces)
    yield "stranger", "a held-out design back to front", sample_surface(vertices * [-1, -1, 1], faces)
    yield "stranger", "van-like box 4.6 x 1.9 x 1.6 m", sample_surface(*_box())
    for path in sorted((ROOT / "resources" / "samples").glob("*.stl")):
        yield "sample car", path.stem, _read(path)
    for folder, kind, names in (("cars", "other car", OTHER_CARS), ("non_cars", "stranger", STRANGERS)):
        for name in names:
            try:
                yield kind, name, _read(SHARED / "meshes" / folder / name)
            except DrivAerError as error:
                print(f"| {kind} | {name} | {error.what} | |")


def _read(path: Path) -> SurfaceSample:
    from data.formats import read_mesh

    return sample_car(place_car(read_mesh(path)))


def _box() -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    box = trimesh.creation.box(bounds=[(-0.9, -0.95, 0.2), (3.7, 0.95, 1.8)])
    return np.asarray(box.vertices), np.asarray(box.faces)


if __name__ == "__main__":
    main()
