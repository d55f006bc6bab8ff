"""Recipes: presets, and what a TOML file may put over them."""

from __future__ import annotations

import pytest

from data.errors import DrivAerError
from gnn.training.recipe import PRESETS, recipe_of


def test_the_papers_protocol_is_a_preset():
    recipe = PRESETS["drivaernet-paper", "drag"]
    assert (recipe.n_points, recipe.batch, recipe.epochs, recipe.rate) == (5000, 32, 100, 1e-3)
    assert (recipe.architecture["k"], recipe.architecture["emb_dims"]) == (40, 512)


def test_ours_changes_no_shape_whose_label_stays():
    assert PRESETS["ours", "drag"].augment == "mirror" and PRESETS["ours", "drag"].standardise


def test_a_file_replaces_some_keys_and_leaves_the_others(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("batch = 4\nrate = 1\n[architecture]\nk = 7\n")
    recipe = recipe_of("drag", config=file)
    assert recipe.batch == 4 and recipe.rate == 1.0 and recipe.architecture["k"] == 7
    assert recipe.architecture["emb_dims"] == PRESETS["ours", "drag"].architecture["emb_dims"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "did you mean epochs"),
        ("epochs = 'three'", "must be an int"),
        ("schedule = 'step'", "cosine | plateau"),
        ("epochs =", "is no TOML"),
        ("network = 'fieldnet'", "predicts field, not drag"),
        ("network = 'pointnet'", "the networks are regdgcnn, fieldnet"),
        ("architecture = 3", "architecture = 3 must be a table of keys"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path, text, message):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(DrivAerError) as error:
        recipe_of("drag", config=file)
    assert message in error.value.line and "\n" not in error.value.line
