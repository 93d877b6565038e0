"""A register from a file: looked at, shown, and taken when somebody has seen what it would do. For staff (see urls)."""

from datetime import timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from central.accounts.models import User
from central.holders.importing import KINDS, MAX_BYTES, NotTaken, plan, take
from central.holders.models import _SITE, ImportDraft
from central.holders.site import office_admin

DRAFT_LIFE = timedelta(hours=1)
SHOWN = 50  # lines of each sort
_TITLES = {
    "holders": gettext_lazy("holders"),
    "cards": gettext_lazy("cards"),
    "revoked": gettext_lazy("revoked passes"),
    "statuses": gettext_lazy("home observations"),
}


class ImportForm(forms.Form):
    """Which register, of which site."""

    kind = forms.ChoiceField(label=gettext_lazy("register"), choices=[(kind, _TITLES[kind]) for kind in KINDS])
    site = forms.CharField(label=gettext_lazy("site"), max_length=32, validators=[_SITE])
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
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        ImportDraft.objects.filter(at__lt=office_now() - DRAFT_LIFE).delete()
        kind, site, data = (form.cleaned_data[name] for name in ("kind", "site", "file"))
        try:
            plan(kind, site, data)
        except NotTaken as error:
            form.add_error("file", str(error))
        else:
            draft = ImportDraft.objects.create(by=_user(request), kind=kind, site=site, data=data)
            return redirect("import-preview", draft.pk)
    return render(request, "holders/import.html", {**office_admin.each_context(request), "form": form})


def preview(request: HttpRequest, draft_id: int) -> HttpResponse:
    """What the file would do; and doing it."""
    draft = get_object_or_404(ImportDraft, pk=draft_id, by=_user(request))
    found = plan(draft.kind, draft.site, bytes(draft.data))
    if request.method == "POST" and not found.refused:
        take(found)
        draft.delete()
        told = _("%(new)d added, %(changed)d changed, %(unchanged)d as before")
        office_admin_message(
            request, told % {"new": len(found.new), "changed": len(found.changed), "unchanged": found.unchanged}
        )
        return redirect("import")
    context = {
        **office_admin.each_context(request),
        "plan": found,
        "register": _TITLES[draft.kind],
        "new": [str(each) for each in found.new[:SHOWN]],
        "changed": [str(each) for each in found.changed[:SHOWN]],
        "refused": found.refused[:SHOWN],
        "refused_count": len(found.refused) + found.more_refused,
    }
    return render(request, "holders/preview.html", context)


def office_admin_message(request: HttpRequest, text: str) -> None:
    """Shown on the next page."""
    from django.contrib import messages

    messages.success(request, text)


def _user(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # noqa: S101  only staff comes here (urls)
    return user
