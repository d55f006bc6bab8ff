"""Models: trained, taught, judged, listed and compared."""
