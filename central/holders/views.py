"""A register from a file: looked at, shown, and taken when somebody has seen what it would do. For staff (see urls)."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.holders.importing import KINDS, MAX_BYTES, NotTaken, Plan, columns_of, is_new, plan, sites, take
from central.holders.models import SITE, ImportDraft
from central.holders.site import may, office_admin, user_of

DRAFT_LIFE = timedelta(hours=1)
_TITLES = {
    "holders": gettext_lazy("holders"),
    "cards": gettext_lazy("cards"),
    "revoked": gettext_lazy("revoked passes"),
    "statuses": gettext_lazy("home observations"),
    "bookings": gettext_lazy("bookings"),
    "duty": gettext_lazy("duty roster"),
}


class ImportForm(forms.Form):
    """Which register, of which site."""

    kind = forms.ChoiceField(label=gettext_lazy("register"), choices=[(kind, _TITLES[kind]) for kind in KINDS])
    site = forms.CharField(label=gettext_lazy("site"), max_length=32, validators=[SITE])
    file = forms.FileField(label=gettext_lazy("CSV file"))

    def clean_file(self) -> bytes:
        """Its bytes, no more than are read."""
        given = self.cleaned_data["file"]
        if given.size > MAX_BYTES:
            raise forms.ValidationError(
                _("larger than %(most)d MB: divide the file") % {"most": MAX_BYTES // 1024 // 1024}
            )
        data: bytes = given.read(MAX_BYTES + 1)
        return data


def choose(request: HttpRequest) -> HttpResponse:
    """Choose a file; then see what it would do."""
    form = ImportForm(request.POST or None, request.FILES or None, initial={"kind": request.GET.get("kind", "")})
    if request.method == "POST" and form.is_valid():
        kind, site, data = (form.cleaned_data[name] for name in ("kind", "site", "file"))
        _only_who_may(request, kind)
        ImportDraft.objects.filter(at__lt=office_now() - DRAFT_LIFE).delete()
        draft = ImportDraft.objects.create(by=user_of(request), kind=kind, site=site, data=data)
        return redirect("import-preview", draft.pk)
    registers = [(_TITLES[kind], columns_of(kind)) for kind in KINDS]
    return _page(request, "holders/import.html", _("Take from a file"), form=form, registers=registers)


def preview(request: HttpRequest, draft_id: int) -> HttpResponse:
    """What the file would do; and doing it."""
    fresh = ImportDraft.objects.filter(by=user_of(request), at__gte=office_now() - DRAFT_LIFE)
    draft = get_object_or_404(fresh, pk=draft_id)
    _only_who_may(request, draft.kind)
    if "forget" in request.POST:
        draft.delete()
        return redirect("import")
    try:
        found = plan(draft.kind, draft.site, bytes(draft.data))
        if request.method == "POST" and not found.refused:
            take(found)
            draft.delete()
            _write_down(request, found)
            return redirect("import")
    except NotTaken as error:
        draft.delete()
        messages.error(request, str(error))
        return redirect("import")
    title = f"{_TITLES[draft.kind]} · {draft.site}"
    return _page(request, "holders/preview.html", title, plan=found, sorts=_sorts(found), doubt=_doubt(draft.site))


def _doubt(site: str) -> str:
    """What to look at again before the file is taken; "" for nothing."""
    if not is_new(site):
        return ""
    told = _("No gate belongs to the site %(site)s, and nothing is kept for it. There are: %(sites)s.")
    return told % {"site": site, "sites": ", ".join(sites()) or _("none")}


def _sorts(found: Plan) -> list[tuple[str, str, Any, int]]:
    """What is shown line by line, the worst first."""
    return [
        ("✕", _("cannot be taken"), found.refused, found.refused_count),
        ("△", _("would be changed"), found.told_changed, len(found.changed)),
        ("＋", _("would be added"), found.told_new, len(found.new)),
    ]


def _page(request: HttpRequest, template: str, title: str, **more: object) -> HttpResponse:
    return render(request, template, {**office_admin.each_context(request), "title": title, **more})


def _only_who_may(request: HttpRequest, kind: str) -> None:
    if not may(request, KINDS[kind].model, "add", "change"):
        raise PermissionDenied


def _write_down(request: HttpRequest, found: Plan) -> None:
    """For who did it, and for whoever asks later."""
    numbers = {"new": len(found.new), "changed": len(found.changed), "unchanged": found.unchanged}
    LogEntry.objects.create(
        user=user_of(request),
        content_type=ContentType.objects.get_for_model(KINDS[found.kind].model),
        object_repr=f"{found.kind} {found.site}",
        action_flag=ADDITION,
        change_message="from a file: {new} added, {changed} changed, {unchanged} as before".format(**numbers),
    )
    messages.success(request, _("%(new)d added, %(changed)d changed, %(unchanged)d as before") % numbers)
