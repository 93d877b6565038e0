"""Pictures beside the words of the visitors' form, for whoever reads slowly. Each is an SVG path in a square of 24 × 24."""

from collections.abc import Mapping
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
PICTURES: Final[Mapping[str, str]] = {
    "name": "M12 1.5a5.2 5.2 0 1 1 0 10.4 5.2 5.2 0 0 1 0-10.4zM1.5 23c0-6.5 4-9.5 10.5-9.5S22.5 16.5 22.5 23z",
    "phone": "M7 1h10a2 2 0 0 1 2 2v18a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2zm.2 3.5v13.5h9.6V4.5zM11 19.6v1.8h2v-1.8z",
    "whom": "M12 2l11 10h-3v10h-6v-7h-4v7H4V12H1z",
    "plate": "M5 4h14l3 8v8h-4v-2H6v2H2v-8zm1.6 2.2L5 11h14l-1.6-4.8zM6 13a1.6 1.6 0 1 0 0 3.2A1.6 1.6 0 0 0 6 13zm12 0a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2z",
    "slot": "M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22zm0 3a8 8 0 1 1 0 16 8 8 0 0 1 0-16zm-1.2 2.8h2.4v4.7l3.6 2.2-1.2 2-4.8-2.9z",
    "visit": "M8 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8zm9 2a3.3 3.3 0 1 1 0 6.6A3.3 3.3 0 0 1 17 4zM0.5 22c0-6 3-9.5 7.5-9.5s7.5 3.5 7.5 9.5zm17 0c0-4-.8-6.7-2.3-8.7 5-1.5 8.3 2.2 8.3 8.7z",
    "delivery": "M2 3h20v5.5H2zM3.5 10h17v12h-17zm6 2v2.2h5V12z",
    "work": "M14.5 1.5a6.5 6.5 0 0 1 8 8L18.8 6l-2.6.8-.8 2.6 3.7 3.6a6.5 6.5 0 0 1-6.3-1.8L4.5 22.5a2.1 2.1 0 0 1-3-3L12.6 8.2a6.5 6.5 0 0 1 1.9-6.7z",
    "other": "M4 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zm8 0a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zm8 0a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z",
    "no": "M3.9 1L12 9.1 20.1 1 23 3.9 14.9 12l8.1 8.1-2.9 2.9L12 14.9 3.9 23 1 20.1 9.1 12 1 3.9z",
    "visitor": "M12 0l12 12-12 12L0 12z",
}


@register.simple_tag
def picture(name: str) -> SafeString:
    """`{% picture "phone" %}`: drawn in the text's colour; it says nothing that the word beside it does not."""
    drawn = '<svg class="picture" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path fill-rule="evenodd" d="{}"/></svg>'
    return format_html(drawn, PICTURES[name])
