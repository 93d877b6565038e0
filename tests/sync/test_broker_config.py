"""The broker's configuration, in a real mosquitto with certificates of a real office, and a gate that tries everything."""

import queue
import re
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.authority.folder import BROKER, COMMAND, OFFICE, POST, RESERVED, TAIL, Authority
from menshen.demo.processes import free_port
from sync import mqtt
from sync.contract.topics import Channel, topic
from sync.mqtt import MqttLink
from sync.tls import TlsFiles, client_context
from tests.certificates import Authority as OtherAuthority
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.proxy import Proxy

CONFIG = Path(__file__).resolve().parents[2] / "config" / "mosquitto"
BY_OFFICE = (Channel.DOWN, Channel.CMD)
OBSERVER = "menshen-observer"  # may do anything, to see what reaches whom
ONE, TWO, THREE = "gate-1", "gate-2", "gate-3"
WRITES, READS = (Channel.UP, Channel.ALARM, Channel.STATE), (Channel.DOWN, Channel.CMD, Channel.POST)
WAIT_S = 15.0
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=3 * 365)  # the authority is older than a certificate lasts


class Site:
    """An office's authority, a broker by our configuration, and links to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority.make(folder / "authority", LONG_AGO)
        self.authority.issue_client("gone", NOW)
        self.authority.revoke("gone", LONG_AGO)  # the list has an entry
        self.office_port = free_port()
        identity = self.authority.issue_broker(["127.0.0.1", "localhost"], NOW)
        (folder / "broker.pem").write_bytes(identity.certificate)
        (folder / "broker.key").write_bytes(identity.key)
        self.take_authority()
        access = (CONFIG / "menshen.acl").read_text("utf-8")
        (folder / "menshen.acl").write_text(
            f"{access}\nuser {OBSERVER}\ntopic readwrite #\ntopic read $SYS/#\n", "utf-8"
        )

    @property
    def settings(self) -> str:
        """As it ships, but for the ports, and the files below the test's folder."""
        text = (CONFIG / "mosquitto.conf").read_text("utf-8").replace("/etc/mosquitto/menshen", str(self.folder))
        text = text.replace("listener 8884\n", f"listener {self.office_port} 127.0.0.1\n")
        ours = re.sub(r"^(#.*|listener 8883|persistence .*|set_tcp_nodelay .*)?\n", "", text, flags=re.MULTILINE)
        assert "acl_file" in ours and "crlfile" in ours and ours.count("listener") == 1
        return ours

    def take_authority(self) -> None:
        """What the office hands to the broker."""
        for file in (self.authority.certificate_file, self.authority.entrance_file, self.authority.revoked_file):
            shutil.copy(file, self.folder)

    def shows(self, name: str, at: datetime = NOW) -> TlsFiles:
        """A new certificate of the office's authority, as files."""
        identity = self.authority.issue_client(name, at)
        certificate, key = self.folder / f"{name}-{at:%Y}.pem", self.folder / f"{name}-{at:%Y}.key"
        certificate.write_bytes(identity.certificate)
        key.touch(0o600)
        key.write_bytes(identity.key)
        return TlsFiles(ca_file=self.authority.certificate_file, certificate_file=certificate, key_file=key)


class Party:
    """Somebody with a link, and what they heard."""

    def __init__(self, port: int, tls: TlsFiles, name: str, *listens: str, **options: object) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.up: queue.Queue[bool] = queue.Queue()
        self.link = MqttLink(
            "127.0.0.1",
            port,
            client_id=name,
            tls=tls,
            connected=lambda: self.up.put(True),
            disconnected=lambda: self.up.put(False),
            **options,  # type: ignore[arg-type]  # handed on as they are
        )
        for each in listens:
            self.link.subscribe(each, lambda where, what: self.heard.put((where, what)))
        self.link.start()

    def hears(self, where: str, what: bytes) -> None:
        """This next, and nothing before it."""
        assert self.heard.get(timeout=WAIT_S) == (where, what)


Join = Callable[..., Party]
Stranger = Callable[..., None]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "PAUSE_S", (0.02, 0.1))
    monkeypatch.setattr(mqtt, "STOP_S", 1.0)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def broker(site: Site) -> Iterator[Mosquitto]:
    with running_mosquitto(site.folder, site.settings) as running:
        yield running


@pytest.fixture
def join(site: Site, broker: Mosquitto) -> Iterator[Join]:
    """Somebody comes in by a certificate of their own, and is waited for."""
    with ExitStack() as stack:

        def come(
            name: str, *listens: str, says: str | None = None, port: int | None = None, **options: object
        ) -> Party:
            own = site.office_port if name.startswith(RESERVED) else broker.port
            party = Party(port or own, site.shows(name), says or name, *listens, **options)
            stack.callback(party.link.stop)
            assert party.up.get(timeout=WAIT_S)
            return party

        yield come


@pytest.fixture
def stranger(broker: Mosquitto) -> Stranger:
    """Somebody who shows these files and says they are that gate: nobody is let in."""

    def knock(tls: TlsFiles, name: str, port: int | None = None) -> None:
        tries: queue.Queue[None] = queue.Queue()

        def will() -> tuple[str, bytes, bool]:
            tries.put(None)
            return topic(ONE, Channel.STATE), b"forged", True

        party = Party(port or broker.port, tls, name, topic(ONE, Channel.DOWN), will=will)
        for _ in range(3):  # a third attempt begins: two have failed
            tries.get(timeout=WAIT_S)
        party.link.stop()
        assert party.up.empty()

    return knock


def test_gates_office_and_watcher_reach_each_other(join: Join) -> None:
    office = join(OFFICE, *(f"menshen/1/+/{channel}" for channel in WRITES))
    gates = {name: join(name, *(topic(name, channel) for channel in READS)) for name in (ONE, TWO)}
    tail = join(TAIL, "menshen/1/#")
    for name, gate in gates.items():
        for channel in WRITES:
            assert gate.link.publish(topic(name, channel), b"said", retain=channel is Channel.STATE)
            office.hears(topic(name, channel), b"said")
            tail.hears(topic(name, channel), b"said")
        for channel in BY_OFFICE:
            assert office.link.publish(topic(name, channel), b"told")
            gate.hears(topic(name, channel), b"told")
            tail.hears(topic(name, channel), b"told")
    assert all(party.heard.empty() for party in (office, tail, *gates.values()))


def test_who_commands_sees_states_writes_commands_and_nothing_else(join: Join) -> None:
    observer = join(OBSERVER, "menshen/1/#")
    gate = join(ONE, *(topic(ONE, channel) for channel in READS))
    clerk = join(COMMAND, *(f"menshen/1/+/{channel}" for channel in Channel))
    for channel in WRITES:
        gate.link.publish(topic(ONE, channel), b"said")
        observer.hears(topic(ONE, channel), b"said")
    clerk.hears(topic(ONE, Channel.STATE), b"said")
    for channel in (*WRITES, Channel.DOWN, Channel.CMD):  # what counts last
        clerk.link.publish(topic(ONE, channel), b"told")
    for party in (gate, observer):
        party.hears(topic(ONE, Channel.CMD), b"told")
    assert all(party.heard.empty() for party in (observer, gate, clerk))


def test_the_guard_post_hears_alarms_and_states_and_writes_heartbeats_and_commands(join: Join) -> None:
    observer = join(OBSERVER, "#")
    gate = join(ONE, *(topic(ONE, channel) for channel in READS))
    post = join(POST, "#", *(f"menshen/1/+/{channel}" for channel in Channel), says="lodge")
    for channel in WRITES:
        gate.link.publish(topic(ONE, channel), b"said")
        observer.hears(topic(ONE, channel), b"said")
    heard = {post.heard.get(timeout=WAIT_S)}
    while (
        topic(ONE, Channel.STATE),
        b"said",
    ) not in heard:  # which was said last; overlapping filters bring some twice
        heard.add(post.heard.get(timeout=WAIT_S))
    assert heard == {(topic(ONE, channel), b"said") for channel in (Channel.ALARM, Channel.STATE)}
    for where in (*(topic(ONE, channel) for channel in (*WRITES, Channel.DOWN)), "anything"):
        post.link.publish(where, b"forged", retain=True)
    for channel in (Channel.POST, Channel.CMD):  # after the forged ones
        post.link.publish(topic(ONE, channel), b"told")
        gate.hears(topic(ONE, channel), b"told")
        observer.hears(topic(ONE, channel), b"told")
    assert all(party.heard.empty() for party in (observer, gate))


def test_a_gate_writes_its_own_three_topics_and_nothing_else(join: Join) -> None:
    observer = join(OBSERVER, "#", "$SYS/broker/forged")
    gate = join(ONE)
    forged = [topic(TWO, channel) for channel in Channel] + [topic(ONE, channel) for channel in READS]
    forged += ["$SYS/broker/forged", "anything", "menshen", "menshen/1", "menshen/1/gate-1", "menshen/1/gate-1/up/more"]
    forged += [
        "menshen/2/gate-1/up",
        "menshen/1//up",
        "/menshen/1/gate-1/up",
        "menshen/1/GATE-1/up",
        "menshen/1/gate-1/log",
    ]
    for where in forged:
        for retain in (False, True):
            gate.link.publish(where, b"forged", retain=retain)
    for channel in WRITES:
        gate.link.publish(topic(ONE, channel), b"own")  # after the forged ones, on the same connection
        observer.hears(topic(ONE, channel), b"own")
    assert observer.heard.empty()
    late = join(f"{OBSERVER}", "#", says="late")  # nothing was retained either
    gate.link.publish(topic(ONE, Channel.UP), b"own")
    late.hears(topic(ONE, Channel.UP), b"own")


def test_a_gate_reads_its_own_three_topics_and_nothing_else(join: Join) -> None:
    observer = join(OBSERVER, "menshen/1/#")
    office = join(OFFICE)
    other = join(TWO)
    other.link.publish(topic(TWO, Channel.STATE), b"before", retain=True)
    observer.hears(topic(TWO, Channel.STATE), b"before")
    everywhere = ["#", "+/+/+/+", "menshen/#", "menshen/1/+/up", "menshen/1/+/state", "menshen/1/+/down", "$SYS/#"]
    everywhere += [topic(name, channel) for name in (ONE, TWO) for channel in Channel]
    everywhere += [f"$share/group/{topic(TWO, Channel.DOWN)}", "$share/group/#"]
    gate = join(ONE, *everywhere)
    for channel in WRITES:
        other.link.publish(topic(TWO, channel), b"secret", retain=channel is Channel.STATE)
        observer.hears(topic(TWO, channel), b"secret")
        gate.link.publish(topic(ONE, channel), b"own")
        observer.hears(topic(ONE, channel), b"own")
    post = join(POST)
    for channel in READS:
        writer = post if channel is Channel.POST else office
        writer.link.publish(topic(TWO, channel), b"secret")
        observer.hears(topic(TWO, channel), b"secret")
        writer.link.publish(topic(ONE, channel), b"for you")
        observer.hears(topic(ONE, channel), b"for you")
    got = {gate.heard.get(timeout=WAIT_S)}
    while not {where for where, _ in got} >= {topic(ONE, channel) for channel in READS}:
        got.add(gate.heard.get(timeout=WAIT_S))
    assert got == {(topic(ONE, channel), b"for you") for channel in READS}


def test_whoever_watches_says_nothing(join: Join) -> None:
    observer = join(OBSERVER, "#")
    tail, gate = join(TAIL), join(ONE)
    for channel in Channel:
        tail.link.publish(topic(ONE, channel), b"forged", retain=True)
    tail.link.publish("anything", b"forged")
    tail.link.stop()
    gate.link.publish(topic(ONE, Channel.UP), b"own")
    observer.hears(topic(ONE, Channel.UP), b"own")
    assert observer.heard.empty()


def test_nobody_takes_over_anothers_session_or_name(join: Join) -> None:
    other = join(TWO, topic(TWO, Channel.DOWN))
    office = join(OFFICE)
    gate = join(ONE, topic(TWO, Channel.DOWN), topic(ONE, Channel.DOWN), says=TWO, username=TWO, password="guessed")
    office.link.publish(topic(TWO, Channel.DOWN), b"for two")
    office.link.publish(topic(ONE, Channel.DOWN), b"for one")
    other.hears(topic(TWO, Channel.DOWN), b"for two")
    gate.hears(topic(ONE, Channel.DOWN), b"for one")
    assert other.up.empty()  # it was never thrown out


def test_the_same_certificate_twice_is_one_client(join: Join) -> None:
    """Which is what lets the office see a cloned gate: the two put each other out."""
    gate = join(ONE)
    join(ONE, says="another")
    assert gate.up.get(timeout=WAIT_S) is False


def test_a_last_will_for_another_is_never_sent(site: Site, broker: Mosquitto, join: Join) -> None:
    observer = join(OBSERVER, "#")
    proxy = Proxy(broker.port)
    gate = Party(proxy.port, site.shows(ONE), ONE, will=lambda: (topic(TWO, Channel.STATE), b"forged", True))
    for _ in range(2):
        assert gate.up.get(timeout=WAIT_S)
        proxy.cut()
        assert gate.up.get(timeout=WAIT_S) is False
    gate.link.stop()
    proxy.close()
    honest = join(ONE)
    honest.link.publish(topic(ONE, Channel.UP), b"own")
    observer.hears(topic(ONE, Channel.UP), b"own")
    assert observer.heard.empty()


def test_control_without_these_lines_all_of_it_would_happen(site: Site) -> None:
    """The same ears, and a broker that lacks the access list and the client ids by certificate."""
    lines = re.sub(r"^(acl_file|use_username_as_clientid) .*\n", "", site.settings, flags=re.MULTILINE)
    with running_mosquitto(site.folder, lines) as broker:
        other = Party(broker.port, site.shows(TWO), TWO, topic(TWO, Channel.DOWN))
        assert other.up.get(timeout=WAIT_S)
        forger = Party(broker.port, site.shows(ONE), ONE)
        assert forger.up.get(timeout=WAIT_S)
        forger.link.publish(topic(TWO, Channel.DOWN), b"forged")
        other.hears(topic(TWO, Channel.DOWN), b"forged")
        thief = Party(broker.port, site.shows(ONE), TWO)
        assert other.up.get(timeout=WAIT_S) is False  # put out by its client id
        for party in (other, forger, thief):
            party.link.stop()


# who does not come in


def test_without_a_certificate_of_ours_nobody_comes_in(site: Site, tmp_path: Path, stranger: Stranger) -> None:
    ca_file = site.authority.certificate_file
    other = OtherAuthority(tmp_path)
    for pair in (other.issue(ONE), other.issue("alone", alone=True)):
        stranger(TlsFiles(ca_file=ca_file, certificate_file=pair.certificate, key_file=pair.key), ONE)
    stranger(TlsFiles(ca_file=ca_file), ONE)
    stranger(site.shows(ONE, LONG_AGO), ONE)  # over
    server = TlsFiles(
        ca_file=ca_file, certificate_file=site.folder / "broker.pem", key_file=_private(site.folder / "broker.key")
    )
    stranger(server, BROKER)  # good for a server alone


def test_each_port_is_for_its_own(site: Site, stranger: Stranger) -> None:
    """What is good at one is nothing at the other; and a gate cannot come in where client ids are anybody's choice."""
    stranger(site.shows(ONE), OFFICE, site.office_port)
    stranger(site.shows(OFFICE), OFFICE)
    stranger(TlsFiles(ca_file=site.authority.certificate_file), OFFICE, site.office_port)


def test_the_office_may_come_in_several_times(join: Join) -> None:
    """Several ingest processes, commands at the same time, people who watch."""
    first = join(OFFICE, topic(ONE, Channel.UP), says="menshen-office-1")
    second = join(OFFICE, topic(TWO, Channel.UP), says="menshen-office-2")
    for name, office in ((ONE, first), (TWO, second)):
        join(name).link.publish(topic(name, Channel.UP), b"said")
        office.hears(topic(name, Channel.UP), b"said")
    assert first.up.empty() and second.up.empty()


def test_a_new_entrance_shuts_out_what_was_issued_before(
    site: Site, broker: Mosquitto, stranger: Stranger, join: Join
) -> None:
    stolen = site.shows(OFFICE)
    site.authority.renew_entrance(NOW)
    site.take_authority()
    broker.stop()
    broker.start()
    stranger(stolen, OFFICE, site.office_port)
    join(OFFICE)


def _private(key: Path) -> Path:
    key.chmod(0o600)
    return key


def test_without_tls_nobody_comes_in(broker: Mosquitto) -> None:
    connect = bytes.fromhex("101200044d5154540402003c0006676174652d31")  # MQTT 3.1.1, client id gate-1
    with socket.create_connection((broker.host, broker.port), timeout=WAIT_S) as plain:
        plain.sendall(connect)
        with suppress(ConnectionError):
            answer = plain.recv(100)
            assert answer[:1] != b"\x20"  # no CONNACK; at most an alert of TLS


def test_a_gates_certificate_makes_no_broker(site: Site) -> None:
    """Nobody who stole a gate can pose as the broker to the others, whatever name they are reached by."""
    tls = site.shows(ONE)
    assert tls.certificate_file is not None
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tls.certificate_file, tls.key_file)
    client = client_context(site.shows(TWO))
    client.check_hostname = False
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        shake_hands(server, client)


def test_certificates_are_as_strict_as_python_3_13_wants_them(site: Site) -> None:
    for host in ("127.0.0.1", "localhost"):
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(site.authority.certificate_file))
        server.load_cert_chain(site.folder / "broker.pem", site.folder / "broker.key")
        server.load_verify_locations(site.authority.revoked_file)
        server.verify_mode = ssl.CERT_REQUIRED
        server.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_CRL_CHECK_LEAF
        client = client_context(site.shows(ONE))
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        shake_hands(server, client, host)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str = "127.0.0.1") -> None:
    """In memory. Raises what either end raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for end in ends * 4:
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert ends[1].getpeercert() or server.verify_mode is ssl.CERT_NONE


# what was revoked


def test_a_revoked_gate_stays_out_from_the_brokers_next_start_on(
    site: Site, broker: Mosquitto, stranger: Stranger
) -> None:
    tls = site.shows(THREE)
    gone, others = Party(broker.port, tls, THREE), Party(broker.port, site.shows(ONE), ONE)
    assert gone.up.get(timeout=WAIT_S) and others.up.get(timeout=WAIT_S)
    assert site.authority.revoke(THREE, datetime.now(UTC)) == 1
    site.take_authority()
    broker.stop()
    assert gone.up.get(timeout=WAIT_S) is False
    assert others.up.get(timeout=WAIT_S) is False
    broker.start()
    assert others.up.get(timeout=WAIT_S)
    assert gone.up.empty()
    gone.link.stop()
    stranger(tls, THREE)
    again = Party(broker.port, site.shows(THREE), THREE)  # a new bundle, after the revocation
    assert again.up.get(timeout=WAIT_S)
    for party in (again, others):
        party.link.stop()
