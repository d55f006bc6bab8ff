from pathlib import Path

import pytest

from drivaer_app.cli.inputs import expand
from drivaer_app.cli.outputs import plan_outputs
from drivaer_app.cli.terminal import BadUsage


def test_a_folder_gets_a_file_for_each_input(tmp_path):
    planned = plan_outputs([Path("a.stl"), Path("b.obj.gz")], str(tmp_path / "new"), None).fields
    assert [p.name for p in planned.values()] == ["a.vtp", "b.vtp"]
    assert (tmp_path / "new").is_dir()


def test_inputs_of_one_name_keep_their_own_outputs(tmp_path):
    files = [Path("x/car.stl"), Path("y/car.stl"), Path("car.obj")]
    planned = plan_outputs(files, str(tmp_path), None).fields
    assert len(set(planned.values())) == 3


def test_one_output_file_for_several_inputs_is_refused(tmp_path):
    with pytest.raises(BadUsage, match="give a folder"):
        plan_outputs([Path("a.stl"), Path("b.stl")], str(tmp_path / "o.vtp"), None)


def test_an_input_is_never_overwritten(tmp_path):
    car = tmp_path / "car.vtp"
    car.write_text("mine")
    with pytest.raises(BadUsage, match="overwrite"):
        plan_outputs([car], str(tmp_path), None)


@pytest.mark.parametrize(("out", "hint"), [("o.vtpp", "o.vtp"), ("o.np", "o.npz")])
def test_a_mistyped_suffix_gets_the_nearest_one(out, hint):
    with pytest.raises(BadUsage, match=f"Did you mean {hint}"):
        plan_outputs([Path("a.stl")], out, None)


def test_folders_open_into_their_meshes_in_order_and_none_comes_twice(tmp_path):
    for name in ("b.stl", "a.stl", "notes.md"):
        (tmp_path / name).touch()
    names = [given.file.name for given in expand([tmp_path, tmp_path / "a.stl"])]
    assert names == ["a.stl", "b.stl"]


def test_a_folder_without_meshes_is_a_failed_input(tmp_path):
    (given,) = expand([tmp_path])
    assert "no meshes" in given.error
