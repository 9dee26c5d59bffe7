"""A line in a frame, as SVG: enough to see whether something grows."""

WIDTH, HEIGHT, MARGIN = 720, 320, 56


def plot(points: list[tuple[float, float]], title: str) -> str:
    """(pages, megabytes) as an SVG picture whose y axis begins at nought."""
    right = max(x for x, _ in points) or 1
    top = max(y for _, y in points) * 1.15

    def place(x: float, y: float) -> tuple[float, float]:
        return MARGIN + x / right * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - y / top * (HEIGHT - 2 * MARGIN)

    line = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
    left, bottom = place(0, 0)
    steps = [right * part / 4 for part in range(5)], [top * part / 4 for part in range(5)]
    below = "".join(
        f'<text x="{place(x, 0)[0]:.0f}" y="{bottom + 18:.0f}" text-anchor="middle">{x:,.0f}</text>' for x in steps[0]
    )
    beside = "".join(
        f'<text x="{left - 8:.0f}" y="{place(0, y)[1] + 4:.0f}" text-anchor="end">{y:.0f}</text>' for y in steps[1]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{left:.0f}" y="24" font-size="15">{title}</text>'
        f'<path d="M{left:.0f},{MARGIN} V{bottom:.0f} H{WIDTH - MARGIN}" fill="none" stroke="#555"/>{below}{beside}'
        f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">pages</text>'
        f'<text x="{left:.0f}" y="{MARGIN - 10}">MB</text>'
        f'<polyline points="{line}" fill="none" stroke="#0b62a4" stroke-width="2"/></svg>\n'
    )
