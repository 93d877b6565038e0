"""`menshen office …`, each command in a process of its own, as it is used."""

import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from central.commands import office
from menshen.demo.processes import Child, free_port, menshen
from tests.postgres import PASSWORD, Postgres

COMMANDS = [
    "",
    "migrate",
    "user",
    "user add",
    "gate",
    "gate add",
    "gate admit",
    "gate list",
    "command",
    "command release",
    "command say",
    "command acknowledge",
    "command list",
    "serve",
    "ingest",
    "check",
]


class Office:
    """The commands of an office in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "MENSHEN_OFFICE_DIR": str(folder), "MENSHEN_LOG": "WARNING"}

    def __call__(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = menshen("office", *arguments)
        return subprocess.run(command, env=self.env | env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("none") / "office")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = Office(tmp_path_factory.mktemp("made") / "office")
    done = made("migrate")
    assert (done.returncode, done.stdout) == (0, f"{made.folder}/office.sqlite3: up to date\n"), done.stderr
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_an_example(command: str) -> None:
    shown = CliRunner().invoke(office, [*command.split(), "--help"])
    assert shown.exit_code == 0
    assert f"menshen office {command}".strip() in shown.output


def test_help_needs_no_django() -> None:
    probe = (
        "import sys\nfrom click.testing import CliRunner\nfrom central.commands import office\n"
        "CliRunner().invoke(office, ['serve', '--help'])\nprint('django' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "command",
    [
        ["user", "add", "li"],
        ["gate", "list"],
        ["gate", "add", "x"],
        ["command", "list"],
        ["serve"],
        ["ingest", "--broker", "127.0.0.1"],
    ],
    ids=" ".join,
)
def test_without_a_database_every_command_names_the_one_that_makes_it(empty: Office, command: list[str]) -> None:
    done = empty(*command)
    assert done.returncode == 1
    assert f"{empty.folder}/office.sqlite3 does not exist: run `menshen office migrate`" in done.stderr
    assert not empty.folder.exists()


def test_an_older_database_is_told_from_none(tmp_path: Path) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    (folder / "office.sqlite3").touch()
    done = Office(folder)("gate", "list")
    assert done.returncode == 1
    assert re.search(r"lacks \d+ change\(s\) of this version: run `menshen office migrate`", done.stderr)


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    (folder / "office.sqlite3").write_text("not a database, and long enough to look like one " * 50)
    done = Office(folder)("gate", "list")
    assert done.returncode == 1
    assert "office.sqlite3: file is not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_and_the_key_are_the_offices_alone(made: Office) -> None:
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((made.folder / "secret-key").stat().st_mode) == 0o600


def test_migrating_twice_changes_nothing(made: Office) -> None:
    key = (made.folder / "secret-key").read_text()
    assert made("migrate").returncode == 0
    assert (made.folder / "secret-key").read_text() == key


def test_users(made: Office) -> None:
    first = made("user", "add", "li")
    assert re.fullmatch(r"li: added\none-time password: (\w{4}-){3}\w{4}\n", first.stdout)
    again = made("user", "add", "li", "--json")
    answer = json.loads(again.stdout)
    assert list(answer) == ["user", "password"]
    assert answer["user"] == "li"
    assert answer["password"] not in first.stdout
    assert "li: has a new password" in made("user", "add", "li").stdout


@pytest.mark.parametrize("name", ["", "a b", "<script>", "x" * 151])
def test_names_that_are_none(made: Office, name: str) -> None:
    done = made("user", "add", "--", name)
    assert done.returncode == 2
    assert "Invalid value for NAME" in done.stderr


def test_gates(made: Office) -> None:
    assert made("gate", "add", "north-gate", "--name", "North gate").stdout == "north-gate: added, admitted\n"
    assert made("gate", "add", "north-gate").stdout == "north-gate: was there already, admitted\n"
    assert made("gate", "admit", "north-gate").stdout == "north-gate: admitted\n"
    assert made("gate", "list").stdout == "north-gate\tNorth gate\toffline\tlast heard: never\tno site\n"
    made("gate", "add", "north-gate", "--site", "garden-court")
    assert made("gate", "list").stdout.endswith("\tsite garden-court, directory 0.0\n")
    assert "1 to 32 letters" in made("gate", "add", "north-gate", "--site", "garden court").stderr
    unknown = made("gate", "admit", "west-gate")
    assert unknown.returncode == 1
    assert "menshen office gate add west-gate" in unknown.stderr
    bad = made("gate", "add", "North")
    assert bad.returncode == 2
    assert "1 to 32 of a-z, 0-9 and '-'" in bad.stderr


def test_check_finds_nothing_wrong_or_says_what_to_do(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    none = office("check")
    assert none.returncode == 1
    assert "run `menshen office migrate`" in none.stderr
    office("migrate")
    nobody = office("check")
    assert nobody.returncode == 1
    assert "nobody can log in: menshen office user add NAME" in nobody.stderr
    office("user", "add", "li")
    assert office("check").stdout.endswith("nothing wrong\n")
    office.folder.chmod(0o755)
    wrong = office("check", MENSHEN_OFFICE_ADMIT="perhaps")
    assert wrong.returncode == 1
    assert f"chmod 700 {office.folder}" in wrong.stderr
    assert "'perhaps' is neither manual nor auto" in wrong.stderr
    assert "'25' is no whole number of hours from 0 to 24" in office("check", MENSHEN_OFFICE_REST_H="25").stderr


@pytest.mark.parametrize("variable", ["MENSHEN_OFFICE_TZ", "MENSHEN_LOG"])
def test_settings_that_do_not_exist(made: Office, variable: str) -> None:
    done = made("check", **{variable: "Mars/Olympus"})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "menshen office check --help" in done.stderr


def test_serving_tells_systemd_and_ends_when_asked(made: Office, tmp_path: Path) -> None:
    port, notify = free_port(), tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(notify))
        listener.settimeout(30)
        told = {"NOTIFY_SOCKET": str(notify), "WATCHDOG_USEC": "600000"}
        child = Child("office", menshen("office", "serve", "--port", str(port)), tmp_path / "log", env=made.env | told)
        try:
            assert listener.recv(200).startswith(b"READY=1")
            assert listener.recv(200) == b"WATCHDOG=1"  # the login page has answered
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/static/menshen/office.css")
            answer = connection.getresponse()
            assert (answer.status, answer.headers["Content-Type"]) == (200, 'text/css; charset="utf-8"')
            answer.read()
            connection.request("GET", "/", headers={"Host": "elsewhere.example"})
            assert connection.getresponse().status == 400
            connection.close()
        finally:
            child.stop()
    assert child.process.returncode == 0
    assert not Path("gunicorn.ctl").exists()


def test_a_port_that_is_taken(made: Office) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = made("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--signing-key", "office.pem"], 2, "--signing-key is of no use without --broker"),
        (["--ca-file", "authority.pem"], 2, "no --broker HOST"),
        (["--broker-port", "1883"], 2, "no --broker HOST"),
        (["--broker", "mqtt.example"], 2, "--ca-file"),  # in the clear by accident
        (["--broker", "127.0.0.1", "--signing-key", "none.pem"], 1, "none.pem"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_pages_that_cannot_send_commands_as_asked_are_not_served(
    made: Office, options: list[str], code: int, said: str
) -> None:
    done = made("serve", "--port", str(free_port()), *options)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr


def test_ingest_runs_without_a_broker_and_ends_when_asked(made: Office, tmp_path: Path) -> None:
    notify = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(notify))
        listener.settimeout(30)
        command = menshen("office", "ingest", "--broker", "127.0.0.1", "--port", str(free_port()))
        child = Child("ingest", command, tmp_path / "log", env=made.env | {"NOTIFY_SOCKET": str(notify)})
        try:
            assert {listener.recv(200) for _ in range(3)} == {b"READY=1", b"WATCHDOG=1"}
            child.process.send_signal(signal.SIGTERM)
            assert child.process.wait(20) == 0
        finally:
            child.stop()


def test_ingest_and_its_files(made: Office, tmp_path: Path) -> None:
    alone = made("ingest", "--broker", "127.0.0.1", "--password-file", "x")
    assert alone.returncode == 2
    assert "--password-file needs --user NAME" in alone.stderr
    for arguments in (["--user", "office", "--password-file"], ["--ca-file"]):
        missing = made("ingest", "--broker", "127.0.0.1", *arguments, str(tmp_path / "none"))
        assert missing.returncode == 1
        assert str(tmp_path / "none") in missing.stderr
        assert "Traceback" not in missing.stderr


def test_an_office_on_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    office = Office(tmp_path / "office")
    database = postgres.new_database()
    office.env["MENSHEN_OFFICE_DATABASE"] = postgres.address(database)
    name = f"PostgreSQL database {database} at "
    none = office("gate", "list")
    assert none.returncode == 1
    assert re.search(rf"{name}\S+ lacks \d+ change\(s\) of this version: run `menshen office migrate`", none.stderr)
    done = office("migrate")
    assert done.stdout.startswith(name) and done.stdout.endswith(": up to date\n"), done.stderr
    assert not (office.folder / "office.sqlite3").exists()
    assert office("user", "add", "li").returncode == 0
    assert office("gate", "add", "north-gate").stdout == "north-gate: added, admitted\n"
    assert office("gate", "list").stdout.startswith("north-gate\t")
    checked = office("check")
    assert name in checked.stdout
    # the tests' server runs like that, to be quick
    assert "wrong: the PostgreSQL server runs with fsync and full_page_writes off" in checked.stderr
    everything = none.stderr + done.stdout + checked.stdout + checked.stderr
    assert PASSWORD not in everything and quote(PASSWORD, safe="") not in everything


SECRET = "s3cret-w0rd"
BAD = {
    f"postgresql://office:{SECRET}:@/x y:z@@": "not an address like postgresql://USER:PASSWORD@HOST:5432/DATABASE",
    f"mysql://office:{SECRET}@host/office": "not an address like postgresql://USER@HOST/DATABASE; nothing = SQLite",
    f"postgresql://office:{SECRET}@host": "it names no database",
    f"postgresql://office:{SECRET}@127.0.0.1:{{port}}/office": "Does the server run, and is MENSHEN_OFFICE_DATABASE right?",
}


@pytest.mark.parametrize("address", BAD)
@pytest.mark.parametrize("command", [["check"], ["ingest", "--broker", "127.0.0.1"]], ids=["check", "ingest"])
def test_a_database_that_cannot_be_reached(made: Office, address: str, command: list[str]) -> None:
    done = made(*command, MENSHEN_OFFICE_DATABASE=address.format(port=free_port()))
    assert done.returncode == 1
    assert BAD[address] in done.stderr
    assert "MENSHEN_OFFICE_DATABASE" in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_sqlite_takes_one_ingest_and_says_what_takes_more(made: Office, tmp_path: Path) -> None:
    command = menshen("office", "ingest", "--broker", "127.0.0.1", "--port", str(free_port()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(30)
        env = made.env | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        child = Child("ingest", command, tmp_path / "log", env=env)
        try:
            while listener.recv(200) != b"READY=1":
                pass
            second = subprocess.run(command, env=made.env, capture_output=True, text=True, check=False)
            assert second.returncode == 1
            assert "another `menshen office ingest` is at work" in second.stderr
            assert "MENSHEN_OFFICE_DATABASE" in second.stderr
            assert "Traceback" not in second.stderr
            child.process.kill()
            child.process.wait(20)
            third = Child("ingest", command, tmp_path / "log", env=env)
            try:
                while listener.recv(200) != b"READY=1":
                    pass
            finally:
                third.stop()
        finally:
            child.stop()
