"""Sphinx: the API reference in HTML, from the docstrings. CONTRIBUTING has the command."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from drivaer_app.version import __version__

project = "drivaer"
copyright = "2026, the drivaer maintainers"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "api"
include_patterns = ["api.md"]
html_theme = "furo"
html_title = f"drivaer {release}"
autodoc_member_order = "bysource"
autodoc_type_aliases = {"MeshLike": "MeshLike"}

_NAMED = re.compile(r"(\w+(?:, \w+)*(?: \([^)]*\))?): (?=\S)")  # "cd, cd_low: drag coefficient ..."


def setup(app) -> None:
    app.connect("autodoc-process-docstring", name_fields, priority=900)  # after napoleon's
    app.connect("autodoc-process-signature", name_aliases)


def name_fields(app, what, name, item, options, lines: list[str]) -> None:
    """Our docstrings say ``name: what it is`` of attributes and arguments, line after line; a field list, here."""
    named = False
    for number, line in enumerate(lines):
        if _NAMED.match(line) and number > 0:
            names, _, text = line.partition(": ")
            lines[number] = f":{names}: {text}"
            named = True
        elif named and line.strip() and not line.startswith(":"):
            lines[number] = f"    {line.strip()}"
        else:
            named = False


def name_aliases(app, what, name, item, options, signature: str | None, returns: str | None):
    """An alias that is part of a union, by its name alone."""
    return signature and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", signature), returns
