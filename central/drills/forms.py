"""What is asked for when a drill is planned."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from central.drills.models import Drill
from central.registry.models import Gate


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own forms are not generic while they run
    """Scenario, gates and mode. Sites and gates are those that are there."""

    gates = forms.MultipleChoiceField(label=_("gates that take part"), widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Drill
        fields = ("site", "scenario", "building", "mode", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gates = {gate.pk: gate for gate in Gate.objects.filter(admitted=True).exclude(site="")}
        sites = sorted({gate.site for gate in self._gates.values()})
        self.fields["site"] = forms.ChoiceField(label=_("site"), choices=[(site, site) for site in sites])
        chosen = self.fields["gates"]
        assert isinstance(chosen, forms.MultipleChoiceField)  # noqa: S101  made above
        chosen.choices = [(name, f"{gate} · {gate.site}") for name, gate in self._gates.items()]

    def clean(self) -> dict[str, Any] | None:
        """All gates are the site's."""
        cleaned = super().clean() or {}
        if any(self._gates[name].site != cleaned.get("site") for name in cleaned.get("gates", ())):
            raise forms.ValidationError({"gates": _("belongs to another site")})
        return cleaned

    def chosen(self) -> Sequence[Gate]:
        """The gates."""
        return [self._gates[name] for name in self.cleaned_data["gates"]]
