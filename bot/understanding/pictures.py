"""Two small pictures of figures as SVG: risk against coverage, and confidence against truth. Pure."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 520, 320, 56, 44
_STEPS = 5


def line(points: Sequence[Point], titles: tuple[str, str, str], *, top: float = 1.0, diagonal: bool = False) -> str:
    """A line through points (x from 0 to 1, y from 0 to `top`). Titles: of the picture, of x, of y."""
    title, across, up = titles
    drawn = " ".join(f"{_x(x):.1f},{_y(min(y, top) / top):.1f}" for x, y in points)
    marks = "".join(f'<circle cx="{_x(x):.1f}" cy="{_y(min(y, top) / top):.1f}" r="3"/>' for x, y in points[:40])
    slope = f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999" stroke-dasharray="4"/>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            f'<title>{title}</title><rect width="100%" height="100%" fill="#fff"/>',
            '<g font-family="sans-serif" font-size="12">',
            f'<text x="{_WIDTH / 2}" y="18" text-anchor="middle" font-size="14">{title}</text>',
            *(_grid(step / _STEPS, top) for step in range(_STEPS + 1)),
            slope if diagonal else "",
            f'<polyline points="{drawn}" fill="none" stroke="#0b5394" stroke-width="2"/>',
            f'<g fill="#0b5394">{marks if diagonal else ""}</g>',
            f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{across}</text>',
            f'<text x="14" y="{_HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 {_HEIGHT / 2})">{up}</text>',
            "</g></svg>",
        ]
    )


def _grid(share: float, top: float) -> str:
    return (
        f'<line x1="{_x(0)}" y1="{_y(share):.1f}" x2="{_x(1)}" y2="{_y(share):.1f}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{share * top:.0%}</text>'
        f'<text x="{_x(share):.1f}" y="{_y(0) + 16:.1f}" text-anchor="middle">{share:.0%}</text>'
    )


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - 20)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - 32)
