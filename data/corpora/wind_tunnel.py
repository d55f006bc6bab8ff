"""Drag that wind tunnels measured, as published papers quote it."""

from __future__ import annotations

DRIVAER = {
    ("fastback", "detailed"): (0.275, 0.275),
    ("notchback", "detailed"): (0.277, 0.277),
    ("estate", "detailed"): (0.319, 0.319),
    ("fastback", "smooth"): (0.243, 0.254),
    ("notchback", "smooth"): (0.246, 0.258),
    ("estate", "smooth"): (0.292, 0.296),
}
"""Cd, lowest and highest of what is quoted, of the DrivAer by body and floor; mirrors, moving ground, turning wheels.

Heft, Indinger & Adams, SAE 2012-01-0168 and ASME FEDSM2012-72272, tunnel of TU Munich, as later work quotes them.
"""

AHMED = {0.0: 0.250, 12.5: 0.230, 25.0: 0.285, 30.0: 0.378, 35.0: 0.260, 40.0: 0.255}
"""Cd by the slant's angle in degrees, on the body's section; on stilts, 60 m/s over a fixed plate.

Ahmed, Ramm & Faltin, SAE 840300, 1984.
"""
