"""A report as an A4 PDF for a meeting: the answer, the ranking, half a page a car, methods and limits.

Set by reportlab in DejaVu Sans, which is embedded: Latin, Greek, Cyrillic, Arabic and signs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from data.replacing import replacing
from drivaer_app.report.brand import Brand
from drivaer_app.report.car import ReportCar
from drivaer_app.report.card import Block
from drivaer_app.report.content import Content
from drivaer_app.report.drag_curve import drawing_of
from drivaer_app.report.pdf_fonts import BOLD, FONT, register_fonts, writable
from drivaer_app.report.pdf_plots import ALARM, GRID, PALE, ranking
from drivaer_app.report.pictures import as_jpeg
from drivaer_app.report.texts import shortened

_MARGIN = 48.0  # points
_ON_TITLE_PAGE, _ON_A_PAGE = 24, 46  # cars of the ranking plot
_MOST_WARNINGS = 4  # of one car, on its half page
_MARK = "▲ outside of what the model was trained on: a guess, and no interval holds"


def write(path: Path, content: Content, brand: Brand, template: Path | None) -> None:
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    register_fonts()
    with replacing(path) as unfinished:
        document = SimpleDocTemplate(
            str(unfinished),
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_MARGIN + 10,
            title=writable(content.title),
            author=writable(brand.name),
            creator=f"drivaer {content.version}",
        )
        document.build(_Story(content, brand, document.width).parts(), canvasmaker=_numbered(content, brand))


def _numbered(content: Content, brand: Brand):
    """A canvas that knows how many pages there are when it writes their feet."""
    from reportlab.lib.colors import HexColor
    from reportlab.pdfgen.canvas import Canvas

    foot = writable(" · ".join(filter(None, [brand.footer or brand.name, f"drivaer {content.version}"])))

    class Numbered(Canvas):
        def __init__(self, *arguments: Any, **named: Any):
            super().__init__(*arguments, **{**named, "initialFontName": FONT})
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                self.setFont(FONT, 7)
                self.setFillColor(HexColor(PALE))
                self.drawString(_MARGIN, 34, f"{foot} · {content.made[:10]}")
                self.drawRightString(self._pagesize[0] - _MARGIN, 34, f"{number} / {len(self._pages)}")
                if content.outside:
                    self.setFillColor(HexColor(ALARM))
                    self.drawCentredString(self._pagesize[0] / 2, 22, _MARK)
                super().showPage()
            super().save()

    return Numbered


class _Story:
    """The parts of the document, in order."""

    def __init__(self, content: Content, brand: Brand, width: float):
        self.content, self.brand, self.width = content, brand, width
        self.styles = _styles(brand)

    def parts(self) -> list:
        from reportlab.platypus import PageBreak

        parts = [*self._title_page()]
        if self.content.details:
            parts += [PageBreak(), self._text("Cars", "heading")]
            parts += [part for car in self.content.details if car.result is not None for part in self._car(car)]
        parts += [PageBreak(), self._text("All cars", "heading"), self._table()]
        parts += self._apart()
        parts += [PageBreak(), *self._methods()]
        return parts

    def _text(self, text: str, style: str = "body", *, safe: bool = False):
        from reportlab.platypus import Paragraph

        return Paragraph(text if safe else escape(writable(text)), self.styles[style])

    def _title_page(self) -> list:
        from reportlab.platypus import PageBreak, Spacer

        content, wind = self.content, self.content.settings.conditions
        parts = [*self._logo(), self._text(content.title, "title")]
        facts = f"{content.made[:10]} · {wind.speed:g} m/s · model {content.model.name}"
        parts += [self._text(f"{self.brand.name} · {facts}" if self.brand.name else facts, "pale"), Spacer(1, 14)]
        first, *rest = content.answer
        parts.append(self._text(first, "answer"))
        parts += [self._text(line) for line in rest]
        parts.append(self._text("Predicted by a network from the shape alone, not measured and not simulated.", "pale"))
        cars = content.predicted
        if cars:
            parts += [
                Spacer(1, 8),
                self._text("Ranking with 90 % intervals", "heading"),
                self._plot(cars[:_ON_TITLE_PAGE]),
            ]
        # Beyond two more pages of it a plot says less than the table.
        for start in range(_ON_TITLE_PAGE, min(len(cars), _ON_TITLE_PAGE + 2 * _ON_A_PAGE), _ON_A_PAGE):
            parts += [PageBreak(), self._text("Ranking, continued", "heading")]
            parts.append(self._plot(cars[start : start + _ON_A_PAGE]))
        return parts

    def _logo(self) -> list:
        from reportlab.platypus import Image

        logo = self.brand.logo
        if logo is None or logo.suffix.lower() == ".svg":  # reportlab draws no SVG; HTML shows it
            return []
        image = Image(str(logo))
        scale = min(130 / image.imageWidth, 40 / image.imageHeight)
        image.drawWidth, image.drawHeight = image.imageWidth * scale, image.imageHeight * scale
        image.hAlign = "LEFT"
        return [image]

    def _plot(self, cars: tuple[ReportCar, ...]):
        base = self.content.baseline.result.cd if self.content.baseline else None
        every = [v for c in self.content.predicted for v in _ends(c)] + ([base] if base else [])
        low, high = min(every), max(every)
        edge = 0.03 * (high - low) or 0.01
        return ranking(cars, (low - edge, high + edge), self.width, self.brand, base)

    def _car(self, car: ReportCar) -> list:
        from reportlab.platypus import Image, KeepTogether, Spacer, Table

        left = 0.58 * self.width
        picture: Any = self._text("no picture: the mesh is gone, has changed, or the model gives no pressure", "pale")
        if car.picture is not None:
            picture = Image(as_jpeg(car.picture))
            picture.drawHeight *= (left - 8) / picture.drawWidth
            picture.drawWidth = left - 8
        right = [*self._facts(car)]
        curve = drawing_of(car, self.content.baseline, self.width - left - 6, 84, self.brand)
        right += [Spacer(1, 4), curve] if curve else []
        table = Table(
            [[picture, right]], colWidths=[left, self.width - left], style=[("VALIGN", (0, 0), (-1, -1), "TOP")]
        )
        name = shortened(car.name, 90) + (" (baseline)" if car.is_baseline else "")
        parts = [self._text(name, "car")]
        if car.is_outside:
            novelty = f"novelty {car.record['novelty']:.2f}"
            parts.append(
                self._text(f"▲ Outside of what the model was trained on ({novelty}): no interval holds.", "alarm")
            )
        remarks = list(dict.fromkeys((*car.apart, *car.warnings)))
        parts += [table, *(self._text(f"• {shortened(text, 240)}", "small") for text in remarks[:_MOST_WARNINGS])]
        if len(remarks) > _MOST_WARNINGS:
            parts.append(
                self._text(f"• and {len(remarks) - _MOST_WARNINGS} more warnings, in the other formats", "small")
            )
        return [KeepTogether([*parts, Spacer(1, 14)])]

    def _facts(self, car: ReportCar) -> list:
        record, mark = car.record, " ▲" if car.is_outside else ""
        facts = [("Cd", f"{record['cd']:.4f}{mark}")]
        if record["cd_low"] is not None and not car.is_outside:
            facts.append(("90 % interval", f"{record['cd_low']:.3f} to {record['cd_high']:.3f}"))
        if car.judgement is not None:
            facts.append(("Baseline", f"{car.judgement.counts:+.1f} counts{mark}, {car.judgement.in_words}"))
        facts += [("Rank", f"{car.rank} of {len(self.content.predicted)}"), ("Drag", f"{record['drag_n']:.1f} N{mark}")]
        if record["cl"] is not None:
            facts.append(("Cl", f"{record['cl']:.3f}{mark}"))
        facts.append(("Frontal area", f"{record['frontal_area_m2']:.3f} m²"))
        read = record["import"]
        facts.append(("Read as", f"{read['unit']}, nose along {read['forward']}, roof along {read['up']}"))
        facts += [(shortened(name, 24), shortened(str(value), 30)) for name, value in list(car.parameters.items())[:5]]
        return [self._labelled(label, text, "fact") for label, text in facts]

    def _labelled(self, label: str, text: str, style: str):
        label, text = escape(writable(label)), escape(writable(text))
        return self._text(f'<font color="{PALE}">{label}</font>  {text}', style, safe=True)

    def _table(self):
        from reportlab.lib.colors import HexColor
        from reportlab.platypus import LongTable

        based = self.content.baseline is not None
        head = ["#", "Car", "Cd", "90 % interval", *(["ΔCd", "against baseline"] if based else []), "Cl", "Drag, N"]
        rows = [[self._text(text, "head") for text in head]]
        rows += [[self._text(text, style) for text, style in self._cells(car, based)] for car in self.content.cars]
        widths = [26, 0, 54, 74, *([44, 62] if based else []), 38, 56]
        widths[1] = self.width - sum(widths)
        style = [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(GRID)),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
        return LongTable(rows, colWidths=widths, repeatRows=1, style=style)

    def _cells(self, car: ReportCar, based: bool) -> list[tuple[str, str]]:
        name = shortened(car.name, 80) + (" (baseline)" if car.is_baseline else "")
        if car.result is None:
            return [("", "cell"), (name, "cell"), ("failed", "marked"), *[("", "cell")] * (5 if based else 3)]
        record, mark = car.record, " ▲" if car.is_outside else ""
        style = "marked" if car.is_outside else "cell"
        interval = "none holds" if car.is_outside else "none"
        if record["cd_low"] is not None and not car.is_outside:
            interval = f"{record['cd_low']:.3f} – {record['cd_high']:.3f}"
        judged = []
        if based:
            found = car.judgement
            judged = [(f"{found.counts:+.1f}{mark}" if found else "", style), (found.verdict if found else "", "cell")]
        return [
            (str(car.rank), "cell"),
            (name, style),
            (f"{record['cd']:.4f}{mark}", style),
            (interval, "cell"),
            *judged,
            ("" if record["cl"] is None else f"{record['cl']:.3f}{mark}", style),
            (f"{record['drag_n']:.1f}{mark}", style),
        ]

    def _apart(self) -> list:
        parts = [self._text("Outliers and failures", "heading"), self._text(self.content.apart_note)]
        apart = self.content.outlying
        parts += [self._text(f"{shortened(car.name, 80)}: {'; '.join(car.apart)}", "small") for car in apart]
        parts += [
            self._text(f"Not predicted: {shortened(car.error or car.name, 400)}", "small")
            for car in self.content.failed
        ]
        return parts

    def _methods(self) -> list:
        parts = [self._text("Methods and limits", "heading")]
        parts += [self._labelled(label, text, "small") for label, text in self.content.provenance]
        parts.append(
            self._text(
                "Cd and Cl come from RegDGCNN, which sees points on the surface that the flow sees; pressure, friction "
                "and the curve of drag along the car from a second model. Ranks follow Cd alone: cars closer than the "
                "uncertainty have no order. Checksums of all meshes and how each was read are in the other formats."
            )
        )
        for section in self.content.card:
            parts.append(self._text(section.title, "car"))
            parts += [part for block in section.blocks for part in self._block(block)]
        return parts

    def _block(self, block: Block) -> list:
        from reportlab.platypus import Table

        if block.kind != "table":
            sign = "• " if block.kind == "list" else ""
            return [self._text(sign + " ".join(cells), "small") for cells in block.rows]
        columns = max(len(row) for row in block.rows)
        rows = [
            [self._text(cell, "head" if i == 0 else "cell") for cell in (*row, *[""] * (columns - len(row)))]
            for i, row in enumerate(block.rows)
        ]
        table = Table(rows, colWidths=[110, *[82] * (columns - 1)] if columns < 6 else None, hAlign="LEFT")
        table.setStyle([("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)])
        return [table]


def _ends(car: ReportCar) -> list[float]:
    r = car.result
    return [r.cd] if car.is_outside or r.cd_low is None else [r.cd, r.cd_low, r.cd_high]


def _styles(brand: Brand) -> dict[str, Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    def style(name: str, size: float, **more: Any) -> ParagraphStyle:
        attributes = {
            "fontName": FONT,
            "leading": 1.35 * size,
            "textColor": HexColor(brand.ink),
            "splitLongWords": 1,
            **more,
        }
        return ParagraphStyle(name, fontSize=size, **attributes)

    pale, alarm = HexColor(PALE), HexColor(ALARM)
    return {
        "title": style("title", 24, fontName=BOLD, spaceAfter=4),
        "heading": style("heading", 14, fontName=BOLD, spaceBefore=8, spaceAfter=8),
        "answer": style("answer", 13, spaceAfter=8, borderPadding=(0, 0, 0, 8)),
        "body": style("body", 9.5, spaceAfter=5),
        "pale": style("pale", 8.5, textColor=pale, spaceAfter=4),
        "alarm": style("alarm", 8.5, textColor=alarm, spaceAfter=3),
        "car": style("car", 11, fontName=BOLD, spaceBefore=4, spaceAfter=3),
        "fact": style("fact", 7.6, spaceAfter=1.5),
        "small": style("small", 7.6, spaceAfter=2.5),
        "cell": style("cell", 7.2),
        "marked": style("marked", 7.2, textColor=alarm),
        "head": style("head", 7.2, fontName=BOLD),
    }
