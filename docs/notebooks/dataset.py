# %% [markdown]
# # A dataset of one's own: catalogue, points, a network that learns from them
# Run it cell by cell, or as it is: `python docs/notebooks/dataset.py`. Any folder of meshes with a table will do.

# %%
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import trimesh
from torch.utils.data import DataLoader

import drivaer

# %% [markdown]
# Here the folder holds a few bent cars, and the table what the bundled model says of them.

# %%
folder = Path(tempfile.mkdtemp())
rows = []
for number, ride_height in enumerate((-0.02, 0.0, 0.02)):
    bent = drivaer.morph("resources/samples/notchback.stl", {"ride_height": ride_height})
    name = f"car_{number}"
    trimesh.Trimesh(bent.vertices, bent.faces, process=False).export(folder / f"{name}.stl")
    rows.append({"design": name, "cd": drivaer.predict(bent).cd, "ride_height": ride_height})
with (folder / "labels.csv").open("w", newline="") as file:
    table = csv.DictWriter(file, rows[0])
    table.writeheader()
    table.writerows(rows)

# %% [markdown]
# `data scan` makes the catalogue, `data prepare` samples every surface once.

# %%
for command in (["scan", folder], ["prepare", folder, "--points", "1024"]):
    subprocess.run([sys.executable, "-m", "drivaer", "data", *map(str, command)], check=True)
with drivaer.Catalogue.open(folder) as catalogue:
    for design in catalogue.designs():
        print(design.id, design.cd, dict(design.parameters))

# %% [markdown]
# `DesignDataset` is a map-style dataset for any loader.

# %%
dataset = drivaer.DesignDataset(folder, 1024)
loader = DataLoader(dataset, batch_size=2, shuffle=True)
network = torch.nn.Sequential(torch.nn.Linear(3, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
for epoch in range(20):
    for batch in loader:
        predicted = network(batch["points"]).mean(dim=(1, 2))
        loss = torch.nn.functional.mse_loss(predicted, batch["cd"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch}: squared error {loss.item():.4f}")
