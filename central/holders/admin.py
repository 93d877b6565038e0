"""The pages of the directory. What is saved or deleted here changes the directory in the same transaction (`models`)."""

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Field as DbField
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _

from central.holders.filters import Valid, chosen_by
from central.holders.importing import sites
from central.holders.models import (
    Card,
    Code,
    Holder,
    HolderStatus,
    PolicyValue,
    RevokedPass,
    SiteGate,
    Wording,
)
from central.holders.ordering import GateForm, ObserveForm
from central.holders.publishing import delete_all, save_all
from central.holders.site import log_many, may, office_admin
from central.holders.standing import Standing, standing_of
from central.registry.models import Gate

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin  # generic for whoever checks types only
SHOWN: Final = 20  # of those that an action concerns


class KeptAdmin(_Admin):
    """What stands in the directory. Its key stays as it was made: rows that name it would be left behind."""

    list_per_page = 50
    keys: ClassVar[tuple[str, ...]] = ()

    def get_readonly_fields(self, _request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The key of what is there already."""
        return ("site", *self.keys) if obj is not None else ()

    def formfield_for_dbfield(
        self, db_field: "DbField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "forms.Field | None":
        """One of the sites that there are: a slip would make another one, that no gate belongs to."""
        if db_field.name == "site" and (known := sites()):
            choices = [(each, each) for each in known]
            return forms.ChoiceField(
                label=db_field.verbose_name, choices=choices if len(known) == 1 else [("", "---------"), *choices]
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def delete_queryset(self, _request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Many at once: one change of the directory."""
        delete_all(list(queryset))


@admin.register(Holder, site=office_admin)
class HolderAdmin(KeptAdmin):
    """Holders."""

    keys = ("reference",)
    list_display = ("reference", "name", "pass_type", "valid_from", "valid_until", "registered", "site")
    list_filter = ("site", "pass_type", "registered", Valid)
    search_fields = ("reference", "name")
    actions = ("observe",)

    def has_observe_permission(self, request: HttpRequest) -> bool:
        """Whoever may make and change home observations."""
        return may(request, HolderStatus, "add", "change")

    @admin.action(description=_("Put under home observation until …"), permissions=["observe"])
    def observe(self, request: HttpRequest, queryset: "QuerySet[Holder]") -> HttpResponse | None:
        """Asks until when."""
        form = ObserveForm(request.POST if "until" in request.POST else None)
        if form.is_valid():
            self._observe(request, queryset, form.cleaned_data["until"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Home observation"),
            "form": form,
            "count": queryset.count(),
            "some": queryset[:SHOWN],
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "holders/observe.html", context)

    def _observe(self, request: HttpRequest, queryset: "QuerySet[Holder]", until: date | None) -> None:
        holders = list(queryset)
        there = {each.holder_id: each for each in HolderStatus.objects.filter(holder__in=queryset)}
        changed = [status for status in there.values() if status.until != until]
        for status in changed:
            status.until = until
        new = [HolderStatus(site=each.site, holder=each, until=until) for each in holders if each.pk not in there]
        save_all(new, changed, ("until",))
        log_many(request, holders, _("under home observation"))
        self.message_user(request, _("%(count)d holder(s) are under home observation now") % {"count": len(holders)})


@admin.register(Card, site=office_admin)
class CardAdmin(KeptAdmin):
    """Cards."""

    keys = ("uid",)
    list_display = ("uid", "holder", "lost", "site")
    list_filter = ("site", "lost")
    search_fields = ("uid", "holder__reference", "holder__name")
    autocomplete_fields = ("holder",)
    list_select_related = ("holder",)
    actions = ("report_lost", "found_again")

    @admin.action(description=_("Report lost"), permissions=["change"])
    def report_lost(self, request: HttpRequest, queryset: "QuerySet[Card]") -> None:
        """They let nobody in from now on."""
        self._lose(request, queryset, lost=True)

    @admin.action(description=_("Found again"), permissions=["change"])
    def found_again(self, request: HttpRequest, queryset: "QuerySet[Card]") -> None:
        """They are good again."""
        self._lose(request, queryset, lost=False)

    def _lose(self, request: HttpRequest, queryset: "QuerySet[Card]", *, lost: bool) -> None:
        cards = [card for card in queryset.select_related("holder") if card.lost is not lost]
        for card in cards:
            card.lost = lost
        save_all((), cards, ("lost",))
        log_many(request, cards, _("reported lost") if lost else _("found again"))
        self.message_user(request, _("%(count)d card(s) changed") % {"count": len(cards)})


class _CodeForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own forms are not generic while they run
    text = forms.CharField(
        label=_("text of the code"), max_length=512, help_text=_("is not kept, only its fingerprint")
    )

    class Meta:
        model = Code
        fields = ("site", "colour", "holder", "valid_until")

    def clean(self) -> dict[str, Any] | None:
        """The fingerprint, before it is looked whether it is there already."""
        cleaned = super().clean()
        self.instance.sha256 = Code.fingerprint(self.cleaned_data.get("text", ""))
        return cleaned


@admin.register(Code, site=office_admin)
class CodeAdmin(KeptAdmin):
    """Registered health codes."""

    list_display = ("__str__", "colour", "holder", "valid_until", "site")
    list_filter = ("site", "colour")
    autocomplete_fields = ("holder",)
    list_select_related = ("holder",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The text is asked for once."""
        return super().get_form(request, obj, change, **({} if change else {"form": _CodeForm}), **kwargs)


@admin.register(RevokedPass, site=office_admin)
class RevokedPassAdmin(KeptAdmin):
    """Revoked passes."""

    keys = ("pass_id",)
    list_display = ("pass_id", "note", "site")
    list_filter = ("site",)
    search_fields = ("pass_id", "note")


@admin.register(HolderStatus, site=office_admin)
class HolderStatusAdmin(KeptAdmin):
    """Home observation."""

    keys = ("holder",)
    list_display = ("holder", "until", "site")
    list_filter = ("site",)
    search_fields = ("holder__reference", "holder__name")
    autocomplete_fields = ("holder",)
    list_select_related = ("holder",)


@admin.register(PolicyValue, site=office_admin)
class PolicyValueAdmin(KeptAdmin):
    """Policy. What only the gate's file and the other values can tell, a gate refuses, and says so in an alarm."""

    keys = ("gate", "key")
    fieldsets = (
        (
            None,
            {
                "fields": ("site", "gate", "key", "value"),
                "description": _(
                    "Keys and bounds are checked here. What does not go with the other values of a gate's policy that gate "
                    "refuses, which its alarm “device lost: policy” and a record of it say; every other value holds. See "
                    "the page of gates."
                ),
            },
        ),
    )
    list_display = ("key", "value", "gate", "site")
    list_filter = ("site",)
    search_fields = ("key", "gate")


@admin.register(Wording, site=office_admin)
class WordingAdmin(KeptAdmin):
    """Wordings."""

    keys = ("language", "phrase")
    list_display = ("phrase", "language", "text", "site")
    list_filter = ("site", "language")
    search_fields = ("phrase", "text")


@admin.register(SiteGate, site=office_admin)
class SiteGateAdmin(_Admin):
    """Which site a gate belongs to; what is ordered, and what is so."""

    form = GateForm
    list_display = (
        "gate_name",
        "of_site",
        "link",
        "mode_told",
        "in_force",
        "ordered",
        "decides_by",
        "policy_told",
        "do",
    )
    list_filter = (chosen_by("site", _("site")),)
    list_per_page = 50
    search_fields = ("id", "name")

    def save_model(self, _request: HttpRequest, obj: Any, _form: Any, _change: bool) -> None:
        """Nothing but these: all else is what the gate says, and may have changed since the page was drawn."""
        obj.save(update_fields=["name", "site"])

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """They come by themselves, or by `menshen office gate add`."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Their records refer to them."""
        return False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Those that are admitted: the others are on the office's own page of gates."""
        return super().get_queryset(request).filter(admitted=True)

    @admin.display(description=_("gate"), ordering="id")
    def gate_name(self, gate: Gate) -> str:
        """Name and id."""
        return f"{gate.name} ({gate.pk})" if gate.name else gate.pk

    @admin.display(description=_("site"), ordering="site")
    def of_site(self, gate: Gate) -> str:
        """Whose directory it follows."""
        return gate.site or "—"

    @admin.display(description=_("connection"))
    def link(self, gate: Gate) -> str:
        """Whether it is heard."""
        return _of(gate).link

    @admin.display(description=_("mode, as the gate says"))
    def mode_told(self, gate: Gate) -> str:
        """What it is in."""
        return _of(gate).mode

    @admin.display(description=_("in force"))
    def in_force(self, gate: Gate) -> str:
        """Whether it is in what was ordered."""
        return _of(gate).in_force

    @admin.display(description=_("last ordered"))
    def ordered(self, gate: Gate) -> str:
        """What, by whom and when."""
        return _of(gate).ordered

    @admin.display(description=_("directory"))
    def decides_by(self, gate: Gate) -> str:
        """The version that it decides by, against the newest."""
        return _of(gate).decides_by

    @admin.display(description=_("policy"))
    def policy_told(self, gate: Gate) -> str:
        """Whether it takes it."""
        return _of(gate).policy

    @admin.display(description=_("do"))
    def do(self, gate: Gate) -> str:
        """Where it is told something."""
        links = [
            ("admin:holders_modeorder_add", _("mode")),
            ("admin:holders_countorder_add", _("count")),
            ("admin:holders_gatecommand_add", _("now")),
        ]
        asked = urlencode({"site": gate.site, "gate": gate.pk})
        return format_html_join(" · ", '<a href="{}?{}">{}</a>', ((reverse(to), asked, text) for to, text in links))


def _of(gate: Gate) -> Standing:
    """Looked up once for all cells of a row."""
    there: Standing | None = gate.__dict__.get("_standing")
    if there is None:
        there = gate.__dict__["_standing"] = standing_of(gate, office_now())
    return there
