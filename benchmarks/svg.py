"""The page that all pictures of results are drawn on."""

from collections.abc import Iterable


def page(width: int, height: int, style: str, parts: Iterable[str]) -> str:
    """Return an SVG of this size with a white ground, its style sheet and its parts."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
    back = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<style>{style}</style>", back, *parts, "</svg>"]) + "\n"
