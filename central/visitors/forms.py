"""The form that visitors fill in. Nothing that they may not know is looked up for it: whom they visit is what they say."""

import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from central.bookings.places import Offer, ledger, whole_days
from central.visitors.models import DELIVERY, Registration, VisitorPolicy

FILLED_IN_S: Final = 2  # nobody is quicker
GOOD_FOR_S: Final = 4 * 3600
DAYS_OFFERED: Final = 2  # today and tomorrow
_SIGNER: Final = TimestampSigner(salt="menshen.visitors.form")
_PHONE: Final = re.compile(r"\+?[0-9]{5,15}")
_PLATE: Final = re.compile(r"[0-9A-Z\u4e00-\u9fff]{2,12}")


def new_stamp() -> str:
    """What says when a form was begun, and which it is."""
    return _SIGNER.sign(secrets.token_hex(8))


def read_stamp(stamp: str) -> str:
    """Which form it is. Raises ValidationError for one that was forged, filled in faster than anybody can, or begun too long ago."""
    try:
        number = _SIGNER.unsign(stamp[:128], max_age=GOOD_FOR_S)
    except BadSignature:
        raise ValidationError(_("This page was open for too long. Please press the button once more.")) from None
    try:
        _SIGNER.unsign(stamp, max_age=FILLED_IN_S)
    except BadSignature:
        return number
    raise ValidationError(_("That was very quick. Please look at it and press the button once more."))


def slot_offers(site: str, now: datetime) -> list[Offer]:
    """The slots that can be asked for: those of today and tomorrow that have not ended."""
    there = ledger(site, *whole_days(now, now + timedelta(days=DAYS_OFFERED)))
    days = [localtime(now + timedelta(days=day)).date() for day in range(DAYS_OFFERED)]
    return [offer for day in days for offer in there.offers(day) if offer.ends > now]


class VisitorForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own forms are not generic while they run
    """One visitor. `offers`: time slots that can be asked for; none: it is not asked."""

    consent = forms.BooleanField(error_messages={"required": _("Without your consent we cannot keep this.")})
    stamp = forms.CharField(max_length=128, widget=forms.HiddenInput)
    more = forms.CharField(required=False, max_length=200)  # people do not see it; programs fill it in

    class Meta:
        model = Registration
        fields = ("name", "phone", "whom", "purpose", "plate", "goods", "bay")
        widgets = {"purpose": forms.RadioSelect}  # noqa: RUF012  Django's way

    def __init__(self, *args: Any, policy: VisitorPolicy, offers: Sequence[Offer] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offers = {f"{offer.begins:%Y%m%d%H%M}-{offer.ends:%H%M}": offer for offer in offers}
        self.fields["slot"] = _slots(self.offers)
        if policy.bays:
            bays = [("", "—"), *((each, each) for each in policy.bays.split())]
            self.fields["bay"] = forms.ChoiceField(label=self.fields["bay"].label, choices=bays, required=False)
        for name in ("name", "phone", "whom", "purpose", "slot"):
            self.fields[name].error_messages |= {"required": _("Please fill this in.")}

    def clean_name(self) -> str:
        """One line that can be printed."""
        return _line(self.cleaned_data["name"])

    def clean_whom(self) -> str:
        """One line that can be printed."""
        return _line(self.cleaned_data["whom"])

    def clean_goods(self) -> str:
        """One line that can be printed."""
        return _line(self.cleaned_data.get("goods", ""))

    def clean_bay(self) -> str:
        """One line that can be printed."""
        return _line(self.cleaned_data.get("bay", ""))

    def clean_phone(self) -> str:
        """Digits, however they were written."""
        digits = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", self.cleaned_data["phone"]))
        if not _PHONE.fullmatch(digits):
            raise ValidationError(_("Digits only, such as 13800138000."))
        return digits

    def clean_plate(self) -> str:
        """As it is on the vehicle."""
        plate = re.sub(r"[\s·•.-]", "", unicodedata.normalize("NFKC", self.cleaned_data.get("plate", ""))).upper()
        if plate and not _PLATE.fullmatch(plate):
            raise ValidationError(_("Letters and digits only, such as 京A12345."))
        return plate

    def clean_slot(self) -> str:
        """One that is not full."""
        key: str = self.cleaned_data.get("slot", "")
        if key and not self.offers[key].left:
            raise ValidationError(_("Please choose a time that is still free."))
        return key

    def clean_more(self) -> str:
        """Nothing."""
        if self.cleaned_data.get("more"):
            raise ValidationError(_("Please press the button once more."))
        return ""

    def clean_stamp(self) -> str:
        """Which form it is."""
        return read_stamp(self.cleaned_data["stamp"])

    def clean(self) -> dict[str, Any] | None:
        """What is brought only matters for a delivery."""
        cleaned = super().clean()
        if self.cleaned_data.get("purpose") != DELIVERY:
            self.cleaned_data["goods"] = self.cleaned_data["bay"] = ""
        offer = self.offers.get(self.cleaned_data.get("slot", ""))
        if offer is not None:
            self.instance.slot_begins, self.instance.slot_ends = offer.begins, offer.ends
        return cleaned

    @property
    def top_errors(self) -> list[str]:
        """What is wrong with the form as a whole."""
        hidden = [*self.errors.get("stamp", ()), *self.errors.get("more", ())]
        return [str(each) for each in (*self.non_field_errors(), *hidden)]


def _slots(offers: Mapping[str, Offer]) -> forms.ChoiceField:
    choices = [(key, str(offer)) for key, offer in offers.items()]
    taken = {"invalid_choice": _("Please choose a time that is still free.")}
    return forms.ChoiceField(label=_("When do you come?"), choices=choices, required=bool(offers), error_messages=taken)


def _line(text: str) -> str:
    tidy = " ".join(unicodedata.normalize("NFC", text).split())
    if not tidy.isprintable():
        raise ValidationError(_("There is a character in it that cannot be printed."))
    return tidy
