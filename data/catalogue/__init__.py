"""The catalogue: one SQLite file that knows every design of a corpus on disk."""

from data.catalogue.records import CorpusFile, Design, FileState
from data.catalogue.store import CATALOGUE_NAME, Catalogue, find_catalogue, open_catalogue

__all__ = ["CATALOGUE_NAME", "Catalogue", "CorpusFile", "Design", "FileState", "find_catalogue", "open_catalogue"]
