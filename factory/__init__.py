"""What makes the bundled model; run from a checkout, no part of the installed program."""
