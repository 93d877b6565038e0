"""What lists of the directory's pages can be narrowed to."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import localdate
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _


class Valid(admin.SimpleListFilter):
    """Whether they are valid today."""

    title = _("valid")
    parameter_name = "valid"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, Any]]:
        """What can be asked."""
        return [("now", _("today")), ("over", _("no longer")), ("later", _("not yet"))]

    def queryset(self, _request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Those that are so."""
        today = localdate()
        over, later = Q(valid_until__lt=today), Q(valid_from__gt=today)
        now = Q(Q(valid_until=None) | Q(valid_until__gte=today), Q(valid_from=None) | Q(valid_from__lte=today))
        wanted = {"over": over, "later": later, "now": now}
        return queryset.filter(wanted[self.value() or ""]) if self.value() in wanted else queryset


def chosen_by(name: str, said: Any, words: Mapping[str, Any] | None = None) -> type[admin.SimpleListFilter]:
    """By one value of the field `name`, of those that are there. `words`: what each is called, where it has a word: the
    models of other parts have none for pages."""

    class Chosen(admin.SimpleListFilter):
        title = said
        parameter_name = name

        def lookups(self, _request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            there = model_admin.get_queryset(_request).order_by(name).values_list(name, flat=True).distinct()
            return [(each, (words or {}).get(each, each)) for each in there if each]

        def queryset(self, _request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
            return queryset.filter(**{name: self.value()}) if self.value() in dict(self.lookup_choices) else queryset

    return Chosen


class Ahead(admin.SimpleListFilter):
    """Whether they are still to come."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, Any]]:
        """What can be chosen."""
        return [("ahead", _("now or ahead")), ("over", _("ended"))]

    def queryset(self, _request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Narrowed to it."""
        match self.value():
            case "ahead":
                return queryset.filter(ends__gt=office_now())
            case "over":
                return queryset.filter(ends__lte=office_now())
            case _:
                return queryset
