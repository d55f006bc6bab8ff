"""A designer's open study and what is done to it: prediction, morphs, CFD, reports; the window is its face."""
