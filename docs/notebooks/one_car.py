# %% [markdown]
# # One car: drag, pressure, and where to begin
# Run it cell by cell (VS Code, Spyder, Jupyter with jupytext), or as it is: `python docs/notebooks/one_car.py`.

# %%
import pyvista
import trimesh

import drivaer

# %% [markdown]
# A mesh is a path or what other libraries hold in memory. Unit and axes are worked out from the shape, and said.

# %%
car = trimesh.load("resources/samples/estate.stl")
prediction = drivaer.predict(car)
frame = prediction.car.frame
print(f"read as {frame.unit}, nose along {frame.forward}, roof along {frame.up}, {frame.confidence:.0%} sure")
print(f"Cd {prediction.cd:.3f}, 90 % interval {prediction.cd_low:.3f} to {prediction.cd_high:.3f}")
print(f"drag {prediction.drag:.0f} N at {prediction.conditions.speed:.0f} m/s")
for warning in prediction.warnings:
    print(warning)

# %% [markdown]
# The coefficients refer to the frontal area that was measured on the mesh; another wind changes only the force.

# %%
faster = drivaer.predict(car, speed=38.9)
assert faster.cd == prediction.cd
print(f"{faster.drag / prediction.drag:.2f} times the drag at {3.6 * faster.conditions.speed:.0f} km/h")

# %% [markdown]
# Pressure and friction come on the mesh's own vertices, in its own axes.

# %%
mesh = pyvista.wrap(car)
mesh.point_data["Cp"] = prediction.cp
mesh.point_data["Cf"] = prediction.cf
mesh.point_data["Exposed"] = prediction.exposed
plotter = pyvista.Plotter(off_screen=True)
plotter.add_mesh(mesh, scalars="Cp", cmap="coolwarm", clim=(-1.5, 1.0))
plotter.camera_position = "xz"
picture = plotter.screenshot()
print(f"a picture of {picture.shape[1]} x {picture.shape[0]}; plotter.show() shows it in a window")

# %% [markdown]
# Many cars with one model: `Predictor` loads it once. A file that cannot be read is a `DrivAerError` of one line.

# %%
predictor = drivaer.Predictor()
for name in ("estate", "fastback", "notchback", "no_such_car"):
    try:
        print(f"{name:12s} Cd {predictor.predict(f'resources/samples/{name}.stl').cd:.3f}")
    except drivaer.DrivAerError as error:
        print(error)
