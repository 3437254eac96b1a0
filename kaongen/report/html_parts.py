"""Parts of a page: sections, tables, facts, and figures inside of it. All text is escaped here."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kaongen.report.html_style import STYLE
from kaongen.report.mathematics import markup, plain
from kaongen.report.sheets import Sheet

_EXPONENT: Final = re.compile(r"(\d)e([+-])0*(\d+)\b")
_LONG: Final = 60
"""Characters from which on a cell may be broken."""
_KINDS: Final = ("input", "tuned", "prediction")


@dataclass(frozen=True)
class Section:
    """A heading, its anchor, and HTML below it."""

    anchor: str
    title: str
    parts: Sequence[str]


def page(title: str, facts: Mapping[str, str], sections: Iterable[Section], foot: str) -> str:
    """A whole page that needs nothing but itself; sections without parts are left out.

    Parameters
    ----------
    title, foot
        Text, with mathematics between dollar signs.
    facts
        Shown in boxes below the title.
    sections
        In their order; the navigation lists them.
    """
    shown = [section for section in sections if section.parts]
    links = "".join(f'<li><a href="#{s.anchor}">{markup(s.title)}</a></li>' for s in shown)
    boxes = "".join(f"<div><dt>{markup(k)}</dt><dd>{_cell(v)}</dd></div>" for k, v in facts.items())
    body = "\n".join(
        f'<section id="{s.anchor}">\n<h2>{markup(s.title)}</h2>\n' + "\n".join(s.parts) + "\n</section>" for s in shown
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(plain(title))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header><div>\n<h1>{markup(title)}</h1>\n"
        f'<dl class="facts">{boxes}</dl>\n</div></header>\n<nav aria-label="Sections"><ul>{links}</ul></nav>\n'
        f"<main>\n{body}\n<footer>{markup(foot)}</footer>\n</main>\n</body>\n</html>\n"
    )


def _cell(text: str) -> str:
    """A number: powers of ten as one prints them."""
    return _EXPONENT.sub(lambda m: f"{m[1]} × 10<sup>{'−' if m[2] == '-' else ''}{m[3]}</sup>", markup(text))


def table(sheet: Sheet, caption: bool = True) -> str:
    """A sheet as a table that scrolls where it is too wide."""
    left = {0, *sheet.texts}
    head = "".join(
        f'<th scope="col"{_class(i in left, False)}>{markup(column)}</th>' for i, column in enumerate(sheet.columns)
    )
    rows = "\n".join(f"<tr>{_row(row, left)}</tr>" for row in sheet.rows)
    title = f"<caption>{markup(sheet.title)}</caption>" if caption and sheet.title else ""
    note = f'<p class="note">{markup(sheet.note)}</p>' if sheet.note else ""
    content = f"{title}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>"
    return f'<div class="scroll"><table>{content}</table></div>{note}'


def _row(row: Sequence[str], left: set[int]) -> str:
    cells = [f'<th scope="row" class="text">{_cell(row[0])}</th>']
    for i, cell in enumerate(row[1:], start=1):
        if cell in _KINDS:
            cells.append(f'<td class="text kind kind-{cell}">{cell}</td>')
        else:
            content = markup(cell) if i in left else _cell(cell)
            cells.append(f"<td{_class(i in left, len(cell) > _LONG)}>{content}</td>")
    return "".join(cells)


def _class(left: bool, long: bool) -> str:
    names = [name for name, wanted in (("text", left), ("long", long)) if wanted]
    return f' class="{" ".join(names)}"' if names else ""


def folded(summary: str, *parts: str) -> str:
    """Parts that appear when the summary is pressed."""
    return f"<details><summary>{markup(summary)}</summary>\n" + "\n".join(parts) + "</details>"


def preformatted(text: str) -> str:
    """Text as it is."""
    return f"<pre>{html.escape(text)}</pre>"


def paragraph(text: str) -> str:
    return f"<p>{markup(text)}</p>"


def link(target: str, text: str) -> str:
    """To a file beside the page."""
    return f'<a href="{html.escape(target)}">{markup(text)}</a>'


def figures(parts: Sequence[str], wide: bool = False) -> str:
    """Figures beside each other where there is room."""
    return f'<div class="figures{" wide" if wide else ""}">\n' + "\n".join(parts) + "\n</div>"


def figure(image: str, caption: Sequence[str]) -> str:
    """An image with what is said below it, which is HTML."""
    below = f"<figcaption>{'<br>'.join(caption)}</figcaption>" if caption else ""
    return f"<figure><div>{image}</div>{below}</figure>"


def inline_svg(svg: str, prefix: str, label: str) -> str:
    """An SVG file as a part of the page: its names get a prefix, because a page must not have two of the same.

    Parameters
    ----------
    svg
        As matplotlib writes it.
    prefix
        Different for each figure of the page.
    label
        Read to those who cannot see it.
    """
    drawing = svg[svg.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'<style type="text/css">.*?</style>', "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', drawing)
    drawing = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', drawing)
    drawing = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", drawing)
    opening, rest = drawing.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', opening)
    name = html.escape(plain(label))
    return (
        f'<svg {box[0] if box else ""} role="img" aria-label="{name}" '
        f'style="stroke-linejoin:round;stroke-linecap:butt">{rest}'
    )


def inline_png(png: bytes, label: str) -> str:
    """A PNG file as a part of the page."""
    return f'<img alt="{html.escape(plain(label))}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
