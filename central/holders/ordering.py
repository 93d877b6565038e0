"""What is wanted of gates, in two steps: said, and then, with what it would do before one's eyes, ordered."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from central.holders.models import SITE, CountOrder, HolderStatus, ModeOrder
from central.registry.models import Gate

EFFECTS: Final[Mapping[str, Any]] = {
    "normal": _("Each gate decides again by its policy."),
    "free": _("The doors are not locked: whoever comes goes through, and nobody is kept back."),
    "free-exit": _("Out: the doors are not locked, and nobody is kept back. In: each gate decides as always."),
    "closed": _("Closed management: only those are let in whom the policy lets in then, and the others are sent away."),
    "lockdown": _(
        "Nobody is let in, whatever they show. Over an escape route people still get out, the guard at the gate can still "
        "open, and a fire alarm opens the door."
    ),
}


def _gates() -> Sequence[Gate]:
    return list(Gate.objects.filter(admitted=True).exclude(site=""))


class _ForGates(forms.ModelForm):  # type: ignore[type-arg]  # Django's own forms are not generic while they run
    """Site and gate are chosen from those that are there: an order for nobody would look as if it were carried out."""

    every_gate: ClassVar[bool] = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gates = _gates()
        sites = sorted({gate.site for gate in gates})
        own = [(gate.pk, f"{gate} · {gate.site}") for gate in gates]
        every = [("", _("all gates of the site"))] if self.every_gate else []
        self.fields["site"] = forms.ChoiceField(label=_("site"), choices=[(site, site) for site in sites])
        self.fields["gate"] = forms.ChoiceField(label=_("gate"), choices=[*every, *own], required=not self.every_gate)

    def clean(self) -> dict[str, Any] | None:
        """The gate is one of the site's."""
        cleaned = super().clean() or {}
        gate = cleaned.get("gate")
        if gate and not Gate.objects.filter(pk=gate, site=cleaned.get("site", ""), admitted=True).exists():
            raise forms.ValidationError({"gate": _("belongs to another site")})
        return cleaned

    def gates(self) -> list[Gate]:
        """Whom it concerns."""
        found = [gate for gate in _gates() if gate.site == self.cleaned_data["site"]]
        return [gate for gate in found if self.cleaned_data["gate"] in ("", gate.pk)]


class ModeForm(_ForGates):
    """A mode."""

    class Meta:
        model = ModeOrder
        fields = ("site", "gate", "mode", "drill")

    def effects(self) -> list[str]:
        """What it would do."""
        drill = [str(_("It is a drill: what comes of it is recorded as one. The gates do it all the same."))]
        return [str(EFFECTS[self.cleaned_data["mode"]]), *(drill if self.cleaned_data["drill"] else [])]


class CountForm(_ForGates):
    """A correction of the count."""

    every_gate = False

    class Meta:
        model = CountOrder
        fields = ("site", "gate", "inside")

    def effects(self) -> list[str]:
        """What it would do."""
        said = _("The gate counts on from %(inside)d people inside. Where a limit is set it goes by that number.")
        return [str(said % {"inside": self.cleaned_data["inside"]})]


class ObserveForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """Until when."""

    class Meta:
        model = HolderStatus
        fields = ("until",)
        widgets: ClassVar = {"until": forms.DateInput(attrs={"type": "date"})}


class GateForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """What the office says of a gate. All else the gate says itself."""

    site = forms.CharField(label=_("site"), max_length=32, required=False, validators=[SITE])

    class Meta:
        model = Gate
        fields = ("name", "site")
