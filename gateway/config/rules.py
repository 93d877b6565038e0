"""What a single key cannot tell: values that don't go together, devices that a portal needs, files that must be there.

One function a rule, each given the whole draft; a rule is silent about what is wrong already.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from drivers.catalogue import MODELS, Kind
from drivers.errors import DeviceLost
from drivers.model import SIMULATED
from drivers.sound.settings import LoudspeakerSettings
from drivers.sound.sinks import card_of, cards, named_cards
from gateway.config.devices import Devices, claim_key
from gateway.config.lines import KeyPath
from gateway.config.problems import ConfigError, Report
from gateway.config.settings import (
    BrokerConfig,
    ClockKind,
    IdentityConfig,
    JournalConfig,
    PageConfig,
    PostConfig,
    ResolverConfig,
    SimulationConfig,
    TrustConfig,
    VoiceConfig,
)
from gateway.config.tables import nearest, shown
from gateway.config.uses import Use
from gateway.core.policy import AntiPassback, Policy, PortalKind
from gateway.errors import GatewayError
from sync.contract.ed25519 import is_public_key
from sync.contract.records import Direction, Step
from sync.tls import OFFICE_PORT, PORT, TlsFileError, client_context, in_the_clear, server_context

PASSWORD_VARIABLE: Final = "MENSHEN_BROKER_PASSWORD"  # noqa: S105  the variable's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file as far as it could be read."""

    gate: IdentityConfig | None
    journal: JournalConfig | None
    broker: BrokerConfig | None
    post: PostConfig | None
    trust: TrustConfig | None
    voice: VoiceConfig | None
    policy: Policy | None
    devices: Devices
    resolvers: tuple[ResolverConfig, ...]
    page: PageConfig | None
    simulation: SimulationConfig | None

    @property
    def brokers(self) -> Iterator[tuple[KeyPath, BrokerConfig]]:
        """Each with the section it stands in."""
        for section, broker in ((("broker",), self.broker), (("post",), self.post)):
            if broker is not None:
                yield section, broker


Rule = Callable[[Draft, Report], None]
_PORTAL: Final = ("policy", "portal")
_KIND: Final = (*_PORTAL, "kind")


def languages_once(draft: Draft, report: Report) -> None:
    """Nothing is spoken twice."""
    if draft.gate and len(set(draft.gate.languages)) < len(draft.gate.languages):
        report.rule("names a language twice", ("gate", "languages"))


def data_dir_is_a_folder(draft: Draft, report: Report) -> None:
    """A file in its place would only be found when the gate starts."""
    if draft.gate and draft.gate.data_dir.exists() and not draft.gate.data_dir.is_dir():
        report.rule(f"{draft.gate.data_dir} is there and is no folder", ("gate", "data_dir"))


def files_are_there(draft: Draft, report: Report) -> None:
    """Every file and folder that is only read."""
    voice, simulation = draft.voice, draft.simulation
    for section, broker in draft.brokers:
        need_files(section, broker, report)
    if voice:
        _need(report, ("voice", "phrases"), voice.phrases, Path.is_dir)
        _need(report, ("voice", "recordings"), voice.recordings, Path.is_dir)
    if draft.page:
        for name in ("certificate_file", "key_file"):
            _need(report, ("page", name), getattr(draft.page, name), Path.is_file)
    if simulation:
        _need(report, ("simulation", "scenario"), simulation.scenario, Path.is_file)
        _need(report, ("simulation", "cast"), simulation.cast, Path.is_file)


def need_files(section: KeyPath, broker: BrokerConfig, report: Report) -> None:
    """Those of one broker."""
    for name in ("ca_file", "certificate_file", "key_file", "password_file"):
        _need(report, (*section, name), getattr(broker, name), Path.is_file)


def _need(report: Report, path: KeyPath, file: Path | None, is_right: Callable[[Path], bool]) -> None:
    if file is not None and not is_right(file):
        kind = "folder" if is_right is Path.is_dir else "file"
        report.add(path, f"{file} is no {kind}" if file.exists() else f"{file} does not exist")


def never_in_the_clear_by_accident(draft: Draft, report: Report) -> None:
    """Without an authority there is no TLS, and a gate that is meant to have it must not go without."""
    for section, broker in draft.brokers:
        refuse_clear_by_accident(section, broker, report)


def refuse_clear_by_accident(section: KeyPath, broker: BrokerConfig, report: Report) -> None:
    """The same of one broker."""
    ca_file, plaintext = (*section, "ca_file"), (*section, "plaintext")
    if broker.ca_file is None:
        for name in ("certificate_file", "key_file"):
            if getattr(broker, name) is not None:
                report.rule("is of no use without ca_file: only that turns TLS on", (*section, name), ca_file)
        wrong = in_the_clear(broker.host, broker.tcp_port)
        if wrong and not broker.plaintext:
            text = f"{wrong}: name the authority in ca_file; or, if this is meant, write plaintext = true"
            report.rule(text, (*section, "port" if broker.port in (PORT, OFFICE_PORT) else "host"), ca_file, plaintext)
    elif broker.plaintext:
        report.rule("there is a ca_file too, which turns TLS on: one of the two", plaintext, ca_file)


def tls_files_can_be_used(draft: Draft, report: Report) -> None:
    """TLS would refuse them only when the gate connects."""
    for section, broker in draft.brokers:
        refuse_unusable_files(section, broker, report)


def refuse_unusable_files(section: KeyPath, broker: BrokerConfig, report: Report) -> None:
    """The same of one broker."""
    if broker.tls is None:
        return
    paths: dict[str, KeyPath] = {name: (*section, name) for name in ("ca_file", "certificate_file", "key_file")}
    try:
        client_context(broker.tls)
    except TlsFileError as error:
        report.rule(str(error), paths[error.key], *paths.values())


def certificate_is_this_gates(draft: Draft, report: Report) -> None:
    """The broker takes the gate's name from it, and would silently drop all that comes under another."""
    for section, broker in draft.brokers if draft.gate else ():
        if draft.gate and broker.certificate_file is not None and broker.certificate_file.is_file():
            _refuse_others_certificate(draft.gate.id, section, broker.certificate_file, report)


def _refuse_others_certificate(gate: str, section: KeyPath, file: Path, report: Report) -> None:
    from cryptography import x509

    try:
        subject = x509.load_pem_x509_certificate(file.read_bytes()).subject
    except (OSError, ValueError, TypeError):
        return  # TLS has found it unusable, too
    names = [str(each.value) for each in subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    if names != [gate]:
        text = f"{file} is for {shown(', '.join(names))}, and this gate is {gate}: each gate has one of its own"
        report.rule(text, (*section, "certificate_file"), ("gate", "id"))


def page_is_not_in_the_clear(draft: Draft, report: Report) -> None:
    """A PIN and a cookie that anybody on the way can read are everybody's."""
    page = draft.page
    if page is None:
        return
    if page.plaintext:
        if page.host != "127.0.0.1":
            report.rule(
                f'without TLS anybody on the network could read the guards\' PINs, so only host = "127.0.0.1" is allowed; it is {page.host}',
                ("page", "plaintext"),
                ("page", "host"),
            )
        for name in ("certificate_file", "key_file"):
            if getattr(page, name) is not None:
                report.rule("is of no use with plaintext = true: one of the two", ("page", name), ("page", "plaintext"))
    elif draft.broker is not None and None in page.certificate(draft.broker):
        report.rule(
            "the page needs a certificate and its key: name them in certificate_file and key_file",
            ("page", "certificate_file"),
            ("page", "key_file"),
            ("page", "host"),
        )


def page_certificate_can_be_used(draft: Draft, report: Report) -> None:
    """A browser would refuse it, and nobody at the gate knows why."""
    if draft.page is None or draft.broker is None:
        return
    certificate, key = draft.page.certificate(draft.broker)
    if certificate is None or key is None or not (certificate.is_file() and key.is_file()):
        return
    at: dict[str, KeyPath] = {name: ("page", name) for name in ("certificate_file", "key_file", "host")}
    try:
        server_context(certificate, key)
    except TlsFileError as error:
        report.rule(str(error), at[error.key], *at.values())
        return
    from cryptography import x509

    try:
        uses = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions.get_extension_for_class(
            x509.ExtendedKeyUsage
        )
    except x509.ExtensionNotFound:
        return  # good for anything
    if x509.oid.ExtendedKeyUsageOID.SERVER_AUTH not in uses.value:
        text = f"{certificate} is good for a client alone, and browsers refuse it: the page needs one that is good for a server"
        report.rule(text, at["certificate_file"], at["host"])


def password_has_a_user(draft: Draft, report: Report) -> None:
    """MQTT 3.1.1, section 3.1.2.9: no password without a user name."""
    for section, broker in draft.brokers:
        if broker.password is not None and broker.username is None:
            report.rule("there is a password and no username", (*section, "username"), (*section, "password_file"))


def keys_are_keys(draft: Draft, report: Report) -> None:
    """A mistyped key, or a placeholder that would let anybody sign for the office."""
    _refuse_no_keys(draft.trust.office_keys if draft.trust else (), ("trust", "office_keys"), report)
    _refuse_no_keys(draft.post.keys if draft.post else (), ("post", "keys"), report)


def _refuse_no_keys(keys: Sequence[str], section: KeyPath, report: Report) -> None:
    for at, key in enumerate(keys):
        path: KeyPath = (*section, at)
        if not is_public_key(bytes.fromhex(key)):
            report.rule("is no Ed25519 public key: mistyped, or a placeholder", path)
        elif key.lower() in (other.lower() for other in keys[:at]):
            report.rule("is there twice", path)


def post_is_apart(draft: Draft, report: Report) -> None:
    """From the office: its broker is another one (two links under a gate's one name put each other out), and its key may do less."""
    if draft.post is None:
        return
    if draft.broker and (draft.post.host, draft.post.tcp_port) == (draft.broker.host, draft.broker.tcp_port):
        text = "is the broker of [broker]: the post needs one that works without the office, best at the site itself"
        report.rule(text, ("post", "host"), ("broker", "host"), ("post", "port"), ("broker", "port"))
    office = {key.lower() for key in draft.trust.office_keys} if draft.trust else set()
    for at, key in enumerate(draft.post.keys):
        if key.lower() in office:
            text = "is the office's key too, and a post may only acknowledge: make it one of its own (menshen post key)"
            report.rule(text, ("post", "keys", at))


def post_can_be_heard(draft: Draft, report: Report) -> None:
    """Else its loss would be an alarm that is never raised."""
    is_there = bool(report.line(("post",)))  # right or wrong
    if not is_there and draft.policy is not None and draft.policy.alarms.post:
        text = "a guard post is said to be there, and no section [post] says where it hears this gate"
        report.rule(text, ("policy", "alarms", "post"), ("post",))


def zone_is_known(draft: Draft, report: Report) -> None:
    """The night watch needs it."""
    if draft.policy is None:
        return
    zone = draft.policy.timezone
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, LookupError):  # ZoneInfo raises each of them for names that are none
        near = nearest(zone, sorted(available_timezones()))
        hint = f"; did you mean {near}?" if near else ""
        report.rule(
            f"{shown(zone)} is no time zone of the IANA list, such as Asia/Shanghai{hint}", ("policy", "timezone")
        )


@dataclass(frozen=True, slots=True)
class Order:
    """Two keys of one section of the policy, the first below the second."""

    section: str
    low: str
    high: str


_ORDERS: Final = (
    Order("portal", "pre_alarm_after_s", "held_open_s"),
    Order("temperature", "lowest_c", "too_cold_c"),
    Order("temperature", "too_cold_c", "threshold_c"),
    Order("temperature", "threshold_c", "highest_c"),
    Order("temperature", "ambient_lowest_c", "ambient_highest_c"),
    Order("certificates", "vaccination_from_days", "vaccination_max_days"),
    Order("certificates", "recovery_from_days", "recovery_max_days"),
)


def numbers_are_in_order(draft: Draft, report: Report) -> None:
    """Limits that only make sense one below the other."""
    for order in _ORDERS if draft.policy else ():
        section = getattr(draft.policy, order.section)
        low, high = getattr(section, order.low), getattr(section, order.high)
        if low >= high:
            path: KeyPath = ("policy", order.section)
            report.rule(
                f"{low:g} must be below {order.high}, which is {high:g}", (*path, order.low), (*path, order.high)
            )


def night_has_a_length(draft: Draft, report: Report) -> None:
    """The same time twice could mean never or always."""
    if draft.policy and draft.policy.night.begins == draft.policy.night.ends:
        path: KeyPath = ("policy", "night")
        text = "begins and ends at the same time: is it never night, or always? Always is 00:00 to 23:59"
        report.rule(text, (*path, "begins"), (*path, "ends"))


def hours_have_a_length(draft: Draft, report: Report) -> None:
    """What begins when it ends is never: a night's lockdown that nobody has, or a guard who is never asked."""
    policy = draft.policy
    if policy is None:
        return
    sections: list[tuple[KeyPath, str, str]] = [
        (("policy", section, name), hours.begins, hours.ends)
        for section in ("rules", "schedules")
        for name, hours in getattr(policy, section).items()
    ]
    if policy.watch.every_min:
        sections.append((("policy", "watch"), policy.watch.begins, policy.watch.ends))
    for path, begins, ends in sections:
        if begins == ends:
            text = "begins and ends at the same time, which is never; the whole day is 00:00 to 24:00"
            report.rule(text, (*path, "begins"), (*path, "ends"))


def way_out_is_free(draft: Draft, report: Report) -> None:
    """Life safety outranks security: an escape route never asks for a credential on the way out (GB 50396, 9.0.1)."""
    portal = draft.policy.portal if draft.policy else None
    path: KeyPath = (*_PORTAL, "exit_needs_credential")
    if portal is None or not portal.exit_needs_credential:
        return
    if portal.escape_route:
        text = "people must be able to flee through an escape route without a credential; set it to false, or escape_route "
        report.rule(text + "to false where this is no way to flee", path, (*_PORTAL, "escape_route"))
    if portal.kind is not PortalKind.DOOR:
        report.rule(f"only a door can ask for one, and this portal is {portal.kind}", path, _KIND)


def sealed_is_no_way_out(draft: Draft, report: Report) -> None:
    """What lets nobody through cannot be what people flee by; whether they may have to is for the site to say."""
    portal = draft.policy.portal if draft.policy else None
    if portal is not None and portal.kind is PortalKind.SEALED and portal.escape_route:
        text = "a sealed entrance lets nobody out but in a fire: set escape_route to false, or kind to door where people may have to flee"
        report.rule(text, _KIND, (*_PORTAL, "escape_route"))


def way_out_asks_little(draft: Draft, report: Report) -> None:
    """Nor does an escape route ask for anything else on the way out."""
    if draft.policy is None or not draft.policy.portal.escape_route:
        return
    for name, rule in draft.policy.rules.items():
        if rule.direction is Direction.EXIT and set(rule.steps) - {Step.CREDENTIAL}:
            text = "people must be able to flee through an escape route: ask for nothing there, or set escape_route to false"
            report.rule(text, ("policy", "rules", name, "steps"), (*_PORTAL, "escape_route"))


def alarms_rise_in_order(draft: Draft, report: Report) -> None:
    """The leader is not told before the duty room."""
    alarms = draft.policy.alarms if draft.policy else None
    names = ("louder_after_s", "duty_room_after_s", "leader_after_s")
    used = [(name, getattr(alarms, name)) for name in names if alarms and getattr(alarms, name)]
    for (low, low_s), (high, high_s) in pairwise(used):
        if low_s >= high_s:
            path: KeyPath = ("policy", "alarms")
            report.rule(f"{low_s:g} must be below {high}, which is {high_s:g}", (*path, low), (*path, high))


def slogans_are_known(draft: Draft, report: Report) -> None:
    """Each is in a phrase pack that this gate speaks."""
    if not (draft.gate and draft.voice and draft.policy and draft.policy.prompter.slogans):
        return
    from gateway.voice.packs import SHIPPED, load_packs

    try:
        packs = load_packs(draft.voice.phrases or SHIPPED, draft.gate.languages)
    except ConfigError:
        return  # what is wrong with them is told by another rule
    known = {slogan for lang in draft.gate.languages for slogan in packs.slogans(lang)}
    for at, slogan in enumerate(draft.policy.prompter.slogans):
        if slogan not in known:
            near = nearest(slogan, sorted(known))
            hint = f"; did you mean {near}?" if near else ""
            report.rule(f"no phrase pack has {slogan}{hint}", ("policy", "prompter", "slogans", at))


def no_step_twice(draft: Draft, report: Report) -> None:
    """Each step is asked once."""
    for holder in ("resident", "tenant", "returnee", "visitor") if draft.policy else ():
        steps = getattr(draft.policy.steps, holder) if draft.policy else ()
        if len(set(steps)) < len(steps):
            report.rule("names a step twice", ("policy", "steps", holder))
    for name, rule in draft.policy.rules.items() if draft.policy else ():
        if len(set(rule.steps)) < len(rule.steps):
            report.rule("names a step twice", ("policy", "rules", name, "steps"))


def lanes_are_readers(draft: Draft, report: Report) -> None:
    """A rule for a reader that there is not would ask nothing of anybody."""
    if draft.policy is None or draft.devices.uses is None:
        return
    readers = [config.name for config in draft.devices.configs if config.use in _READERS]
    for name, rule in draft.policy.rules.items():
        for at, lane in enumerate(rule.lanes):
            if lane not in readers:
                near = nearest(lane, readers)
                hint = f"; did you mean {near}?" if near else ""
                report.rule(f"no reader or camera here is named {lane}{hint}", ("policy", "rules", name, "lanes", at))


def portal_has_its_devices(draft: Draft, report: Report) -> None:
    """What each kind of portal cannot do without."""
    policy, uses = draft.policy, draft.devices.uses
    if policy is None or uses is None:
        return
    for need in _NEEDS:
        if need.when(policy) and uses.isdisjoint(need.one_of):
            wanted = " or ".join(f'"{use}"' for use in need.one_of)
            report.rule(f"{need.because}; no device has use = {wanted}", need.path)
    if policy.portal.kind is PortalKind.OPEN and Use.LOCK in uses:
        report.rule('an open portal has no lock, and a device has use = "lock"', _KIND)


def nobody_is_counted_twice(draft: Draft, report: Report) -> None:
    """A single beam and a pair in one passage would each count whoever passes."""
    by_use = {config.use: config.name for config in draft.devices.configs}
    if {Use.BEAM, Use.BEAM_PAIR} <= by_use.keys():
        text = f"[devices.{by_use[Use.BEAM]}] counts the same people; a passage has one beam, or a pair"
        report.rule(text, ("devices", by_use[Use.BEAM_PAIR], "use"), ("devices", by_use[Use.BEAM], "use"))


@dataclass(frozen=True, slots=True)
class Need:
    """`when` the policy is so, one of these uses must be there."""

    when: Callable[[Policy], bool]
    one_of: tuple[Use, ...]
    because: str
    path: KeyPath


def _is(*kinds: PortalKind) -> Callable[[Policy], bool]:
    return lambda policy: policy.portal.kind in kinds


def _asks(step: Step) -> Callable[[Policy], bool]:
    def asks(policy: Policy) -> bool:
        steps = policy.steps
        asked = {*steps.resident, *steps.tenant, *steps.returnee, *steps.visitor}
        asked |= {step for rule in policy.rules.values() for step in rule.steps}
        return step in asked and policy.portal.kind is not PortalKind.SEALED

    return asks


def _exit_by_button(policy: Policy) -> bool:
    return policy.portal.kind is PortalKind.DOOR and not policy.portal.exit_needs_credential


_READERS: Final = (Use.ENTRY_READER, Use.ENTRY_CAMERA, Use.EXIT_READER, Use.EXIT_CAMERA)
_NEEDS: Final = (
    Need(_is(PortalKind.DOOR), (Use.LOCK,), "a door needs its lock", _KIND),
    Need(_is(PortalKind.DOOR, PortalKind.SEALED), (Use.DOOR_CONTACT,), "whether it is open must be known", _KIND),
    Need(_is(PortalKind.OPEN), (Use.BEAM, Use.BEAM_PAIR), "who passes an open portal must be seen", _KIND),
    Need(_exit_by_button, (Use.EXIT_BUTTON,), "people must get out, and not be taken for a forced door", _KIND),
    Need(
        lambda policy: policy.portal.exit_needs_credential,
        (Use.EXIT_READER, Use.EXIT_CAMERA),
        "a credential is asked for on the way out",
        (*_PORTAL, "exit_needs_credential"),
    ),
    Need(
        lambda policy: policy.portal.anti_passback in (AntiPassback.SOFT, AntiPassback.HARD),
        (Use.EXIT_READER, Use.EXIT_CAMERA),
        "who came in must be seen going out, or is taken for inside for good; timed needs no reader there",
        (*_PORTAL, "anti_passback"),
    ),
    Need(
        lambda policy: policy.visit.presence_sensor,
        (Use.PRESENCE,),
        "a presence sensor is said to be there; without one, set it to false",
        ("policy", "visit", "presence_sensor"),
    ),
    Need(
        _asks(Step.CREDENTIAL),
        (Use.ENTRY_READER, Use.ENTRY_CAMERA),
        "a credential is asked for",
        ("policy", "steps"),
    ),
    Need(_asks(Step.TEMPERATURE), (Use.THERMOMETER,), "a temperature is asked for", ("policy", "steps")),
)
# No camera is needed for the health code: a guard may look at it. What no device can read goes to the guard.


def sound_card_has_a_name(draft: Draft, report: Report) -> None:
    """A card's number is another when the next one is plugged in first (hardware notes, section 6: HDMI may be card 0)."""
    for config in draft.devices.configs:
        if isinstance(config.settings, LoudspeakerSettings) and card_of(config.settings.device).isdigit():
            text = f"names a sound card by its number, which may be another's after the next start; by name there are: {_cards()}"
            report.rule(text, ("devices", config.name, "device"))


def _cards() -> str:
    try:
        return named_cards(cards())
    except DeviceLost as lost:
        return f"unknown ({lost})"


def answers_come_in_time(draft: Draft, report: Report) -> None:
    """An answer that comes later is about a reading that no longer counts."""
    limit = draft.policy.visit.reading_valid_s if draft.policy else 0
    for resolver in draft.resolvers if draft.policy else ():
        if resolver.timeout_s >= limit:
            text = f"{resolver.timeout_s:g} must be below reading_valid_s of [policy.visit], which is {limit:g}"
            report.rule(text, ("resolvers", resolver.name, "timeout_s"), ("policy", "visit", "reading_valid_s"))


def uart_pins_are_free(draft: Draft, report: Report) -> None:
    """Pins 14 and 15 of a Pi are its serial port (hardware notes, section 4)."""
    claims = {claim for config in draft.devices.configs for claim in MODELS[config.model].claims(config.settings)}
    port = next((claim for claim in sorted(claims) if re.fullmatch(r"port /dev/(serial0|ttyAMA0|ttyS0)", claim)), None)
    for config in draft.devices.configs if port else ():
        taken = [claim for claim in MODELS[config.model].claims(config.settings) if claim in ("pin 14", "pin 15")]
        if taken:
            text = f"pins 14 and 15 are the serial port's own, and {port} is in use"
            report.rule(text, ("devices", config.name, claim_key(config, taken[0])))


def scripted_clock_is_for_simulators(draft: Draft, report: Report) -> None:
    """A real gate's records never bear a scripted time."""
    if draft.simulation is None or draft.simulation.clock is not ClockKind.SCRIPTED:
        return
    real = [
        config.name
        for config in draft.devices.configs
        if not config.model.startswith(SIMULATED) and MODELS[config.model].kind not in (Kind.SPEAKER, Kind.CODE_SCANNER)
    ]
    if real:
        text = f"a scripted clock is for simulated devices, and these are real: {', '.join(real)}"
        report.rule(text, ("simulation", "clock"))


def scenario_can_be_played(draft: Draft, report: Report) -> None:
    """The script and the people's belongings fit."""
    if draft.simulation is None or not (draft.simulation.scenario.is_file() and draft.simulation.cast.is_file()):
        return
    from gateway.simulation.scenario import load_cast, load_scenario, misfits

    try:
        cast = load_cast(draft.simulation.cast)
        scenario = load_scenario(draft.simulation.scenario, cast)
    except GatewayError as error:
        report.rule(str(error), ("simulation", "scenario"))
        return
    simulated = [each for each in draft.devices.configs if each.model.startswith(SIMULATED)]
    first = {each.use.value: each for each in reversed(simulated)}  # the one that the stage gives to the people
    for use, wrong in misfits(scenario, cast, {use: MODELS[each.model].takes for use, each in first.items()}):
        device = first[use]
        text = f"{draft.simulation.cast}: does not fit [devices.{device.name}], a {device.model}. {draft.simulation.scenario}: {wrong}"
        report.rule(text, ("simulation", "cast"))


def phrases_are_whole(draft: Draft, report: Report) -> None:
    """One's own phrase packs."""
    if draft.gate is None or draft.voice is None or draft.voice.phrases is None or not draft.voice.phrases.is_dir():
        return
    from gateway.voice.packs import load_packs

    try:
        load_packs(draft.voice.phrases, tuple(draft.gate.languages))
    except ConfigError as error:
        for problem in error.problems:
            report.rule(str(problem), ("voice", "phrases"))


POLICY_RULES: Final[tuple[Rule, ...]] = (
    zone_is_known,
    numbers_are_in_order,
    night_has_a_length,
    hours_have_a_length,
    way_out_is_free,
    sealed_is_no_way_out,
    way_out_asks_little,
    alarms_rise_in_order,
    no_step_twice,
)
"""Those that look at the policy alone."""
RULES: Final[tuple[Rule, ...]] = (
    languages_once,
    data_dir_is_a_folder,
    files_are_there,
    never_in_the_clear_by_accident,
    tls_files_can_be_used,
    certificate_is_this_gates,
    page_is_not_in_the_clear,
    page_certificate_can_be_used,
    password_has_a_user,
    keys_are_keys,
    post_is_apart,
    post_can_be_heard,
    *POLICY_RULES,
    slogans_are_known,
    portal_has_its_devices,
    lanes_are_readers,
    nobody_is_counted_twice,
    sound_card_has_a_name,
    answers_come_in_time,
    uart_pins_are_free,
    scripted_clock_is_for_simulators,
    scenario_can_be_played,
    phrases_are_whole,
)
