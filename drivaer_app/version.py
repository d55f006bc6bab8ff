"""The program's version, said here alone; pyproject.toml takes it from here."""

__version__ = "0.1.0"
