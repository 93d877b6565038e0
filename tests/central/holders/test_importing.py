"""Registers from files: however a spreadsheet writes them, all or nothing, and nothing of theirs does harm."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now as office_now

from central.accounts.models import User
from central.commands import office
from central.directory.models import Directory, Row
from central.directory.store import change
from central.holders import publishing
from central.holders.importing import MAX_BYTES, MOST_TOLD, NotTaken, plan, take
from central.holders.models import Card, Holder, HolderStatus, ImportDraft, Kept
from central.holders.publishing import rebuild
from central.registry.models import Gate
from sync.contract.directory import Table
from sync.log.keyed import Row as Sent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
SITE = "garden-court"
PEOPLE = "编号,姓名,类型,失效日期,已登记\r\nh-1,李四,居民,2026/11/27,是\r\nh-2,王五,访客,2026年12月1日,否\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_spreadsheets_way_of_writing_is_read(encoding: str, delimiter: str) -> None:
    found = plan("holders", SITE, PEOPLE.replace(",", delimiter).encode(encoding))
    assert (len(found.new), found.refused) == (2, [])
    take(found)
    assert list(Holder.objects.values_list("reference", "name", "pass_type", "registered")) == [
        ("h-1", "李四", "resident", True),
        ("h-2", "王五", "visitor", False),
    ]
    assert str(Holder.objects.get(reference="h-2").valid_until) == "2026-12-01"
    assert Directory.objects.get().version == 1, "one change for all"


def test_a_second_time_only_what_differs_changes() -> None:
    take(plan("holders", SITE, PEOPLE.encode()))
    again = plan("holders", SITE, PEOPLE.replace("王五", "王六").encode())
    assert ([str(each) for each in again.changed], again.unchanged, again.new) == (["h-2 王六"], 1, [])
    take(again)
    assert Holder.objects.get(reference="h-2").name == "王六"
    assert Directory.objects.get().version == 1, "a name is no gate's business"


def test_what_cannot_be_taken_is_named_and_nothing_is_taken() -> None:
    take(plan("holders", SITE, b"reference\nh-1\n"))
    bad = "uid,holder,lost\n04a1b2c3,h-1,no\nxyz,h-1,no\n04A1B2C4,h-9,no\n04A1B2C5,h-1,perhaps\n04A1B2C3,h-1,no\n,h-1,no\n\n"
    found = plan("cards", SITE, bad.encode())
    assert [(told.line, told.who) for told in found.refused] == [
        (3, "XYZ"), (4, "04A1B2C4"), (5, "04A1B2C5"), (6, "04A1B2C3"), (7, ""),
    ]  # fmt: skip
    assert "h-9" in found.refused[1].what and "line 2" in found.refused[3].what
    assert found.refused_count == 5
    with pytest.raises(NotTaken):
        take(found)
    assert not Card.objects.exists()


def test_all_that_is_wrong_in_a_line_is_said_at_once_and_of_whom() -> None:
    (told,) = plan("holders", SITE, "编号,valid_from,valid_until,registered\nh-1,soon,later,maybe\n".encode()).refused
    assert (told.line, told.who) == (2, "h-1")
    for column in ("valid from: ", "valid until: ", "registered at the gate: "):
        assert column in told.what.lower() or column.split()[0] in told.what.lower(), told.what
    assert told.what.count("; ") == 2


WRONG = {
    "holders": (
        "reference,pass_type,valid_from,valid_until,registered,sites,name\n"
        "h-1,resident,1999-01-01,1998-01-01,maybe,a/b,ok\n"
        "-,king,2026-01-02,2026-01-01,yes,,ok\n"
        f"h_!,tenant,soon,2020-01-01,no,,{'n' * 501}\n"
        "h-1,visitor,,2026-02-30,no,,ok\n"
        ",visitor,,,no,,ok\n"
        "h-2,visitor,,,no,,ok\n",
        [
            (2, "h-1", ["registered", "sites", "valid from", "valid until"]),
            (3, "-", ["kind", "reference", "valid until"]),
            (4, "h_!", ["name", "reference", "valid from"]),
            (5, "h-1", ["", "valid until"]),
            (6, "", ["reference"]),
        ],
    ),
    "cards": (
        "uid,holder,lost\nxyz,h-9,perhaps\n04A1B2C3,h-0,no\n04A1B2C3,h-9,no\n",
        [(2, "XYZ", ["card number", "holder", "reported lost"]), (4, "04A1B2C3", ["", "holder"])],
    ),
    "statuses": (
        "holder,until\nh-9,1999-01-01\n,soon\nh-0,\n",
        [(2, "h-9", ["holder", "until"]), (3, "", ["holder", "until"])],
    ),
    "bookings": (
        "holder,from,until\nh-9,2026-11-27 09:00,2026-11-29 09:00\nh-0,then,1999-11-27 09:00\n",
        [(2, "h-9 · 2026-11-27 09:00", ["holder", "until"]), (3, "h-0 · then", ["from", "until"])],
    ),
    "duty": (
        "name,role,begins_at,ends_at,phone,gate\nLi,boss,2026-11-27 09:00,2026-11-27 08:00,call me,nowhere\n",
        [(2, "Li · boss · 2026-11-27 09:00 · nowhere", ["duty", "gate", "phone", "until"])],
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_can_be_read_and_is_wrong_is_said_with_what_cannot(kind: str) -> None:
    take(plan("holders", SITE, b"reference,valid_from,valid_until\nh-0,2026-01-01,2026-12-31\n"))
    text, expected = WRONG[kind]
    found = plan(kind, SITE, text.encode())
    told = [
        (each.line, each.who, sorted(part.split(": ")[0] if ": " in part and not part.startswith("the same as") else "" for part in each.what.split("; ")))
        for each in found.refused
    ]  # fmt: skip
    assert told == expected, [each.what for each in found.refused]
    assert found.refused_count == len(expected)
    with pytest.raises(NotTaken):
        take(found)
    assert Holder.objects.count() == 1


def test_what_cannot_be_read_is_held_against_nothing_else() -> None:
    take(plan("holders", SITE, b"reference,valid_from,valid_until\nh-1,2026-06-01,2026-12-31\n"))
    (told,) = plan("holders", SITE, b"reference,valid_from,valid_until\nh-1,soon,2026-05-01\n").refused
    assert told.what == "valid from: a day such as 2026-11-27", (
        "nobody knows whether the last day lies before the first"
    )


def test_a_word_that_is_not_known_is_told_with_those_that_are() -> None:
    (told,) = plan("holders", SITE, b"reference,kind\nh-1,king\n").refused
    assert told.what.startswith("kind: one of resident, tenant, returnee, visitor, ")


def test_what_a_new_line_would_make_is_shown() -> None:
    found = plan("holders", SITE, "编号,姓名,类型,失效日期\nh-1,李四,租户,2026-12-01\nh-2,王五\n".encode())
    assert [each.what for each in found.told_new] == [
        "name: 李四; kind: tenant; valid until: 2026-12-01",
        "name: 王五; kind: resident; valid until: —",
    ]
    (card,) = plan("cards", SITE, b"uid,holder\n04a1b2c3,\n").told_new
    assert card.what == "holder: —"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ('h-2,"B,tenant,2026-12-01\n', "line 3: a quotation mark is not closed"),
        ('h-2,"B,tenant\nh-3,"C",tenant,2026-12-01\n', "line 3: a quotation mark is not closed"),
        ("h-2,Li", "the file ends within line 3, at column 2 of 4"),
    ],
)
def test_a_file_that_was_cut_or_bent_is_not_taken_for_a_person_without_an_end(end: str, said: str) -> None:
    with pytest.raises(NotTaken, match=said):
        plan("holders", SITE, f"reference,name,type,valid_until\nh-1,A,tenant,2026-12-01\n{end}".encode())


@pytest.mark.parametrize("end", ["h-2,Li\n", "h-2,Li,,", "h-2,Li,,\n\n", "h-2,Li,,\n  "])
def test_spreadsheets_leave_out_what_is_empty_at_the_end_of_a_line(end: str) -> None:
    assert len(plan("holders", SITE, f"reference,name,type,valid_until\n{end}".encode()).new) == 1


def test_more_wrong_lines_than_are_told_are_counted() -> None:
    found = plan("holders", SITE, b"reference\n" + b"".join(b"h!%d\n" % number for number in range(MOST_TOLD + 5)))
    assert (len(found.refused), found.refused_count) == (MOST_TOLD, MOST_TOLD + 5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing,of,ours\n1,2,3\n",
        b"PK\x03\x04rest",
        b"reference\nh\x00-1\n",
        b"\xff\xfe\xff\x81",
        b"x" * (MAX_BYTES + 1),
    ],
    ids=["empty", "strange", "workbook", "NUL", "no text", "too large"],
)
def test_what_is_no_such_table_is_refused_whole(data: bytes) -> None:
    with pytest.raises(NotTaken):
        plan("holders", SITE, data)


@pytest.mark.parametrize(
    "cell", ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "'; DROP TABLE holders_holder; --", "a" * 501]
)
def test_hostile_cells_are_text_or_refused(client: Client, cell: str) -> None:
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    body = f'reference,name\nh-1,"{cell}"\n'.encode()
    answer = client.post(
        "/admin/import/", {"kind": "holders", "site": SITE, "file": SimpleUploadedFile("a.csv", body)}, follow=True
    )
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()
    if len(cell) > 500:
        assert not Holder.objects.exists()
        return
    assert client.post(answer.redirect_chain[-1][0]).status_code == 302
    assert Holder.objects.get().name == cell
    assert "<script>alert" not in client.get("/admin/holders/holder/").content.decode()
    assert not ImportDraft.objects.exists()


def test_nobody_takes_anothers_file(client: Client) -> None:
    other = User.objects.create(username="other", is_staff=True, is_superuser=True)
    draft = ImportDraft.objects.create(by=other, kind="holders", site=SITE, data=b"reference\nh-1\n")
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    assert client.post(f"/admin/import/{draft.pk}/").status_code == 404
    assert not Holder.objects.exists()


def test_20_000_holders_with_cards_and_a_repair() -> None:
    people = "reference,name\n" + "".join(f"h-{n:05},n{n}\n" for n in range(20_000))
    cards = "uid,holder\n" + "".join(f"{n:010X},h-{n:05}\n" for n in range(20_000))
    take(plan("holders", SITE, people.encode()))
    take(plan("cards", SITE, cards.encode()))
    take(plan("statuses", SITE, b"holder,until\nh-00001,2026-12-01\n"))
    assert (Row.objects.count(), Directory.objects.get().version) == (40_001, 3)
    mark = rebuild(SITE)
    assert mark.version == 3, "nothing differs"
    Row.objects.filter(table="card", key=f"{7:010X}").update(value=b"{}")
    Row.objects.filter(table="status").delete()
    assert rebuild(SITE).version == 4
    assert HolderStatus.objects.count() == Row.objects.filter(table="status").count() == 1


def test_what_the_file_would_change_is_told_line_by_line_and_by_whom_it_was_taken_is_kept(client: Client) -> None:
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    take(plan("holders", SITE, PEOPLE.encode()))
    body = (
        PEOPLE.replace("访客", "租户").replace("已登记", "<b>Zimmer</b>").replace(",否", ",12") + "h-3,赵六,居民,,\r\n"
    )
    file = SimpleUploadedFile("a.csv", body.encode())
    answer = client.post("/admin/import/", {"kind": "holders", "site": SITE, "file": file}, follow=True)
    page = answer.content.decode()
    assert "kind: visitor → tenant" in page and "h-3 赵六" in page and "1 are as they are" in page
    assert "<b>Zimmer" not in page and "&lt;b&gt;Zimmer&lt;/b&gt;" in page, "a column that is passed over is told"
    preview = answer.redirect_chain[-1][0]
    client.get(preview)
    assert Holder.objects.count() == 2, "to look is not to take"
    client.post(preview, {"take": ""})
    assert list(Holder.objects.values_list("reference", "pass_type")) == [
        ("h-1", "resident"), ("h-2", "tenant"), ("h-3", "resident"),
    ]  # fmt: skip
    told = LogEntry.objects.get()
    assert (told.user.get_username(), told.change_message) == ("li", "from a file: 1 added, 1 changed, 1 as before")
    assert client.post(preview, {"take": ""}).status_code == 404, "taken once"


def test_another_holder_of_a_card_is_told() -> None:
    take(plan("holders", SITE, PEOPLE.encode()))
    for holders, told in [(("h-1", ""), []), (("h-2", "h-1"), ["holder: h-1 李四 → h-2 王五", "holder: — → h-1 李四"])]:
        found = plan("cards", SITE, "uid,holder\n04A1B2C3,{}\n04A1B2C4,{}\n".format(*holders).encode())
        assert [each.what for each in found.told_changed] == told
        take(found)
    assert set(Card.objects.values_list("uid", "holder__reference")) == {("04A1B2C3", "h-2"), ("04A1B2C4", "h-1")}


def test_whoever_may_not_change_the_register_takes_no_file(client: Client) -> None:
    staff = User.objects.create(username="li", is_staff=True)
    client.force_login(staff)
    given = {"kind": "holders", "site": SITE}
    for allowed, status in [((), 403), (("add_card", "change_card", "add_holder"), 403), (("change_holder",), 302)]:
        staff.user_permissions.add(*Permission.objects.filter(codename__in=allowed, content_type__app_label="holders"))
        file = SimpleUploadedFile("a.csv", b"reference\nh-1\n")
        assert client.post("/admin/import/", given | {"file": file}).status_code == status
    staff.user_permissions.clear()
    draft = ImportDraft.objects.get()
    assert client.post(f"/admin/import/{draft.pk}/", {"take": ""}).status_code == 403
    assert not Holder.objects.exists()


@pytest.mark.parametrize("day", ["1999-12-31", "3000-01-01", "9999-12-31", "0001-01-01"])
def test_days_that_would_overflow_are_refused(day: str) -> None:
    found = plan("holders", SITE, f"reference,valid_until\nh-1,{day}\n".encode())
    assert [told.what for told in found.refused] == ["valid until: lies before 2000 or after 2999"]


def test_what_somebody_changed_meanwhile_is_not_undone() -> None:
    take(plan("holders", SITE, PEOPLE.encode()))
    found = plan("holders", SITE, "reference,name\nh-1,李五\n".encode())
    Holder.objects.get(reference="h-1").delete()
    holder = Holder.objects.get(reference="h-2")
    holder.registered = True
    holder.save()
    take(found)
    assert not Row.objects.filter(key="h-1").exclude(value=None).exists(), "deleted meanwhile"
    found = plan("holders", SITE, "reference,name\nh-2,王六\n".encode())
    holder.extended = True
    holder.save()
    take(found)
    row = Row.objects.get(key="h-2")
    assert b'"extended":true' in bytes(row.value or b"") and Holder.objects.get().name == "王六"
    mark = rebuild(SITE)
    assert mark.version == Directory.objects.get().version and rebuild(SITE) == mark, "nothing differs"


# while others write


def test_nothing_is_looked_up_while_others_wait() -> None:
    people = "reference,valid_until\n" + "".join(f"h-{number:04},2026-12-01\n" for number in range(1_500))
    take(plan("holders", SITE, people.encode()))
    found = plan("holders", SITE, people.replace("2026", "2027").encode())
    with CaptureQueriesContext(connection) as seen:
        take(found)
    said = [each["sql"] for each in seen.captured_queries]
    begin = next(place for place, sql in enumerate(said) if sql.startswith("SAVEPOINT"))
    looked_up = [sql for sql in said[begin:] if sql.startswith("SELECT") and '"directory_directory"' not in sql]
    assert looked_up == [] and any("holders_holder" in sql for sql in said[:begin])
    assert Row.objects.filter(version=2).count() == 1_500
    assert rebuild(SITE).version == 2, "what was foreseen is what is there"


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let somebody else come first, after all was looked up."""
    hold = publishing._hold

    def late(objects: Iterable[Kept]) -> list[str]:
        monkeypatch.setattr(publishing, "_hold", hold)
        act()
        return hold(objects)

    monkeypatch.setattr(publishing, "_hold", late)


def _extend() -> None:
    holder = Holder.objects.get(reference="h-2")
    holder.extended = True
    holder.save()


@pytest.mark.parametrize(
    ("act", "left"),
    [(_extend, ["h-1", "h-2"]), (lambda: Holder.objects.get(reference="h-2").delete(), ["h-1"])],
    ids=["changed", "deleted"],
)
def test_who_comes_between_looking_and_writing_is_not_undone(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], left: list[str]
) -> None:
    take(plan("holders", SITE, PEOPLE.encode()))
    found = plan("holders", SITE, PEOPLE.replace("2026", "2027").encode())
    _meanwhile(monkeypatch, act)
    take(found)
    there = {row.key: bytes(row.value) for row in Row.objects.exclude(value=None) if row.value is not None}
    assert sorted(there) == left
    assert [each.reference for each in Holder.objects.filter(valid_until__year=2027)] == left
    assert (b'"extended":true' in there.get("h-2", b"")) is (act is _extend)
    mark = rebuild(SITE)
    assert mark.version == Directory.objects.get().version == 3, "nothing differs"


def test_what_changes_in_another_table_lets_stand_what_was_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    take(plan("holders", SITE, PEOPLE.encode()))
    found = plan("holders", SITE, PEOPLE.replace("2026", "2027").encode())
    _meanwhile(monkeypatch, lambda: change(SITE, [Sent(Table.ELSEWHERE, "north-1", b"{}")], office_now()))
    monkeypatch.setattr(Holder, "tell", lambda *_: pytest.fail("all was looked up again"))
    take(found)
    assert [each.valid_until.year for each in Holder.objects.exclude(valid_until=None) if each.valid_until] == [
        2027,
        2027,
    ]
    mark = rebuild(SITE)
    assert mark.version == Directory.objects.get().version == 3, "nothing differs"


def test_all_is_taken_or_nothing_where_a_line_has_come_true_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    take(plan("holders", SITE, PEOPLE.encode()))
    take(plan("cards", SITE, b"uid,holder\n04A1B2C3,h-1\n"))
    found = plan("cards", SITE, b"uid,holder\n04A1B2C3,h-2\n04A1B2C4,h-2\n")
    assert (len(found.changed), len(found.new)) == (1, 1)
    _meanwhile(monkeypatch, lambda: Card(site=SITE, uid="04A1B2C4").save())
    with pytest.raises(NotTaken, match="look at it again"):
        take(found)
    monkeypatch.undo()
    assert Card.objects.get(uid="04A1B2C3").holder == Holder.objects.get(reference="h-1")
    assert rebuild(SITE).version == Directory.objects.get().version, "nothing differs"


# a site that is none


def imported(tmp_path: Path, *words: str) -> Result:
    """The command line, with a file of two people."""
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE, "utf-8")
    return CliRunner().invoke(office, ["directory", "import", "holders", str(file), *words])


def test_a_mistyped_site_is_refused_and_a_new_one_is_said_to_be_new(tmp_path: Path) -> None:
    Gate.objects.create(pk="north-1", admitted=True, site=SITE)
    done = imported(tmp_path, "--site", "garden-cuort")
    assert done.exit_code == 2
    assert "'garden-cuort': no gate belongs to such a site" in done.output
    assert f"there are: {SITE}" in done.output
    assert not Holder.objects.exists()
    assert imported(tmp_path, "--site", "garden-cuort", "--dry-run").exit_code == 2
    assert "taken: 2 to add" in imported(tmp_path, "--site", SITE).output
    assert "taken: 2 to add" in imported(tmp_path, "--site", "river-court", "--new-site").output
    assert "2 as before" in imported(tmp_path, "--site", "river-court").output, "once there, it is known"


def test_the_page_doubts_a_site_that_no_gate_belongs_to(client: Client) -> None:
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    Gate.objects.create(pk="north-1", admitted=True, site=SITE)
    doubts = []
    for site in (SITE, "garden-cuort"):
        file = SimpleUploadedFile("a.csv", PEOPLE.encode())
        answer = client.post("/admin/import/", {"kind": "holders", "site": site, "file": file}, follow=True)
        doubts.append("No gate belongs to the site garden-cuort" in answer.content.decode())
    assert doubts == [False, True]
    assert SITE in answer.content.decode()
