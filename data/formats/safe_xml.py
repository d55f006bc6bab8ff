"""XML from strangers: no entities, no network, no matter how large."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from data.formats.source import Source

if TYPE_CHECKING:
    from lxml.etree import _Element


def parse_xml(source: Source, data: bytes, what: str) -> _Element:
    """Root element; MeshError when the text is no XML, is cut off, or defines entities."""
    from lxml import etree

    refuse_entities(source, data)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise source.error(
            f"truncated or damaged {what}: its XML cannot be read ({error.msg})", "export or copy it again"
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:  # in an encoding that the search above does not see through
        raise source.error("its XML has a document type definition, which is not read", "export it without one")
    return root


def refuse_entities(source: Source, data: bytes) -> None:
    """Raise MeshError for XML that defines entities: no mesh writer does, and a small file can swell without end."""
    if re.search(rb"<!\s*(ENTITY|DOCTYPE)", data[: 2**16], re.IGNORECASE):
        raise source.error("its XML defines entities or a document type, which is not read", "export it without them")
