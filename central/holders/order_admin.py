"""The pages of orders: said, looked at, ordered; and then never changed, only followed by another."""

import secrets
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, TimestampSigner
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _

from central.holders.models import CountOrder, ModeOrder, SiteGate
from central.holders.ordering import CountForm, ModeForm
from central.holders.site import may, office_admin, user_of
from central.holders.standing import standing_of

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin  # generic for whoever checks types only
GOOD_FOR_S: Final = 300  # of what was looked at: afterwards the gates may stand otherwise


class InTwoSteps(_Admin):
    """First what is wanted, then what that would do.

    What was looked at bears the number that its order will have: sent twice, it is ordered once. `number`: the field of
    the model that keeps it."""

    ordering_form: ClassVar[type[Any]]
    number: ClassVar[str] = "order"
    date_hierarchy: ClassVar[str | None]

    def add_view(self, request: HttpRequest, _form_url: str = "", _extra_context: Any = None) -> HttpResponse:
        """Both steps."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.ordering_form(request.POST or None, initial=request.GET.dict())
        if request.method != "POST" or not form.is_valid():
            return self.page(request, "holders/order.html", form)
        if "sure" not in request.POST:
            return self._confirm(request, form)
        try:
            number = _signer(request, form).unsign(request.POST.get("number", ""), max_age=GOOD_FOR_S)
        except BadSignature:  # or too old
            messages.warning(
                request,
                _(
                    "Nothing was ordered: this is not what was looked at, or it was looked at too long ago. Please look again."
                ),
            )
            return self._confirm(request, form)
        return self._once(request, form, number)

    def carry_out(self, request: HttpRequest, form: Any, number: str) -> HttpResponse:
        """Order it."""
        order = form.save(commit=False)
        order.order, order.by = number, user_of(request)
        order.save()
        self.message_user(request, _("Ordered. The page of gates tells whether it is in force at each."))
        return self.afterwards(request, number)

    def afterwards(self, request: HttpRequest, _number: str) -> HttpResponse:
        """Where one sees what becomes of it."""
        return redirect("admin:holders_sitegate_changelist" if may(request, SiteGate, "view") else "admin:index")

    def page(self, request: HttpRequest, template: str, form: Any, **more: object) -> HttpResponse:
        """One of the two."""
        context = {
            **self.admin_site.each_context(request),
            "title": capfirst(self.model._meta.verbose_name),
            "opts": self.model._meta,
            "list_address": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
            "form": form,
            **more,
        }
        return TemplateResponse(request, template, context)

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever orders sees what became of it, too."""
        return super().has_view_permission(request, obj) or self.has_add_permission(request)

    def _confirm(self, request: HttpRequest, form: Any) -> HttpResponse:
        now = office_now()
        found = [standing_of(gate, now) for gate in form.gates()]
        number = _signer(request, form).sign(secrets.token_hex(16))
        return self.page(request, "holders/confirm.html", form, standings=found, effects=form.effects(), number=number)

    def _once(self, request: HttpRequest, form: Any, number: str) -> HttpResponse:
        before = self.model._default_manager.filter(**{self.number: number})
        try:
            if not before.exists():
                return self.carry_out(request, form, number)
        except IntegrityError:  # it came twice at the same moment
            if not before.exists():
                raise
        messages.info(request, _("This is ordered already: it was sent twice, and is ordered once."))
        return self.afterwards(request, number)


@admin.register(ModeOrder, site=office_admin)
class ModeOrderAdmin(InTwoSteps):
    """Modes. What a gate really is in, it says itself: on the page of gates."""

    ordering_form = ModeForm
    date_hierarchy = "at"
    fields = ("site", "gate", "mode", "drill", "by", "at")
    list_display = ("at", "site", "gate_or_all", "mode", "drill", "by")
    list_filter = ("site", "mode", "drill")
    list_select_related = ("by",)

    @admin.display(description=_("gate"))
    def gate_or_all(self, order: ModeOrder) -> str:
        """In words."""
        return order.gate or str(_("all gates"))


@admin.register(CountOrder, site=office_admin)
class CountOrderAdmin(InTwoSteps):
    """Corrections."""

    ordering_form = CountForm
    date_hierarchy = "at"
    fields = ("site", "gate", "inside", "by", "at")
    list_display = ("at", "site", "gate", "inside", "by")
    list_filter = ("site", "gate")
    list_select_related = ("by",)


def _signer(request: HttpRequest, form: Any) -> TimestampSigner:
    """Of what this user looked at, and of nothing else that the form might say by then."""
    said = repr(sorted((name, str(value)) for name, value in form.cleaned_data.items()))
    return TimestampSigner(salt=f"order by {user_of(request).pk}: {said}")
