"""What the library has drawn, as a document of its own: with a style sheet and texts, and without anything to run."""

from __future__ import annotations

from pathlib import Path

from lxml import etree  # type: ignore[import-untyped]

from backend.dashboard.charts.chart import Chart

STYLE = Path(__file__).with_name("style.css").read_text()
# Scripts, style sheets, titles of positions on an axis, and what scripts would show.
SUPERFLUOUS = (
    "//comment() | //defs | //title | //*[contains(@class, 'tooltip-overlay') or contains(@class, 'text-overlay')]"
    "[not(.//text())]"
)
MARKS = "//g[contains(@class, 'series') and contains(@class, 'serie-{0} ')]//*[desc[@class='value']]"


def write_document(root: etree._Element, chart: Chart) -> bytes:
    """Return the picture; its numbers are those of the chart, in the titles of its marks."""
    for node in root.xpath(SUPERFLUOUS):
        node.getparent().remove(node)
    for node in root.xpath("//*[@id]"):
        del node.attrib["id"]
    for number, series in enumerate(chart.series if chart.most else ()):
        marks = root.xpath(MARKS.format(number))
        for mark, label, value in zip(marks, chart.labels, series.values, strict=True):
            _describe(mark, f"{series.name}, {label}: {value:,}")
    _introduce(root, chart)
    document: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _describe(mark: etree._Element, text: str) -> None:
    """Put one title in the place of what the library's script would read."""
    for node in mark.findall("desc"):
        mark.remove(node)
    title = etree.Element("title")
    title.text = text
    mark.insert(0, title)


def _introduce(root: etree._Element, chart: Chart) -> None:
    """Say what the picture shows, to people who hear it too (SVG-AAM), and how it looks."""
    root.set("role", "img")
    root.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    root.set("aria-labelledby", f"{chart.name}-title {chart.name}-description")
    texts = (("title", "title", chart.title), ("desc", "description", chart.description))
    for place, (tag, suffix, text) in enumerate(texts):
        node = etree.Element(tag, id=f"{chart.name}-{suffix}")
        node.text = text
        root.insert(place, node)
    style = etree.Element("style")
    style.text = STYLE
    root.insert(len(texts), style)
