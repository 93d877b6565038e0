"""What clerks keep, and how each of it stands in a site's directory (`sync.contract.directory`).

Whatever is saved or deleted here changes the directory in the same transaction, so that what a page shows and what gates are
sent are never two things. `publishing` does it for many at once.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Final

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils.functional import Promise
from django.utils.timezone import get_default_timezone, localtime
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _

from central.days import FIRST_DAY, LAST_DAY
from central.directory.store import change, hold
from central.holders.policy_words import wrong_key, wrong_value
from central.orders.models import Order
from central.registry.models import Gate
from sync.contract.colours import HealthCode, PassType
from sync.contract.directory import EVERY_GATE, NOBODY, Table
from sync.log.keyed import Row

MOST_INSIDE: Final = 1_000_000  # as a gate takes
SITE: Final = RegexValidator(r"^[A-Za-z0-9._-]{1,32}\Z", _("1 to 32 letters, digits, dots, hyphens or underscores"))
_REFERENCE: Final = RegexValidator(
    r"^[A-Za-z0-9._-]{1,40}\Z", _("1 to 40 letters, digits, dots, hyphens or underscores")
)
_UID: Final = RegexValidator(r"^[0-9A-F]{8,20}\Z", _("8 to 20 hexadecimal digits, A to F as capitals"))
_PASS_ID: Final = RegexValidator(r"^[0-9a-f]{16}\Z", _("16 hexadecimal digits"))
GATE: Final = RegexValidator(r"^[a-z0-9-]{1,32}\Z", _("a gate's id: a-z, 0-9 and hyphens"))
_KEY: Final = RegexValidator(r"^[a-z_]{1,40}(\.[a-z_]{1,40})?\Z", _("such as temperature.threshold_c"))
_PHRASE: Final = RegexValidator(r"^[a-z-]{1,40}\Z", _("such as welcome"))
PASS_TYPES: Final = [
    (PassType.RESIDENT.value, _("resident")),
    (PassType.TENANT.value, _("tenant")),
    (PassType.RETURNEE.value, _("recent returnee")),
    (PassType.VISITOR.value, _("visitor")),
]
COLOURS: Final = [
    (HealthCode.GREEN.value, _("green")),
    (HealthCode.YELLOW.value, _("yellow")),
    (HealthCode.RED.value, _("red")),
]
MODES: Final = [
    ("normal", _("normal")),
    ("free", _("free exit and entry")),
    ("free-exit", _("free exit, entry as always")),
    ("closed", _("closed management")),
    ("lockdown", _("lockdown")),
]
LANGUAGES: Final = [("zh", "中文"), ("en", "English")]
_encode = msgspec.json.Encoder(order="deterministic").encode


Fault = tuple[str, str | Promise]  # of a field, and what


class Kept(models.Model):
    """Something of one site that stands in its directory."""

    site = models.CharField(_("site"), max_length=32, validators=[SITE])
    by_itself: ClassVar[bool] = False
    """Whether its row says what it says and whose it is, and `tell` and `rows_of` are those of this class: then rows can be made before the
    directory is held."""

    class Meta:
        abstract = True

    @property
    def row(self) -> Row:
        """As it stands in the directory."""
        raise NotImplementedError

    @property
    def gone(self) -> Row:
        """That it stands there no more."""
        table, key, _value = msgspec.structs.astuple(self.row)
        return Row(table, key, None)

    @classmethod
    def rows_of(cls, objects: "Iterable[Kept]") -> Iterator[tuple[str, Row]]:
        """The rows of many, each with its site."""
        return ((each.site, each.row) for each in objects)

    @classmethod
    def gone_of(cls, objects: "Iterable[Kept]") -> Iterator[tuple[str, Row]]:
        """What to tell of many that were deleted, each with its site."""
        return ((each.site, each.gone) for each in objects)

    def faults(self) -> "Iterator[Fault]":
        """All that a single field cannot tell."""
        return iter(())

    def clean(self) -> None:
        """Raises ValidationError with all faults, not only the first."""
        wrong: dict[str, list[str | Promise]] = {}
        for name, what in self.faults():
            wrong.setdefault(name, []).append(what)
        if wrong:
            raise ValidationError(wrong)

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and tell the site's gates."""
        before = type(self)._default_manager.filter(pk=self.pk).first() if self.pk is not None else None
        for site in sorted({self.site} if before is None else {self.site, before.site}):
            hold(site)
        super().save(*args, **kwargs)
        if before is not None and (before.site, before.gone) != (self.site, self.gone):
            self.tell(before.site, [before.gone])
        self.tell(self.site, [self.row])

    @transaction.atomic
    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete, and tell the site's gates."""
        hold(self.site)
        deleted = super().delete(*args, **kwargs)
        self.tell(self.site, [self.gone])
        return deleted

    @classmethod
    def tell(cls, site: str, rows: Iterable[Row]) -> None:
        """Bring the site's directory, which is held, up to these that have changed."""
        change(site, rows, office_now())


class Holder(Kept):
    """Somebody who may hold credentials. The name stays at the office."""

    by_itself: ClassVar[bool] = True
    reference = models.CharField(_("reference"), max_length=40, validators=[_REFERENCE])
    name = models.CharField(_("name"), max_length=100, blank=True, help_text=_("stays here: gates are not sent it"))
    pass_type = models.CharField(_("kind"), max_length=16, choices=PASS_TYPES, default=PassType.RESIDENT.value)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True, help_text=_("the last day"))
    registered = models.BooleanField(_("registered"), default=True)
    extended = models.BooleanField(_("needs more time at the door"), default=False)
    sites = models.CharField(
        _("sites"),
        max_length=500,
        blank=True,
        help_text=_("where the cards are good, separated by spaces; empty = everywhere"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("holder"), _("holders")
        ordering: ClassVar = ["site", "reference"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "reference"], name="one_holder")]

    def __str__(self) -> str:
        return f"{self.reference} {self.name}".strip()

    def faults(self) -> Iterator[Fault]:
        """Of a reference, sites and days."""
        if self.reference == NOBODY:
            yield "reference", _("a hyphen alone stands for nobody")
        sites = self.sites.split()
        if not all(_is_site(site) for site in sites):
            yield "sites", SITE.message
        if len(sites) > 64:  # as a gate takes
            yield "sites", _("at most 64")
        yield from _out_of_bounds(self, "valid_from", "valid_until")
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            yield "valid_until", _("lies before the first day")

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.Holder`."""
        value = {
            "pass_type": self.pass_type,
            "valid_from_s": begins_s(self.valid_from),
            "valid_until_s": ends_s(self.valid_until),
            "registered": self.registered,
            "extended": self.extended,
            "sites": self.sites.split(),
        }
        return Row(Table.HOLDER.value, self.reference, _encode(value))


class Card(Kept):
    """A card."""

    by_itself: ClassVar[bool] = True
    uid = models.CharField(_("card number"), max_length=20, validators=[_UID], help_text=_("as the reader gives it"))
    holder = models.ForeignKey(
        Holder, on_delete=models.PROTECT, null=True, blank=True, related_name="cards", verbose_name=_("holder"),
        help_text=_("empty: delivered, and not given out yet"),
    )  # fmt: skip
    lost = models.BooleanField(_("reported lost"), default=False)

    class Meta:
        verbose_name, verbose_name_plural = _("card"), _("cards")
        ordering: ClassVar = ["site", "uid"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "uid"], name="one_card")]

    def __str__(self) -> str:
        return self.uid

    def faults(self) -> Iterator[Fault]:
        """Of another site's holder."""
        yield from _of_another_site(self, self.holder)

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.Card`."""
        holder = NOBODY if self.holder is None else self.holder.reference
        return Row(Table.CARD.value, self.uid, _encode({"holder": holder, "lost": self.lost}))


class Code(Kept):
    """A health code that the office has registered. Its text is not kept."""

    by_itself: ClassVar[bool] = True
    sha256 = models.CharField(_("fingerprint of its text"), max_length=64, editable=False)
    colour = models.CharField(_("colour"), max_length=8, choices=COLOURS)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("holder"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True, help_text=_("the last day"))

    class Meta:
        verbose_name, verbose_name_plural = _("health code"), _("health codes")
        ordering: ClassVar = ["site", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "sha256"], name="one_code")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]}…"

    def faults(self) -> Iterator[Fault]:
        """Of a day, and another site's holder."""
        yield from _out_of_bounds(self, "valid_until")
        yield from _of_another_site(self, self.holder)

    @staticmethod
    def fingerprint(text: str) -> str:
        """How the directory names a code."""
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.Code`."""
        holder = NOBODY if self.holder is None else self.holder.reference
        value = {"health_code": self.colour, "holder": holder, "valid_until_s": ends_s(self.valid_until)}
        return Row(Table.CODE.value, self.sha256, _encode(value))


class RevokedPass(Kept):
    """A pass that is good no longer."""

    by_itself: ClassVar[bool] = True
    pass_id = models.CharField(_("pass id"), max_length=16, validators=[_PASS_ID])
    note = models.CharField(_("why"), max_length=200, blank=True, help_text=_("stays here: gates are not sent it"))

    class Meta:
        verbose_name, verbose_name_plural = _("revoked pass"), _("revoked passes")
        ordering: ClassVar = ["site", "pass_id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "pass_id"], name="one_revoked_pass")]

    def __str__(self) -> str:
        return self.pass_id

    @property
    def row(self) -> Row:
        """The key says it."""
        return Row(Table.REVOKED.value, self.pass_id, b"")


class HolderStatus(Kept):
    """A holder is to stay at home."""

    by_itself: ClassVar[bool] = True
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="statuses", verbose_name=_("holder"))
    until = models.DateField(
        _("until"), null=True, blank=True, help_text=_("the last day; empty = until it is deleted here")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("home observation"), _("home observations")
        ordering: ClassVar = ["site", "holder__reference"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "holder"], name="one_status")]

    def __str__(self) -> str:
        return str(self.holder)

    def faults(self) -> Iterator[Fault]:
        """Of a day, and another site's holder."""
        yield from _out_of_bounds(self, "until")
        yield from _of_another_site(self, self.holder if self.holder_id else None)

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.Status`."""
        value = {"status": "home-observation", "until_s": ends_s(self.until)}
        return Row(Table.STATUS.value, self.holder.reference, _encode(value))


class _ForGates(Kept):
    gate = models.CharField(
        _("gate"), max_length=32, blank=True, validators=[GATE], help_text=_("empty: all gates of the site")
    )

    class Meta:
        abstract = True


class PolicyValue(_ForGates):
    """A value in the place of the one in the gates' files."""

    key = models.CharField(_("key"), max_length=80, validators=[_KEY])
    value = models.CharField(_("value"), max_length=200, help_text=_('as JSON has it: 37.5, true, "guard", ["card"]'))

    class Meta:
        verbose_name, verbose_name_plural = _("policy value"), _("policy values")
        ordering: ClassVar = ["site", "key", "gate"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "gate", "key"], name="one_policy_value")]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"

    def faults(self) -> Iterator[Fault]:
        """Of a key, or of its value."""
        if wrong := wrong_key(self.key):
            yield "key", wrong
        elif wrong := wrong_value(self.key, self.value):
            yield "value", wrong

    @property
    def row(self) -> Row:
        """The value as it is."""
        return Row(Table.POLICY.value, f"{self.gate}/{self.key}" if self.gate else self.key, self.value.encode())


class Wording(Kept):
    """How a phrase is worded at a site."""

    by_itself: ClassVar[bool] = True
    language = models.CharField(_("language"), max_length=2, choices=LANGUAGES)
    phrase = models.CharField(_("phrase"), max_length=40, validators=[_PHRASE])
    text = models.CharField(_("words"), max_length=160)

    class Meta:
        verbose_name, verbose_name_plural = _("wording"), _("wordings")
        ordering: ClassVar = ["site", "phrase", "language"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "language", "phrase"], name="one_wording")]

    def __str__(self) -> str:
        return f"{self.language}/{self.phrase}"

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.Wording`."""
        return Row(Table.PHRASE.value, f"{self.language}/{self.phrase}", _encode({"text": self.text}))


class _Order(models.Model):
    """Who ordered it, and when. An order is never changed: another one takes its place."""

    order = models.CharField(max_length=32, editable=False, unique=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False, verbose_name=_("by")
    )
    at = models.DateTimeField(_("ordered"), editable=False)

    class Meta:
        abstract = True

    def give(self) -> dict[str, object]:
        """Number and time, given once; and what of them stands in the row."""
        self.order = self.order or secrets.token_hex(16)
        self.at = self.at or office_now()
        return {"id": self.order, "by": self.by.get_username()[:64], "at_ms": int(self.at.timestamp() * 1000)}


class ModeOrder(_Order, _ForGates):
    """The mode that gates are to be in."""

    mode = models.CharField(_("mode"), max_length=16, choices=MODES)
    drill = models.BooleanField(_("drill"), default=False)

    class Meta:
        verbose_name, verbose_name_plural = _("mode order"), _("mode orders")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.site}/{self.gate or EVERY_GATE}: {self.mode}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Order it."""
        self.give()
        super().save(*args, **kwargs)

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.ModeOrder`."""
        value = {**self.give(), "mode": self.mode, "drill": self.drill}
        return Row(Table.MODE.value, self.gate or EVERY_GATE, _encode(value))


class CountOrder(_Order, Kept):
    """How many are inside of one gate."""

    gate = models.CharField(_("gate"), max_length=32, validators=[GATE])
    inside = models.PositiveIntegerField(_("people inside"))

    class Meta:
        verbose_name, verbose_name_plural = _("count correction"), _("count corrections")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.gate}: {self.inside}"

    def faults(self) -> Iterator[Fault]:
        """Of more than a gate takes."""
        if self.inside is not None and self.inside > MOST_INSIDE:
            yield "inside", _("at most %(most)d") % {"most": MOST_INSIDE}

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Order it."""
        self.give()
        super().save(*args, **kwargs)

    @property
    def row(self) -> Row:
        """As `sync.contract.directory.CountOrder`."""
        return Row(Table.COUNT.value, self.gate, _encode({**self.give(), "inside": self.inside}))


class SiteGate(Gate):
    """A gate as the directory's pages have it."""

    class Meta:
        proxy = True
        verbose_name, verbose_name_plural = _("gate"), _("gates")


class GateCommand(Order):
    """A command as the directory's pages have it."""

    class Meta:
        proxy = True
        verbose_name, verbose_name_plural = _("command"), _("commands")

    def __str__(self) -> str:
        return f"{self.gate} · {localtime(self.ordered_at):%Y-%m-%d %H:%M:%S}"


class ImportDraft(models.Model):
    """A file that was looked at and is not taken yet."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16)
    site = models.CharField(max_length=32)
    data = models.BinaryField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.site}"


KEPT: Final[Sequence[type[Kept]]] = (Holder, Card, Code, RevokedPass, HolderStatus, PolicyValue, Wording)
"""What is in the directory as long as it is here. Of orders only the last one is."""


def begins_s(day: date | None) -> int:
    """Unix seconds of a day's begin at the office, 0 for none."""
    return 0 if day is None else int(datetime.combine(day, time(), get_default_timezone()).timestamp())


def ends_s(day: date | None) -> int:
    """Unix seconds of a day's end, 0 for none."""
    return 0 if day is None else begins_s(day + timedelta(days=1))


def _is_site(text: str) -> bool:
    try:
        SITE(text)
    except ValidationError:
        return False
    return True


def _out_of_bounds(kept: Kept, *names: str) -> Iterator[Fault]:
    for name in names:
        day = getattr(kept, name)
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            yield name, _("lies before 2000 or after 2999")


def _of_another_site(kept: Kept, holder: Holder | None) -> Iterator[Fault]:
    if holder is not None and holder.site != kept.site:
        yield "holder", _("belongs to another site")
