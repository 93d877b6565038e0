"""The pages of the directory. What is saved or deleted here changes the directory in the same transaction (`models`)."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _

from central.accounts.models import User
from central.directory.models import Directory
from central.holders.models import (
    Card,
    Code,
    CountOrder,
    Holder,
    HolderStatus,
    ModeOrder,
    PolicyValue,
    RevokedPass,
    Wording,
)
from central.holders.publishing import delete_all, save_all
from central.holders.site import office_admin
from central.registry.models import Gate

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin  # generic for whoever checks types only


class KeptAdmin(_Admin):
    """What stands in the directory. Its key stays as it was made: rows that name it would be left behind."""

    list_per_page = 50
    keys: ClassVar[tuple[str, ...]] = ()

    def get_readonly_fields(self, _request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The key of what is there already."""
        return ("site", *self.keys) if obj is not None else ()

    def delete_queryset(self, _request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Many at once: one change of the directory."""
        delete_all(list(queryset))


@admin.register(Holder, site=office_admin)
class HolderAdmin(KeptAdmin):
    """Holders."""

    keys = ("reference",)
    list_display = ("reference", "name", "pass_type", "valid_until", "registered", "site")
    list_filter = ("site", "pass_type", "registered")
    search_fields = ("reference", "name")
    actions = ("observe",)

    @admin.action(description=_("Put under home observation"))
    def observe(self, request: HttpRequest, queryset: "QuerySet[Holder]") -> None:
        """Until it is taken away on the page of home observations."""
        there = set(HolderStatus.objects.filter(holder__in=queryset).values_list("holder_id", flat=True))
        new = [HolderStatus(site=each.site, holder=each) for each in queryset if each.pk not in there]
        save_all(new, (), ())
        self.message_user(request, _("%(count)d holder(s) are under home observation now") % {"count": len(new)})


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

    @admin.action(description=_("Report lost"))
    def report_lost(self, request: HttpRequest, queryset: "QuerySet[Card]") -> None:
        """They let nobody in from now on."""
        self._lose(request, queryset, lost=True)

    @admin.action(description=_("Found again"))
    def found_again(self, request: HttpRequest, queryset: "QuerySet[Card]") -> None:
        """They are good again."""
        self._lose(request, queryset, lost=False)

    def _lose(self, request: HttpRequest, queryset: "QuerySet[Card]", *, lost: bool) -> None:
        cards = [card for card in queryset.select_related("holder") if card.lost is not lost]
        for card in cards:
            card.lost = lost
        save_all((), cards, ("lost",))
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
    """Policy. The office does not know every key: what a gate cannot have, it refuses and says so in an alarm."""

    keys = ("gate", "key")
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


class _OrderAdmin(_Admin):
    """Orders are given and never changed: another one takes their place."""

    def save_model(self, request: HttpRequest, obj: Any, _form: Any, _change: bool) -> None:
        """By whom."""
        if not isinstance(request.user, User):
            raise PermissionDenied
        obj.by = request.user
        obj.save()

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody."""
        return False


class _SureForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    sure = forms.BooleanField(
        label=_("I am sure"),
        help_text=_("It reaches every connected gate within 2 seconds, and those that are away when they return."),
    )

    def clean(self) -> dict[str, Any] | None:
        """The site and the gate must be there: an order for nobody would look as if it were carried out."""
        cleaned = super().clean() or {}
        gates = Gate.objects.filter(site=cleaned.get("site", ""), admitted=True)
        if cleaned.get("gate"):
            gates = gates.filter(pk=cleaned["gate"])
        if not gates.exists():
            raise forms.ValidationError(_("No admitted gate belongs to this."))
        return cleaned


@admin.register(ModeOrder, site=office_admin)
class ModeOrderAdmin(_OrderAdmin):
    """Modes. What a gate really is in, it says itself: on the page of gates."""

    form = _SureForm
    fields = ("site", "gate", "mode", "drill", "sure")
    list_display = ("at", "site", "gate_or_all", "mode", "drill", "by")
    list_filter = ("site", "mode")

    @admin.display(description=_("gate"))
    def gate_or_all(self, order: ModeOrder) -> str:
        """In words."""
        return order.gate or str(_("all gates"))


@admin.register(CountOrder, site=office_admin)
class CountOrderAdmin(_OrderAdmin):
    """Corrections."""

    form = _SureForm
    fields = ("site", "gate", "inside", "sure")
    list_display = ("at", "site", "gate", "inside", "by")
    list_filter = ("site",)


@admin.register(Gate, site=office_admin)
class GateAdmin(_Admin):
    """Which site a gate belongs to; what is ordered, and what is."""

    list_display = ("id", "name", "site", "standing", "mode", "ordered", "decides_by")
    list_filter = ("site",)
    search_fields = ("id", "name")
    fields = ("name", "site")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """They come by themselves, or by `menshen office gate add`."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Their records refer to them."""
        return False

    @admin.display(description=_("online"))
    def standing(self, gate: Gate) -> str:
        """In words."""
        return str(_("online") if gate.is_online(office_now()) else _("offline"))

    @admin.display(description=_("last ordered"))
    def ordered(self, gate: Gate) -> str:
        """The last order that concerns it."""
        order = ModeOrder.objects.filter(site=gate.site, gate__in=("", gate.pk)).order_by("-id").first()
        return "-" if order is None else f"{order.mode}{' · ' + str(_('drill')) if order.drill else ''}"

    @admin.display(description=_("directory"))
    def decides_by(self, gate: Gate) -> str:
        """The version that it decides by, against the newest."""
        if not gate.site:
            return str(_("belongs to no site"))
        newest = Directory.objects.filter(pk=gate.site).first()
        if newest is None or (gate.directory_epoch, gate.directory_version) == (newest.epoch, newest.version):
            return str(_("version %(version)d, the newest") % {"version": gate.directory_version})
        return str(
            _("version %(version)d, the newest is %(newest)d")
            % {"version": gate.directory_version, "newest": newest.version}
        )
