"""Registers from files: however a spreadsheet writes them, all or nothing, and nothing of theirs does harm."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from central.accounts.models import User
from central.directory.models import Directory, Row
from central.holders.importing import MAX_BYTES, NotTaken, plan, take
from central.holders.models import Card, Holder, HolderStatus, ImportDraft
from central.holders.publishing import rebuild

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
    assert [line for line, _ in found.refused] == [3, 4, 5, 6, 7]
    assert "h-9" in found.refused[1].why and "line 2" in found.refused[3].why
    with pytest.raises(NotTaken):
        take(found)
    assert not Card.objects.exists()


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
