"""The page of commands: what a gate is told now, or not at all, and what became of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import localtime
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _

from central.alarms.models import Alarm
from central.holders.filters import chosen_by
from central.holders.models import GateCommand
from central.holders.order_admin import InTwoSteps
from central.holders.site import office_admin, user_of
from central.holders.standing import link
from central.orders.models import Order, Outcome
from central.orders.sending import Wish, send
from central.registry.models import Gate
from central.web.words import TABLES, word
from sync.contract.commands import SAYABLE, Acknowledge, NoCommand, Release, Say
from sync.tls import TlsFileError

MOST_ALARMS: Final = 200  # to choose from
PHRASES: Final[Mapping[str, Any]] = {
    "welcome": _("welcome"),
    "night-welcome": _("welcome at night"),
    "show-pass": _("please show your pass"),
    "show-forehead": _("please hold your forehead to the thermometer"),
    "show-health-code": _("please show your health code"),
    "register": _("please register"),
    "measure-again": _("please hold still, it is measured again"),
    "guard-comes": _("please wait, the guard comes"),
    "call-heard": _("your call was heard"),
    "close-door": _("please close the door"),
    "locked-down": _("the gate is closed"),
}
ACTIONS: Final[Mapping[str, Any]] = {
    "release": _("Let somebody in: release the door"),
    "say": _("Say something"),
    "acknowledge": _("Acknowledge an alarm at the gate"),
}
_SHAPES: Final = {Outcome.EXECUTED: "✓", Outcome.SENT: "…"}  # of all others a cross


class CommandForm(forms.Form):
    """What is wanted of which gate."""

    gate = forms.ChoiceField(label=_("gate"))
    action = forms.ChoiceField(label=_("what"), choices=list(ACTIONS.items()))
    note = forms.CharField(
        label=_("why, or what was done"), max_length=500, required=False, help_text=_("needed to release a door"),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )  # fmt: skip
    phrase = forms.ChoiceField(
        label=_("phrase"), required=False, choices=[("", "—"), *((each, PHRASES[each]) for each in SAYABLE)],
        help_text=_("to say"),
    )  # fmt: skip
    alarm = forms.ChoiceField(label=_("alarm"), required=False, help_text=_("to acknowledge"))
    portal = forms.CharField(
        label=_("portal"), max_length=64, required=False, help_text=_("to release: which; empty = the gate's only one")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gates = {gate.pk: gate for gate in Gate.objects.filter(admitted=True)}
        alarms = Alarm.objects.filter(cleared=False, gate_acknowledged=False).select_related("gate")[:MOST_ALARMS]
        self._alarms = {alarm.pk: alarm for alarm in alarms}
        self._offer("gate", _connected_first(self._gates, office_now()))
        self._offer("alarm", [("", "—"), *((alarm.pk, _alarm_told(alarm)) for alarm in alarms)])

    def clean(self) -> dict[str, Any] | None:
        """What each action needs."""
        cleaned = super().clean() or {}
        if settings.COMMAND_ROAD is None:
            raise forms.ValidationError(
                _(
                    "These pages send no commands: `menshen office serve` was given no --broker, or has no key to sign with."
                )
            )
        match cleaned.get("action"):
            case "release" if not cleaned.get("note") and "note" not in self.errors:
                raise forms.ValidationError({"note": _("Why? It stands in the gate's record.")})
            case "say" if not cleaned.get("phrase") and "phrase" not in self.errors:
                raise forms.ValidationError({"phrase": _("Which?")})
            case "acknowledge" if "alarm" not in self.errors:
                alarm = self._alarms.get(cleaned.get("alarm", ""))
                if alarm is None or alarm.gate_id != cleaned.get("gate"):
                    raise forms.ValidationError({"alarm": _("Which one of this gate's?")})
        return cleaned

    def gates(self) -> list[Gate]:
        """Whom it concerns."""
        return [self._gates[self.cleaned_data["gate"]]]

    def effects(self) -> list[str]:
        """What it would do."""
        chosen = self.cleaned_data
        alarm = self._alarms.get(chosen["alarm"])
        details = {
            "release": chosen["portal"],
            "say": PHRASES.get(chosen["phrase"], ""),
            "acknowledge": "" if alarm is None else _alarm_told(alarm),
        }
        told = [ACTIONS[chosen["action"]], details[chosen["action"]], chosen["note"]]
        return [" · ".join(str(each) for each in told if each), str(_("Within 5 seconds or not at all."))]

    def wish(self) -> Wish:
        """As it is sent."""
        portal, phrase, alarm, note = (self.cleaned_data[name] for name in ("portal", "phrase", "alarm", "note"))
        match self.cleaned_data["action"]:
            case "release":
                return Wish(make=lambda common: Release(portal=portal, reason=note, **common), target=portal, note=note)
            case "say":
                return Wish(make=lambda common: Say(phrase=phrase, **common), target=phrase)
        return Wish(make=lambda common: Acknowledge(alarm=alarm, note=note, **common), target=alarm, note=note)

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  made above
        field.choices = choices


@admin.register(GateCommand, site=office_admin)
class GateCommandAdmin(InTwoSteps):
    """Commands for now. What became of each is written down; a record that comes later may still tell more."""

    ordering_form = CommandForm
    number = "pk"
    date_hierarchy = "ordered_at"
    list_display = ("when", "gate_name", "what", "target_told", "note_told", "who", "became")
    list_filter = (
        chosen_by("gate", _("gate")),
        chosen_by("action", _("what"), ACTIONS),
        chosen_by("outcome", _("what became of it"), TABLES["order"]),
    )
    list_display_links = ("when",)
    list_select_related = ("gate", "by")
    fields = list_display

    def carry_out(self, request: HttpRequest, form: Any, number: str) -> HttpResponse:
        """Send it, and wait for what becomes of it."""
        assert settings.COMMAND_ROAD is not None  # noqa: S101  the form has looked
        broker, key = settings.COMMAND_ROAD
        (gate,) = form.gates()
        try:
            order = send(broker, gate, user_of(request), form.wish(), key, number)
        except (NoCommand, TlsFileError) as error:
            form.add_error(None, str(error))
            return self.page(request, "holders/order.html", form)
        done = order.outcome == Outcome.EXECUTED
        self.message_user(request, became(order), messages.SUCCESS if done else messages.ERROR)
        return self.afterwards(request, number)

    def afterwards(self, _request: HttpRequest, number: str) -> HttpResponse:
        """What became of it."""
        return redirect("admin:holders_gatecommand_change", number)

    @admin.display(description=_("ordered"), ordering="ordered_at")
    def when(self, order: Order) -> str:
        """By the office's clock."""
        return f"{localtime(order.ordered_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("gate"))
    def gate_name(self, order: Order) -> str:
        """Its name."""
        return str(order.gate)

    @admin.display(description=_("what"))
    def what(self, order: Order) -> str:
        """In words."""
        return str(ACTIONS.get(order.action, order.action))

    @admin.display(description=_("portal, phrase or alarm"))
    def target_told(self, order: Order) -> str:
        """In words."""
        return str(PHRASES.get(order.target, order.target)) if order.action == "say" else order.target

    @admin.display(description=_("why, or what was done"))
    def note_told(self, order: Order) -> str:
        """As it was given."""
        return order.note

    @admin.display(description=_("by"))
    def who(self, order: Order) -> str:
        """The user."""
        return order.by.get_username()

    @admin.display(description=_("what became of it"))
    def became(self, order: Order) -> str:
        """In words."""
        return became(order)


def became(order: Order) -> str:
    """What became of it, with a shape before the words."""
    told = f"{_SHAPES.get(Outcome(order.outcome), '✕')} {word('order', order.outcome)}"
    return f"{told}: {word('reason', order.reason)}" if order.reason else told


def _connected_first(gates: Mapping[str, Gate], now: datetime) -> list[tuple[str, Any]]:
    told = {name: (not gate.is_online(now), gate) for name, gate in gates.items()}
    ordered = sorted(told.items(), key=lambda each: (each[1][0], each[0]))
    return [(name, f"{link(online=not away)} · {gate} ({name})") for name, (away, gate) in ordered]


def _alarm_told(alarm: Alarm) -> str:
    return f"{alarm.gate} · {word('alarm', alarm.kind)} · {alarm.pk[:8]}"
