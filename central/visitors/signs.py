"""The sign at a gate: its QR leads to the gate's form. What it says is signed, and it can be renewed."""

import secrets
from datetime import datetime
from typing import Final, NamedTuple

import segno
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from central.registry.models import Gate
from central.visitors.models import CLOSED, GateSign, VisitorPolicy

LONGEST: Final = 128  # characters of a token
_SIGNER: Final = Signer(salt="menshen.visitors.sign")


class Place(NamedTuple):
    """Where somebody registers."""

    gate: Gate
    policy: VisitorPolicy


def renew(gate: Gate, now: datetime) -> GateSign:
    """A new sign for this gate; those that hang there are worthless from now on."""
    number = secrets.token_hex(8)
    sign, _ = GateSign.objects.update_or_create(gate=gate, defaults={"number": number, "made_at": now})
    return sign


def token_of(sign: GateSign) -> str:
    """What the sign's address holds."""
    return _SIGNER.sign(f"{sign.gate_id}.{sign.number}")


def place_of(token: str) -> Place | None:
    """Where the sign with this token hangs; None for one that was forged or renewed, or where nobody registers any more. Which of
    these it is, is told to nobody."""
    if len(token) > LONGEST:
        return None
    try:
        gate, _, number = _SIGNER.unsign(token).partition(".")
    except BadSignature:
        return None
    sign = GateSign.objects.select_related("gate").filter(pk=gate, number=number, gate__admitted=True).first()
    policy = VisitorPolicy.objects.filter(site=sign.gate.site).exclude(decides=CLOSED).first() if sign else None
    return None if sign is None or policy is None else Place(sign.gate, policy)


def address_of(sign: GateSign, policy: VisitorPolicy | None, opened_by: str) -> str:
    """What its QR holds. `opened_by`: the address that the office's page was opened by, where the site names no other."""
    base = policy.address if policy is not None and policy.address else opened_by
    return base.rstrip("/") + reverse("register", args=[token_of(sign)])


def drawn(text: str, *, level: str = "q", css: str = "qr") -> SafeString:
    """A QR as SVG to stand in a page, with its quiet zone. Text of QR's alphanumeric set is drawn as such."""
    code = segno.make_qr(text, error=level, boost_error=False)
    svg = code.svg_inline(scale=4, border=4, light="#fff", svgclass=css, lineclass=None, omitsize=True)
    return mark_safe(svg)  # noqa: S308  segno's, of numbers alone: the text is in its squares
