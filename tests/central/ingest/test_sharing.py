"""Several ingest processes on one PostgreSQL and one broker, as an office runs them; one of them is killed."""

import json
import select
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from menshen.demo.processes import menshen, run_once
from tests.central.ingest.processes import Gate, Server, run_until
from tests.central.ingest.sending import NORTH
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.postgres import Postgres, running_postgres

KNOWN = [f"gate-{number}" for number in range(5)]
_HELD = "SELECT holder_id, count(*) FROM ingest_lease GROUP BY holder_id"
_STORED = """
    SELECT r.seq, r.hash, r.body FROM ingest_record r JOIN ingest_log l ON l.id = r.log_id
    WHERE l.gate_id = %s ORDER BY r.id
"""


class Shared:
    """Three processes."""

    def __init__(self, folder: Path, broker: Mosquitto, postgres: Postgres, template: str) -> None:
        self._postgres, self._name = postgres, postgres.new_database(template)
        self.servers = []
        for number in range(3):
            (folder / str(number)).mkdir()
            address = postgres.address(self._name)
            self.servers.append(Server(folder / str(number), broker, address, "--lease", "2"))
        for gate in KNOWN:
            columns = "id, name, admitted, first_seen, said_online, boot, earlier_boots, connection, mono_ms, at_ms, " \
                "clock_trusted, version, mode, door, inside, log_id, head, acked, devices_lost, site, directory_epoch, " \
                "directory_version, directory_at_ms, came_back, drill, devices"  # fmt: skip
            values = "%s, '', true, now(), false, '', '[]', 0, 0, 0, false, '', '', '', 0, '', 0, 0, '[]', '', 0, 0, 0, '[]', false, '[]'"
            self.ask(f"INSERT INTO registry_gate ({columns}) VALUES ({values})", gate)  # noqa: S608  ours

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self._postgres.ask(self._name, sql, *values)

    def held(self) -> list[int]:
        """How much each process holds."""
        return sorted(int(str(count)) for _, count in self.ask(_HELD))


@pytest.fixture
def shared(tmp_path: Path, postgres: Postgres, office_template: str) -> Iterator[tuple[Shared, Mosquitto]]:
    with running_mosquitto(tmp_path) as broker:
        shared = Shared(tmp_path, broker, postgres, office_template)
        try:
            for server in shared.servers:
                server.start()
            yield shared, broker
        finally:
            for server in shared.servers:
                server.end(signal.SIGKILL)


def test_one_is_killed_and_every_record_is_there_once(shared: tuple[Shared, Mosquitto]) -> None:
    office, broker = shared
    with ExitStack() as stack:
        gates = [stack.enter_context(Gate(broker, name).on_the_road()) for name in [*KNOWN, "new-gate"]]
        run_until(gates, lambda: office.held() == [2, 2, 2])  # five gates, and discovery
        append(gates, 300)
        run_until(gates[:-1], lambda: all(gate.has_brought_everything() for gate in gates[:-1]))
        assert not gates[-1].log.acked, "nobody listens to a gate that nobody knows"
        gates[-1].say_state()
        run_until(gates, lambda: all(gate.has_brought_everything() for gate in gates))

        append(gates, 900)
        goal = sum(gate.log.acked for gate in gates) + 1000
        run_until(gates, lambda: sum(gate.log.acked for gate in gates) >= goal)
        assert office.servers[0].end(signal.SIGKILL) == -signal.SIGKILL
        append(gates, 100)
        run_until(gates, lambda: all(gate.has_brought_everything() for gate in gates))
        assert office.held() == [3, 4]
        office.servers[0].start()  # and comes back, as another one
        run_until(gates, lambda: office.held() == [2, 2, 3])
        append(gates, 100)
        run_until(gates, lambda: all(gate.has_brought_everything() for gate in gates))
        run_until(gates, lambda: office.ask("SELECT count(*) FROM ingest_spooled") == [(0,)])
        for server in office.servers:
            assert server.end(signal.SIGTERM) == 0
        for gate in gates:
            bodies = [record.body for record in gate.log.records]
            expected = list(zip(range(1, len(bodies) + 1), gate.log.hashes, bodies, strict=True))
            assert [(seq, digest, body) for seq, digest, body in office.ask(_STORED, gate.name)] == expected
    assert (office.held(), office.ask("SELECT * FROM ingest_ingestprocess")) == ([], [])
    logs = [server.log.read_text("utf-8") for server in office.servers]
    assert sum(log.count("is silent: its gates are taken over") for log in logs) == 1
    assert not any("Traceback" in log or "cannot be written" in log for log in logs), logs


def append(gates: list[Gate], count: int) -> None:
    """Let each write so many more records."""
    for gate in gates:
        begin = len(gate.log.records)
        gate.append(*(json.dumps({"gate": gate.name, "number": begin + number}).encode() for number in range(count)))


@pytest.mark.timeout(180)
def test_the_database_crashes_and_every_record_is_there_once(tmp_path: Path) -> None:
    """Its processes are killed in the middle of transactions, and it recovers from its log."""
    with running_postgres() as postgres, running_mosquitto(tmp_path) as broker:
        name = postgres.new_database()
        address = postgres.address(name)
        env = {"MENSHEN_OFFICE_DIR": str(tmp_path), "MENSHEN_OFFICE_DATABASE": address}
        run_once("migrate", menshen("office", "migrate"), env)
        run_once("gate add", menshen("office", "gate", "add", NORTH), env)
        server = Server(tmp_path, broker, address, "--lease", "2")
        server.start()
        try:
            with Gate(broker).on_the_road() as gate:
                for round_number in range(3):
                    append([gate], 1500)
                    goal = gate.log.acked + 300
                    gate.run_until(lambda: gate.log.acked >= goal)  # noqa: B023  called at once
                    postgres.kill()
                    append([gate], 10 + round_number)
                    postgres.start()
                    gate.run_until(gate.has_brought_everything)
                while postgres.ask(name, "SELECT count(*) FROM ingest_spooled") != [(0,)]:
                    select.select([], [], [], 0.05)  # pytest's own limit ends it
                assert server.end(signal.SIGTERM) == 0
                bodies = [record.body for record in gate.log.records]
                expected = list(zip(range(1, len(bodies) + 1), gate.log.hashes, bodies, strict=True))
                assert postgres.ask(name, _STORED, NORTH) == expected
        finally:
            server.end(signal.SIGKILL)
    log = server.log.read_text("utf-8")
    assert "nothing is acknowledged" in log
    assert "Traceback" not in log
