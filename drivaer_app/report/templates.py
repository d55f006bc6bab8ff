"""jinja2 templates: those in resources/templates, or a company's own."""

from __future__ import annotations

from pathlib import Path

from data.errors import DrivAerError
from drivaer_app.paths import RESOURCES

FOLDER = RESOURCES / "templates"


def environment(*, autoescape: bool):
    """Undefined names are errors: a template that asks for what there is not must not print blanks."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    loader = FileSystemLoader(FOLDER)
    return SandboxedEnvironment(
        loader=loader, autoescape=autoescape, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def template_of(name: str, own: Path | None, templates):
    """Raises DrivAerError where a company's own template cannot be read or is no template."""
    from jinja2 import TemplateError

    if own is None:
        return templates.get_template(name)
    try:
        return templates.from_string(own.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, TemplateError) as error:
        raise DrivAerError(f"cannot be used as a template ({error})", file=own) from error


def rendered(template, own: Path | None, **values) -> str:
    """The template filled in. Raises DrivAerError where a company's own one asks for what there is not."""
    from jinja2 import TemplateError

    try:
        return template.render(**values)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        if own is None:
            raise
        raise DrivAerError(f"cannot be filled in ({error})", file=own, fix="compare it with the program's") from error
