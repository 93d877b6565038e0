"""What single keys cannot tell."""

import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.config import load
from tests.certificates import Authority
from tests.gateway.config.files import devices, problem, problems, sections

OPEN = {"beam": ("simulated-input", "beam", 19)}


@pytest.mark.parametrize("kind", ["door", "open", "sealed"])
def test_each_kind_of_portal_can_be_right(tmp_path: Path, kind: str) -> None:
    portal = sections(portal=f'kind = "{kind}"' + ("\nescape_route = false" if kind == "sealed" else ""))
    has = {
        "door": devices(),
        "open": devices("lock", "contact", **OPEN),
        "sealed": devices("lock", "reader", "camera", "thermometer", "button"),
    }
    assert problems(tmp_path, portal + has[kind]) == []


@pytest.mark.parametrize(
    ("kind", "without", "key", "wanted"),
    [
        ("door", ("lock",), "policy.portal.kind", '"lock"'),
        ("door", ("contact",), "policy.portal.kind", '"door-contact"'),
        ("door", ("button",), "policy.portal.kind", '"exit-button"'),
        ("door", ("presence",), "policy.visit.presence_sensor", '"presence"'),
        ("door", ("thermometer",), "policy.steps", '"thermometer"'),
        ("door", ("reader", "camera"), "policy.steps", '"entry-reader" or "entry-camera"'),
        ("open", ("lock", "contact"), "policy.portal.kind", '"beam" or "beam-pair"'),
        ("sealed", ("lock", "contact"), "policy.portal.kind", '"door-contact"'),
    ],
)
def test_what_a_portal_cannot_do_without(
    tmp_path: Path, kind: str, without: tuple[str, ...], key: str, wanted: str
) -> None:
    escape = "\nescape_route = false" if kind == "sealed" else ""
    found, words = problem(tmp_path, sections(portal=f'kind = "{kind}"{escape}') + devices(*without))
    assert found == key
    assert f"no device has use = {wanted}" in words


def test_a_sealed_entrance_is_no_escape_route(tmp_path: Path) -> None:
    found, words = problem(tmp_path, sections(portal='kind = "sealed"') + devices())
    assert found == "policy.portal.kind" and "set escape_route to false" in words


def test_what_may_be_missing(tmp_path: Path) -> None:
    assert problems(tmp_path, sections(visit="presence_sensor = false") + devices("presence")) == []
    assert problems(tmp_path, sections() + devices("camera")) == []
    steps = "\n".join(f'{who} = ["credential"]' for who in ("resident", "tenant", "returnee", "visitor"))
    assert problems(tmp_path, sections(steps=steps) + devices("thermometer")) == []


def test_an_open_portal_has_no_lock(tmp_path: Path) -> None:
    key, words = problem(tmp_path, sections(portal='kind = "open"') + devices("contact", **OPEN))
    assert key == "policy.portal.kind"
    assert "has no lock" in words


def test_a_passage_has_one_beam_or_a_pair(tmp_path: Path) -> None:
    portal = sections(portal='kind = "open"')
    pair = '\n[devices.pair]\nmodel = "simulated-beam-pair"\nuse = "beam-pair"\nouter = 24\ninner = 25\n'
    assert problems(tmp_path, portal + devices("lock", "contact") + pair) == []
    key, words = problem(tmp_path, portal + devices("lock", "contact", **OPEN) + pair)
    assert key == "devices.pair.use"
    assert "[devices.beam] counts the same people" in words


MODBUS = 'model = "modbus-thermometer"\nuse = "thermometer"\nport = "/dev/ttyUSB9"\n'


@pytest.mark.parametrize(
    ("places", "key", "words"),
    [
        ("object_register = 40001", "object_register", 'write object_register = 0, and table = "holding". If 40001 is truly'),
        ("object_register = 30019", "object_register", "write object_register = 18. If 30019 is truly"),
        ('table = "holding"\nobject_register = 40019', "object_register", "write object_register = 18. If"),
        ('table = "holding"\nobject_register = 30019', "object_register", 'write object_register = 18, and table = "input"'),
        ("object_register = 0\nambient_register = 30003", "ambient_register", "write ambient_register = 2. If"),
        ("object_register = 0\nstatus_register = 49999", "status_register", "write status_register = 9998, and"),
        ("object_register = 400019", "object_register", "out of range: 0 to 65534. Where the temperature is, counted from 0: a manual's"),
    ],
)  # fmt: skip
def test_a_register_as_a_manual_numbers_it_is_told_with_what_to_write(
    tmp_path: Path, places: str, key: str, words: str
) -> None:
    found, said = problem(tmp_path, sections() + devices("thermometer") + f"[devices.t]\n{MODBUS}{places}\n")
    assert (found, words in said) == (f"devices.t.{key}", True), (found, said)


@pytest.mark.parametrize(
    "places",
    [
        "object_register = 0",
        "object_register = 29999",
        "object_register = 30000",
        "object_register = 40000",
        "object_register = 50001",
        "far = true\nobject_register = 40001\nambient_register = 40003",
    ],
)
def test_an_address_on_the_wire_is_taken_as_it_is(tmp_path: Path, places: str) -> None:
    assert problems(tmp_path, sections() + devices("thermometer") + f"[devices.t]\n{MODBUS}{places}\n") == []


@pytest.mark.parametrize("device", ["hw:0", "plughw:1,0", "plughw:CARD=2,DEV=0"])
def test_a_sound_card_is_named_and_not_numbered(tmp_path: Path, device: str) -> None:
    speaker = f'\n[devices.speaker]\nmodel = "loudspeaker"\nuse = "speaker"\ndevice = "{device}"\n'
    key, words = problem(tmp_path, sections() + devices("speaker") + speaker)
    assert key == "devices.speaker.device"
    assert "by its number" in words and "by name there are:" in words
    by_name = speaker.replace(device, "plughw:CARD=Device,DEV=0")
    assert problems(tmp_path, sections() + devices("speaker") + by_name) == []


def test_a_mistyped_use_makes_nothing_else_missing(tmp_path: Path) -> None:
    text = sections() + devices().replace('"lock"', '"lokc"')
    key, words = problem(tmp_path, text)
    assert key == "devices.lock.use"
    assert words.endswith("did you mean lock?")


def test_an_escape_route_never_asks_on_the_way_out(tmp_path: Path) -> None:
    reader = devices(out=("simulated-rdm6300", "exit-reader"))
    asks = "exit_needs_credential = true\n"
    key, words = problem(tmp_path, sections(portal=asks) + reader)
    assert key == "policy.portal.exit_needs_credential"
    assert "flee" in words
    assert problems(tmp_path, sections(portal=asks + "escape_route = false") + reader) == []
    key, words = problem(tmp_path, sections(portal=asks + "escape_route = false") + devices())
    assert 'no device has use = "exit-reader" or "exit-camera"' in words
    text = sections(portal=asks + 'escape_route = false\nkind = "open"')
    key, words = problem(tmp_path, text + devices("lock", **OPEN, out=("simulated-rdm6300", "exit-reader")))
    assert "only a door can ask" in words


@pytest.mark.parametrize(
    ("section", "lines", "key"),
    [
        ("portal", "held_open_s = 25", "pre_alarm_after_s"),
        ("portal", "pre_alarm_after_s = 30", "pre_alarm_after_s"),
        ("temperature", "threshold_c = 35.0", "too_cold_c"),
        ("temperature", "lowest_c = 34\ntoo_cold_c = 34", "lowest_c"),
        ("temperature", "threshold_c = 41.5\nhighest_c = 41.5", "threshold_c"),
        ("temperature", "ambient_lowest_c = 30\nambient_highest_c = 25", "ambient_lowest_c"),
    ],
)
def test_numbers_in_their_order(tmp_path: Path, section: str, lines: str, key: str) -> None:
    found, words = problem(tmp_path, sections(**{section: lines}) + devices())
    assert found == f"policy.{section}.{key}"
    assert "must be below" in words


def test_a_wrong_number_is_not_compared_too(tmp_path: Path) -> None:
    assert problem(tmp_path, sections(portal='held_open_s = "60s"\npre_alarm_after_s = 55') + devices())[0].endswith(
        "held_open_s"
    )


@pytest.mark.parametrize(
    ("policy", "key"),
    [
        ({"schedules.night": 'begins = "22:00"\nends = "22:00"\nmode = "lockdown"'}, "policy.schedules.night.begins"),
        ({"rules.rush": 'begins = "08:00"\nends = "08:00"\nsteps = ["credential"]'}, "policy.rules.rush.begins"),
        ({"watch": 'begins = "05:00"\nevery_min = 30'}, "policy.watch.begins"),
    ],
)
def test_hours_that_are_never(tmp_path: Path, policy: dict[str, str], key: str) -> None:
    found, words = problem(tmp_path, sections(**policy) + devices())
    assert found == key and "which is never; the whole day is 00:00 to 24:00" in words
    assert problems(tmp_path, sections(watch='begins = "05:00"') + devices()) == [], "nobody is asked anyway"


def test_a_rule_for_a_reader_that_there_is_not(tmp_path: Path) -> None:
    rule = 'lanes = ["reader", "camrea"]\nsteps = ["credential", "temperature", "health-code"]'
    key, words = problem(tmp_path, sections(**{"rules.cars": rule}) + devices())
    assert (
        key == "policy.rules.cars.lanes[1]"
        and "no reader or camera here is named camrea; did you mean camera?" in words
    )
    assert problems(tmp_path, sections(**{"rules.cars": rule.replace("camrea", "camera")}) + devices()) == []


@pytest.mark.parametrize("kind", ["soft", "hard", "timed"])
def test_anti_passback_must_see_who_goes_out(tmp_path: Path, kind: str) -> None:
    text = sections(portal=f'anti_passback = "{kind}"')
    assert problems(tmp_path, text + devices(out=("simulated-rdm6300", "exit-reader"))) == []
    found = problems(tmp_path, text + devices())
    assert [each.key for each in found] == ([] if kind == "timed" else ["policy.portal.anti_passback"])


def test_the_night(tmp_path: Path) -> None:
    key, words = problem(tmp_path, sections(night='begins = "06:00"') + devices())
    assert key == "policy.night.begins"
    assert "same time" in words
    key, words = problem(tmp_path, sections(night='ends = "6:00"') + devices())
    assert key == "policy.night.ends"
    assert "HH:MM" in words


@pytest.mark.parametrize(
    "zone", ["Asia/Shangai", "", "../../etc/passwd", "/etc/localtime", "Asia", "x" * 300, "a\\u0000b"]
)
def test_time_zones(tmp_path: Path, zone: str) -> None:
    key, words = problem(tmp_path, f'[policy]\ntimezone = "{zone}"\n' + sections() + devices())
    assert key == "policy.timezone"
    assert "Asia/Shanghai" in words


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("00" * 32, "placeholder"),
        ("00" * 31, "64 hexadecimal digits"),
        ("zz" * 32, "64 hexadecimal digits"),
        ("f" * 64, "mistyped"),
    ],
)
def test_office_keys(tmp_path: Path, key: str, words: str) -> None:
    good = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    text = sections() + devices() + f'[trust]\noffice_keys = [\n  "{good}",\n  "{key}",\n]\n'
    (found,) = problems(tmp_path, text)
    assert (found.key, words in found.text) == ("trust.office_keys[1]", True), found
    assert text.splitlines()[found.line - 1] == f'  "{key}",'
    twice = text.replace(key, good.upper())
    assert problem(tmp_path, twice) == ("trust.office_keys[1]", "is there twice")


@pytest.mark.parametrize(
    ("section", "line", "key"),
    [
        ("gate", 'data_dir = "gate.toml"', "gate.data_dir"),
        ("broker", 'ca_file = "nothing.pem"', "broker.ca_file"),
        ("broker", 'ca_file = "gate.toml"', "broker.ca_file"),
        ("broker", 'ca_file = "authority.pem"\ncertificate_file = "nothing.pem"', "broker.certificate_file"),
        ("broker", 'ca_file = "authority.pem"\nkey_file = "nothing.key"', "broker.key_file"),
        ("broker", 'password_file = "nothing"', "broker.password_file"),
        ("voice", 'phrases = "nothing"', "voice.phrases"),
        ("voice", 'recordings = "gate.toml"', "voice.recordings"),
    ],
)
def test_files_that_are_not_there_or_not_what_they_should_be(tmp_path: Path, section: str, line: str, key: str) -> None:
    Authority(tmp_path)
    base = sections().replace('data_dir = "data"\n', "") if section == "gate" else sections()
    text = (
        base.replace(f"[{section}]\n", f"[{section}]\n{line}\n")
        if section in ("gate", "broker")
        else f"{base}[{section}]\n{line}\n"
    )
    found, _ = problem(tmp_path, text + devices())
    assert found == key


def broker(*lines: str, host: str = "mqtt.example") -> str:
    """A whole file, its broker with these lines."""
    return (
        sections().replace('host = "127.0.0.1"\n', "".join(f"{line}\n" for line in (f'host = "{host}"', *lines)))
        + devices()
    )


@pytest.mark.parametrize(
    ("host", "lines", "key", "words"),
    [
        ("mqtt.example", [], "broker.host", "without TLS anybody on the way to mqtt.example"),
        ("192.0.2.7", ["port = 1883"], "broker.host", "write plaintext = true"),
        ("mqtt.example", ["port = 8883"], "broker.port", "8883 is the port of MQTT over TLS"),
        ("127.0.0.1", ["port = 8883"], "broker.port", "name the authority in ca_file"),
        ("127.0.0.1", ['certificate_file = "gate.toml"'], "broker.certificate_file", "of no use without ca_file"),
        ("127.0.0.1", ['key_file = "gate.toml"'], "broker.key_file", "of no use without ca_file"),
    ],
)
def test_nothing_goes_in_the_clear_by_accident(
    tmp_path: Path, host: str, lines: list[str], key: str, words: str
) -> None:
    text = broker(*lines, host=host)
    found, said = problem(tmp_path, text)
    assert (found, words in said) == (key, True), said
    if key in ("broker.host", "broker.port"):
        assert problems(tmp_path, broker(*lines, "plaintext = true", host=host)) == []


def test_a_password_goes_in_the_clear_to_this_machine_alone(tmp_path: Path) -> None:
    user = 'username = "g-1"'
    assert problems(tmp_path, broker(user, host="::1"), MENSHEN_BROKER_PASSWORD="x") == []
    assert problem(tmp_path, broker(user), MENSHEN_BROKER_PASSWORD="x")[0] == "broker.host"


def test_certificates_for_the_broker(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("g-1"), authority.issue("g-2"), authority.issue("locked", password=b"p")
    tls = 'ca_file = "authority.pem"'

    def shows(certificate: str, key: str) -> list[str]:
        lines = (tls, f'certificate_file = "{certificate}.pem"', f'key_file = "{key}.key"')
        return [f"{each.key}: {each.text}" for each in problems(tmp_path, broker(*lines))]

    assert problems(tmp_path, broker(tls)) == shows("g-1", "g-1") == []
    (mixed,) = shows("g-1", "g-2")
    assert re.match(r"broker.certificate_file: .*g-1.pem and its key cannot be used together", mixed)
    (others,) = shows("g-2", "g-2")
    assert re.match(r"broker.certificate_file: .*g-2.pem is for 'g-2', and this gate is g-1", others)
    (tmp_path / "g-1.key").chmod(0o644)
    (open_to_all,) = shows("g-1", "g-1")
    assert re.match(r"broker.key_file: .*g-1.key can be read or changed by others \(mode 0644\)", open_to_all)
    assert problem(tmp_path, broker(tls, 'key_file = "g-2.key"'))[0] == "broker.key_file"
    assert problem(tmp_path, broker(tls, "plaintext = true"))[0] == "broker.plaintext"
    encrypted = (
        sections()
        .replace('id = "g-1"', 'id = "locked"')
        .replace('host = "127.0.0.1"', f'host = "h"\n{tls}\ncertificate_file = "locked.pem"\nkey_file = "locked.key"')
    )
    assert "cannot be used together" in problem(tmp_path, encrypted + devices())[1]


def test_the_port_follows_from_tls(tmp_path: Path) -> None:
    Authority(tmp_path)
    for lines, port in (
        ([], 1883),
        (["port = 1999"], 1999),
        (['ca_file = "authority.pem"'], 8883),
        (['ca_file = "authority.pem"', "port = 1883"], 1883),
    ):
        assert problems(tmp_path, broker(*lines, host="127.0.0.1")) == []
        config = load(tmp_path / "gate.toml", {}).broker
        assert (config.tcp_port, config.tls is not None) == (port, len(lines) > 0 and "ca_file" in lines[0])


def test_a_password_without_a_user(tmp_path: Path) -> None:
    key, words = problem(tmp_path, sections() + devices(), MENSHEN_BROKER_PASSWORD="x")
    assert key == "broker.username"
    assert "no username" in words


def test_doubles(tmp_path: Path) -> None:
    text = sections() + devices(second=("simulated-output", "lock", 18))
    (found,) = problems(tmp_path, text)
    assert found.key == "devices.second.use"
    line = text.splitlines().index("[devices.lock]") + 1
    assert found.text == f"a gate has one lock, and that is [devices.lock] (line {line + 2})"
    several = devices(second=("simulated-rdm6300", "entry-reader"), third=("simulated-input", "exit-button", 18))
    assert problems(tmp_path, sections() + several) == []
    assert (
        problem(tmp_path, sections().replace("data_dir", 'languages = ["zh", "zh"]\ndata_dir') + devices())[0]
        == "gate.languages"
    )
    assert (
        problem(tmp_path, sections(steps='tenant = ["credential", "credential"]') + devices())[0]
        == "policy.steps.tenant"
    )


def test_two_devices_on_one_pin(tmp_path: Path) -> None:
    text = sections() + devices(second=("gpio-input", "fire", 17))
    (found,) = problems(tmp_path, text)
    line = text.splitlines().index("[devices.lock]") + 1
    assert (found.key, found.text) == ("devices.second.pin", f"pin 17 is taken by [devices.lock] (line {line})")
    assert text.splitlines()[found.line - 1] == "pin = 17"


def test_two_devices_on_one_port_also_by_another_name(tmp_path: Path) -> None:
    port = Path(f"/dev/..{tmp_path}/ttyUSB0")  # as a port must be, and yet in a folder of the test's own
    port.touch()
    link = tmp_path / "by-id"
    link.symlink_to(port)
    for second in (port, Path(f"/dev/..{link}")):
        text = sections() + devices("reader", "thermometer")
        text += f'[devices.t]\nmodel = "gy-mcu90615"\nuse = "thermometer"\nport = "{port}"\n'
        text += f'[devices.r]\nmodel = "rdm6300"\nuse = "entry-reader"\nport = "{second}"\n'
        key, words = problem(tmp_path, text)
        assert key == "devices.r.port"
        assert "is taken by [devices.t]" in words


@pytest.mark.parametrize("pin", [0, 1, 28, 40, -2])
def test_impossible_pins(tmp_path: Path, pin: int) -> None:
    key, words = problem(tmp_path, sections() + devices(x=("gpio-input", "fire", pin)))
    assert key == "devices.x.pin"
    assert "2 to 27" in words


def test_the_serial_ports_own_pins(tmp_path: Path) -> None:
    text = (
        sections() + devices("reader") + '[devices.r]\nmodel = "rdm6300"\nuse = "entry-reader"\nport = "/dev/serial0"\n'
    )
    fire = '[devices.x]\nmodel = "gpio-input"\nuse = "fire"\npin = 14\n'
    wiegand = '[devices.x]\nmodel = "wiegand"\nuse = "entry-reader"\nd0 = 20\nd1 = 15\n'
    for device, expected in ((fire, "devices.x.pin"), (wiegand, "devices.x.d1")):
        key, words = problem(tmp_path, text + device)
        assert key == expected
        assert "serial port" in words


def test_two_lines_of_one_reader_on_one_pin(tmp_path: Path) -> None:
    text = sections() + devices("reader") + '[devices.w]\nmodel = "wiegand"\nuse = "entry-reader"\nd0 = 20\nd1 = 20\n'
    key, words = problem(tmp_path, text)
    assert key == "devices.w.d1"
    assert "pin 20 is taken by [devices.w]" in words


@pytest.mark.parametrize(
    ("device", "key", "words"),
    [
        (
            'model = "rdm6300"\nuse = "lock"\nport = "/dev/x"',
            "devices.x.use",
            "a rdm6300 is no lock; it can be: entry-reader",
        ),
        ('model = "rdm630"\nuse = "exit-reader"', "devices.x.model", "did you mean rdm6300?"),
        ('model = 5\nuse = "exit-reader"', "devices.x.model", "5 is none of"),
        ('use = "exit-reader"', "devices.x.model", "is missing; one of"),
        ('model = "simulated-rdm6300"\nuse = "teapot"', "devices.x.use", "'teapot' is none of"),
        ('model = "simulated-rdm6300"', "devices.x.use", "is missing; one of"),
        ('model = "rdm6300"\nuse = "exit-reader"', "devices.x.port", "is missing."),
        ('model = "simulated-input"\nuse = "fire"\npin = 4\npull = "up"', "devices.x.pull", "unknown key"),
        ('model = "simulated-input"\nuse = "fire"\npni = 4\npin = 27', "devices.x.pni", "nearest known one is pin"),
    ],
)
def test_devices(tmp_path: Path, device: str, key: str, words: str) -> None:
    found, said = problem(tmp_path, sections() + devices() + f"[devices.x]\n{device}\n")
    assert (found, words in said) == (key, True), (found, said)


@pytest.mark.parametrize(
    ("text", "key"),
    [("devices = 3\n", "devices"), ("[devices]\nx = 3\n", "devices.x"), ('[devices."A b"]\n', 'devices."A b"')],
)
def test_devices_that_are_no_sections(tmp_path: Path, text: str, key: str) -> None:
    assert key in {each.key for each in problems(tmp_path, text + sections())}


def simulation(folder: Path, **more: str) -> str:
    (folder / "cast.json").write_text(json.dumps({"cards": {"r": "000414CD7E"}}))
    (folder / "day.toml").write_text('[[scene]]\nat = "10:00"\nzh = "z"\nen = "e"\ndo = ["arrive", "card r"]\n')
    keys = {"scenario": '"day.toml"', "cast": '"cast.json"'} | more
    return "[simulation]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def test_a_scripted_clock_is_for_simulators_alone(tmp_path: Path) -> None:
    scripted = simulation(tmp_path, clock='"scripted"')
    assert problems(tmp_path, sections() + devices() + scripted) == []
    key, words = problem(tmp_path, sections() + devices(real=("gpio-input", "fire", 4)) + scripted)
    assert key == "simulation.clock"
    assert words.endswith("these are real: real")
    assert problems(tmp_path, sections() + devices(real=("gpio-input", "fire", 4)) + simulation(tmp_path)) == []


def test_a_script_that_cannot_be_played(tmp_path: Path) -> None:
    good = sections() + devices() + simulation(tmp_path)
    (tmp_path / "day.toml").write_text('[[scene]]\nat = "10:00"\nzh = "z"\nen = "e"\ndo = ["card nobodys"]\n')
    key, words = problem(tmp_path, good)
    assert key == "simulation.scenario"
    assert "nobodys" in words
    (tmp_path / "cast.json").unlink()
    assert problem(tmp_path, good)[0] == "simulation.cast"


def test_phrases_of_ones_own_are_read_too(tmp_path: Path) -> None:
    folder = tmp_path / "phrases"
    folder.mkdir()
    (folder / "zh.toml").write_text('welcom = "x"\n')
    found = problems(tmp_path, sections() + '[voice]\nphrases = "phrases"\n' + devices())
    assert {each.key for each in found} == {"voice.phrases"}
    words = " ".join(each.text for each in found)
    assert f"{folder / 'zh.toml'}:1: welcom: unknown phrase; the nearest known one is welcome" in words
    assert f"{folder / 'en.toml'}: does not exist" in words


# the guard post

POST_KEY, OFFICE_KEY = (
    Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key().public_bytes_raw().hex()
    for number in (1, 2)
)


def with_post(**changes: str) -> str:
    """A gate with a post; values of [post] as TOML has them."""
    values = {"host": '"192.168.1.10"', "plaintext": "true", "keys": f'["{POST_KEY}"]'} | changes
    lines = "".join(f"{name} = {value}\n" for name, value in values.items())
    return sections(alarms="post = true") + f"[post]\n{lines}" + devices()


def test_a_gate_with_a_post(tmp_path: Path) -> None:
    assert problems(tmp_path, with_post()) == []


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"host": '"127.0.0.1"', "plaintext": "false"}, "post.host", "is the broker of [broker]"),
        ({"plaintext": "false"}, "post.host", "without TLS anybody on the way"),
        ({"port": "8883"}, "", ""),
        ({"keys": f'["{POST_KEY}", "{POST_KEY}"]'}, "post.keys[1]", "is there twice"),
        ({"keys": '["' + "0" * 64 + '"]'}, "post.keys[0]", "is no Ed25519 public key"),
        ({"keys": "[]"}, "post.keys", "has 0 entries"),
        ({"password_file": '"none"'}, "post.password_file", "does not exist"),
        ({"certificate_file": '"gate.toml"'}, "post.certificate_file", "is of no use without ca_file"),
    ],
)
def test_what_is_wrong_with_a_post(tmp_path: Path, changes: dict[str, str], key: str, words: str) -> None:
    found = problems(tmp_path, with_post(**changes))
    assert [(each.key, words in each.text) for each in found] == ([(key, True)] if key else [])


def test_the_posts_key_is_not_the_offices(tmp_path: Path) -> None:
    text = with_post(keys=f'["{OFFICE_KEY.upper()}"]') + f'[trust]\noffice_keys = ["{OFFICE_KEY}"]\n'
    key, words = problem(tmp_path, text)
    assert key == "post.keys[0]"
    assert "the office's key too" in words


def test_a_post_that_nobody_hears_of(tmp_path: Path) -> None:
    key, words = problem(tmp_path, sections(alarms="post = true") + devices())
    assert key == "policy.alarms.post"
    assert "no section [post]" in words


PAGE = '[page]\nhost = "127.0.0.1"\n'


def test_a_page_is_not_served_in_the_clear(tmp_path: Path) -> None:
    assert problems(tmp_path, sections() + PAGE + "plaintext = true\n" + devices()) == []
    key, words = problem(tmp_path, sections() + "[page]\nplaintext = true\n" + devices())
    assert key == "page.plaintext"
    assert 'only host = "127.0.0.1" is allowed; it is 0.0.0.0' in words
    key, words = problem(tmp_path, sections() + PAGE + devices())
    assert key == "page.certificate_file"
    assert "needs a certificate and its key" in words


def test_a_pages_certificate_is_one_that_browsers_take(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("page")
    files = f'certificate_file = "{pair.certificate}"\nkey_file = "{pair.key}"\n'
    assert problems(tmp_path, sections() + PAGE + files + devices()) == []
    gone = f'certificate_file = "{pair.certificate}"\nkey_file = "gone"\n'
    key, words = problem(tmp_path, sections() + PAGE + gone + devices())
    assert key == "page.key_file"
    assert "does not exist" in words
    pair.key.chmod(0o644)
    key, words = problem(tmp_path, sections() + PAGE + files + devices())
    assert key == "page.key_file"
    assert "can be read or changed by others" in words


def test_a_gates_certificate_for_the_broker_is_no_servers(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from central.authority.certificates import Signer, authority_certificate, client_certificate

    signing, own, now = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
        datetime.now(UTC),
    )
    authority = authority_certificate(signing, "office", now)
    (tmp_path / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    made = client_certificate(Signer(authority, signing), "g-1", own.public_key(), now)
    (tmp_path / "gate.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (tmp_path / "gate.key").touch(0o600)
    (tmp_path / "gate.key").write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    broker = 'ca_file = "ca.pem"\ncertificate_file = "gate.pem"\nkey_file = "gate.key"\n'
    key, words = problem(tmp_path, sections() + broker + "[page]\n" + devices())
    assert key == "page.certificate_file"
    assert "good for a client alone" in words


def test_names_of_a_page_are_host_names(tmp_path: Path) -> None:
    names = PAGE + "plaintext = true\n"
    assert problems(tmp_path, sections() + names + 'names = ["gate.local", "east"]\n' + devices()) == []
    for wrong in ("Gate", "*", "a b", "-a", "a/b", "gate:8443"):
        (found,) = problems(tmp_path, sections() + names + f'names = ["{wrong}"]\n' + devices())
        assert found.key.startswith("page.names")


def test_a_round_is_due_at_a_time_that_comes(tmp_path: Path) -> None:
    due = '\n[policy.rounds.lobby]\ntimes = ["09:00", "24:00"]\n'
    key, words = problem(tmp_path, sections() + due + devices())
    assert key.startswith("policy.rounds.lobby.times") and "24:00" in words


@pytest.mark.parametrize(
    ("device", "do", "content", "words"),
    [
        (("simulated-wiegand", "entry-reader", 20), "card c", "000414CD7E", "no number of 32 bits in 8 hexadecimal digits"),
        (("simulated-wiegand", "entry-reader", 20), "card c", "0x14CD7E", "no number of 32 bits"),
        (("simulated-rdm6300", "exit-reader"), "card-out c", "0414CD7E", "10 digits of 0-9 and A-F"),
        (("simulated-id-12", "exit-reader"), "card-out c", "0414CD7E", "10 digits of 0-9 and A-F"),
        (("simulated-pn532", "exit-reader"), "card-out c", "no card", "4, 7 or 10 bytes"),
        (("simulated-identity-card", "exit-reader"), "card-out c", "110105194912310021", "a check digit"),
        (("simulated-camera", "exit-camera"), "show-out c", "x" * 4_297, "a QR cannot hold 4297 bytes"),
        (("simulated-hid-scanner", "exit-camera"), "show-out c", "", "a QR cannot hold 0 bytes"),
        (("simulated-gm65", "exit-camera"), "show-out c", "x" * 7_090, "a code of 7090 bytes"),
    ],
)  # fmt: skip
def test_what_a_cast_brings_fits_the_simulated_device(
    tmp_path: Path, device: tuple[str, ...], do: str, content: str, words: str
) -> None:
    here = simulation(tmp_path)
    (tmp_path / "day.toml").write_text(f'[[scene]]\nat = "10:00"\nzh = "z"\nen = "e"\ndo = ["{do}", "{do}"]\n')
    (tmp_path / "cast.json").write_text(json.dumps({"cards": {"c": content}, "codes": {"c": content}}))
    model, use, *_ = device
    extra = {"simulated-wiegand": "d0 = 20\nd1 = 21\n", "simulated-identity-card": f'key = "{"k" * 16}"\n'}.get(
        model, ""
    )
    text = sections() + devices("reader") + f'[devices.x]\nmodel = "{model}"\nuse = "{use}"\n{extra}' + here
    key, said = problem(tmp_path, text)
    assert key == "simulation.cast"
    assert f"does not fit [devices.x], a {model}." in said and f"scene 1, '{do}'" in said and words in said, said


@pytest.mark.parametrize("uid", ["0014CD7E", "0414CD7E"])
def test_a_card_of_26_or_of_34_bits_fits_a_wiegand_reader(tmp_path: Path, uid: str) -> None:
    here = simulation(tmp_path)
    (tmp_path / "cast.json").write_text(json.dumps({"cards": {"r": uid}}))
    reader = '[devices.x]\nmodel = "simulated-wiegand"\nuse = "entry-reader"\nd0 = 20\nd1 = 21\n'
    assert problems(tmp_path, sections() + devices("reader") + reader + here) == []
