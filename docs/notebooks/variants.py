# %% [markdown]
# # Variants: bend a car, see what it does, keep a study for the window
# Run it cell by cell, or as it is: `python docs/notebooks/variants.py`.

# %%
import tempfile
from pathlib import Path

import numpy as np
import trimesh

import drivaer

# %% [markdown]
# `morph` moves the vertices of any mesh by named handles (`drivaer morph CAR --list`), in its own unit and order.

# %%
base = "resources/samples/fastback.stl"
folder = Path(tempfile.mkdtemp())
files = []
for taper in (4.0, 8.0):
    bent = drivaer.morph(base, {"boat_tail": taper})
    files.append(folder / f"boat_tail_{taper:g}.stl")
    trimesh.Trimesh(bent.vertices, bent.faces, process=False).export(files[-1])

# %% [markdown]
# `compare` predicts two cars by one model: the difference has an uncertainty of its own, much smaller than each car's.

# %%
for file in files:
    comparison = drivaer.compare(file, base)
    print(f"{file.stem}: {comparison.counts:+.1f} counts, {comparison.judgement.in_words}")

# %% [markdown]
# Where the pressure changed, on the vertices of the last variant; 0 where the baseline has no such place.

# %%
there = comparison.counterpart
largest = np.argmax(np.abs(comparison.delta_cp))
place = comparison.prediction.file_fields.vertices[largest]
print(f"the largest ΔCp is {comparison.delta_cp[largest]:+.2f}, at {np.round(place, 2)}")
print(f"{there.mean():.0%} of the vertices have a counterpart on the baseline")

# %% [markdown]
# A study of all of them opens in the window: `drivaer window variants.drivaer`.

# %%
study = drivaer.Study()
first, *others = study.add([base, *files])
study.set_baseline(first)
study.save(folder / "variants.drivaer")
again = drivaer.Study.open(folder / "variants.drivaer")
print([variant.name for variant in again.state.variants])
