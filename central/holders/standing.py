"""What is ordered and what is so, of one gate: two things, never told as one."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from central.directory.models import Directory
from central.holders.models import CountOrder, ModeOrder
from central.registry.models import Gate
from central.web.words import word


@dataclass(frozen=True, slots=True)
class Standing:
    """One gate. `newest`: its site's directory, where there is one; `order`, `count`: the last that concern it."""

    gate: Gate
    online: bool
    newest: Directory | None
    order: ModeOrder | None
    count: CountOrder | None

    @property
    def link(self) -> str:
        """Whether it is heard."""
        return link(online=self.online)

    @property
    def mode(self) -> str:
        """The mode that it says it is in."""
        if not self.gate.mode:
            return _("? not heard of yet")
        said = word("mode", self.gate.mode)
        return said if self.online else _("%(mode)s, when last heard") % {"mode": said}

    @property
    def ordered(self) -> str:
        """The last order, by whom and when."""
        return "—" if self.order is None else told(self.order)

    @property
    def behind(self) -> bool:
        """Whether it decides by an older directory than the newest."""
        there = (self.gate.directory_epoch, self.gate.directory_version)
        return self.newest is not None and there < (self.newest.epoch, self.newest.version)

    @property
    def in_force(self) -> str:
        """Whether what is ordered is so, with a shape before the words."""
        if self.order is None:
            return _("— nothing ordered")
        if self.gate.mode == self.order.mode:  # also of one that is behind: an order goes ahead of the directory
            return _("✓ in force") if self.online else _("✓ in force when last heard")
        if self.behind or not self.gate.mode:
            return _("… on its way") if self.online else _("… waits for the gate, which is offline")
        return _("≠ the gate is in another mode: somebody there has changed it since")

    @property
    def decides_by(self) -> str:
        """The version that it decides by, against the newest."""
        if not self.gate.site:
            return _("✕ belongs to no site: is sent nothing")
        if not self.gate.boot:
            return _("? not heard of yet")
        version = self.gate.directory_version
        if not self.behind or self.newest is None:
            return _("✓ version %(version)d, the newest") % {"version": version}
        return _("… version %(version)d, the newest is %(newest)d") % {
            "version": version,
            "newest": self.newest.version,
        }

    @property
    def policy(self) -> str:
        """Whether it refuses what the office wants of its policy."""
        if not self.gate.boot:
            return _("? not heard of yet")
        return _("✕ refuses values: see its alarms") if "policy" in self.gate.devices_lost else _("✓ taken")


def link(*, online: bool) -> str:
    """Whether a gate is heard, with a shape before the words."""
    return _("● online") if online else _("✕ offline")


def standing_of(gate: Gate, now: datetime) -> Standing:
    """Of one gate."""
    orders = ModeOrder.objects.select_related("by").filter(Q(gate="") | Q(gate=gate.pk), site=gate.site)
    counts = CountOrder.objects.select_related("by").filter(gate=gate.pk, site=gate.site)
    return Standing(
        gate=gate,
        online=gate.is_online(now),
        newest=Directory.objects.filter(pk=gate.site).first() if gate.site else None,
        order=orders.first() if gate.site else None,
        count=counts.first() if gate.site else None,
    )


def told(order: ModeOrder) -> str:
    """An order in one line."""
    drill = " · " + _("drill") if order.drill else ""
    scope = order.gate or _("all gates")
    return f"{word('mode', order.mode)}{drill} · {scope} · {order.by.get_username()} · {localtime(order.at):%Y-%m-%d %H:%M:%S}"
