"""A bar chart as SVG, legible on light and dark pages."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

_ROW, _LEFT, _WIDTH = 26, 210, 420
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #222 }
.bar { fill: #8a8f98 } .ours { fill: #2f7d5b }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .ours { fill: #58b48a } }
"""


def bars(title: str, rows: Sequence[tuple[str, float, bool]], unit: str) -> str:
    """Return a chart of (name, value, whether it is ours), in the order given; the bars begin at 0."""
    most = max(value for _, value, _ in rows)
    height = 40 + _ROW * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    for row, (name, value, ours) in enumerate(rows):
        top, long = 34 + _ROW * row, _WIDTH * value / most
        parts += [
            f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{"ours" if ours else "bar"}" x="{_LEFT}" y="{top}" width="{long:.1f}" height="18" rx="2"/>',
            f'<text x="{_LEFT + long + 8:.1f}" y="{top + 14}">{value:.2f} {escape(unit)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
