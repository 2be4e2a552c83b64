"""QR codes drawn on the server: SVG that the page's policy allows, black on white also in the dark."""

from __future__ import annotations

import io

import segno
from django.utils.safestring import SafeString, mark_safe


def svg(text: str, *, scale: int = 5) -> SafeString:
    """The code of a text; the page says beside it what it is, so that nobody needs to read the picture."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, scale=scale, border=4, svgclass="qr", lineclass=None, light="#fff"
    )
    return mark_safe(out.getvalue().decode())
