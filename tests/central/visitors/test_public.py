"""The form that everybody can reach: what it takes, what it refuses, and what it tells nobody."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils.timezone import now as office_now
from pytest_django import Settings

from central.bookings.models import Booking, TimeSlot
from central.directory.models import Row
from central.holders.models import Holder
from central.registry.models import Gate
from central.visitors import forms, public
from central.visitors.middleware import MOST_BYTES
from central.visitors.models import Registration, VisitorPolicy
from central.visitors.signs import renew, token_of
from menshen.keys import public_hex, read_key_file
from sync.contract.colours import PassType
from sync.contract.passes import PassKeys, verify_pass
from sync.contract.trust import PassKey
from tests.central.visitors.conftest import SITE
from tests.central.web.test_alarms import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
WANG = {
    "name": "王小明",
    "phone": "138 0013 8000",
    "whom": "李四 3-501",
    "purpose": "visit",
    "consent": "on",
    "more": "",
}


def stamp(client: Client, address: str) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', client.get(address).content.decode())
    assert found is not None
    return found[1]


def post(client: Client, address: str, given: dict[str, str], **how: Any) -> Any:
    """As a browser sends a form."""
    return client.post(address, urlencode(given), content_type="application/x-www-form-urlencoded", **how)


def send(client: Client, address: str, **values: str) -> tuple[int, str]:
    """Fill it in and send it; the status and what is read then."""
    given = {**WANG, "stamp": stamp(client, address)} | values
    answer = post(client, address, given, follow=True)
    return answer.status_code, text(answer.content)


def test_who_registers_waits_for_the_guard(client: Client, address: str) -> None:
    page = text(client.get(address, headers={"Accept-Language": "zh-CN"}).content)
    assert "花园小区 · 北门" in page
    status, said = send(client, address, plate="京a·12345", phone="+86 （138）００１３-8000")
    assert status == 200 and "Please wait" in said
    kept = Registration.objects.get()
    assert (kept.name, kept.phone, kept.plate, kept.state) == ("王小明", "+8613800138000", "京A12345", "waiting")
    assert (kept.site, kept.gate_id, kept.decided_by) == (SITE, "north-gate", None)
    assert not Holder.objects.exists()


def test_where_the_site_says_so_the_pass_comes_at_once(client: Client, address: str, key: Path) -> None:
    VisitorPolicy.objects.update(decides="auto", hours=3)
    before = office_now()
    status, said = send(client, address)
    assert status == 200 and "访客 Visitor" in said and "Hold this before the reader" in said
    kept = Registration.objects.get()
    assert kept.holder is not None and kept.ends is not None
    keys = PassKeys.of([PassKey(key=public_hex(read_key_file(key)))])
    shown = verify_pass(kept.pass_text, keys)
    assert shown.content.pass_type is PassType.VISITOR and shown.content.holder == kept.holder.reference
    assert shown.why_not(site=SITE, at_s=int(before.timestamp())) == ""
    assert shown.why_not(site=SITE, at_s=int((before + timedelta(hours=3, seconds=9)).timestamp())) == "expired"
    row = Row.objects.get(directory=SITE, table="holder")
    assert row.key == kept.holder.reference and row.value is not None
    told = json.loads(bytes(row.value))
    assert told["registered"] is True and told["pass_type"] == "visitor" and "王" not in str(told)


def test_a_flood_fills_no_gates_directory_where_the_site_lets_everybody_in(
    client: Client, address: str, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    VisitorPolicy.objects.update(decides="auto")
    monkeypatch.setattr(public, "MOST_LET_IN", 2)
    said = [send(client, address)[1] for _ in range(3)]
    assert ["Please wait" in each for each in said] == [False, False, True]
    assert Holder.objects.count() == Row.objects.filter(table="holder").count() == 2
    Registration.objects.filter(state="approved").update(ends=office_now())
    assert "Please wait" not in send(client, address)[1]


def test_without_a_key_it_waits_for_a_clerk(client: Client, address: str) -> None:
    VisitorPolicy.objects.update(decides="auto")
    assert "Please wait" in send(client, address)[1]
    assert Registration.objects.get().state == "waiting" and not Holder.objects.exists()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"name": "x" * 41}, "at most 40"),
        ({"name": "a\u202eb"}, "cannot be printed"),
        ({"name": "\u200b"}, "cannot be printed"),
        ({"phone": "call me"}, "Digits only"),
        ({"phone": "1234"}, "Digits only"),
        ({"phone": "1" * 16}, "Digits only"),
        ({"plate": "<b>"}, "Letters and digits only"),
        ({"purpose": "burglary"}, "burglary is not one of the available choices"),
        ({"whom": "   "}, "Please fill this in."),
        ({"consent": ""}, "Without your consent"),
        ({"more": "https://pills.example"}, "press the button once more"),
        ({"stamp": "forged:x:y"}, "open for too long"),
        ({"stamp": ""}, "▲"),
        ({"name": "a\0b"}, "Null characters are not allowed"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_kept(
    client: Client, address: str, values: dict[str, str], said: str
) -> None:
    status, page = send(client, address, **values)
    assert status == 200 and said in page
    assert not Registration.objects.exists()


def test_what_was_typed_stays_and_is_no_markup(client: Client, address: str) -> None:
    given = {**WANG, "stamp": stamp(client, address), "name": '"><script>alert(1)</script>', "phone": "x"}
    page = post(client, address, given).content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page and "李四 3-501" in page


def test_faster_than_anybody_types_and_too_late(client: Client, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = stamp(client, address)
    monkeypatch.setattr(forms, "FILLED_IN_S", 2)
    assert "very quick" in send(client, address)[1]
    monkeypatch.setattr(forms, "FILLED_IN_S", -1)
    monkeypatch.setattr(forms, "GOOD_FOR_S", -1)
    assert "open for too long" in send(client, address, stamp=begun)[1]


def test_sent_twice_is_one(client: Client, address: str) -> None:
    same = stamp(client, address)
    for _ in range(3):
        assert "Please wait" in send(client, address, stamp=same)[1]
    assert Registration.objects.count() == 1


def test_delivery_alone_has_goods_and_bay(client: Client, address: str) -> None:
    VisitorPolicy.objects.update(bays="A1 A2")
    send(client, address, purpose="visit", goods="fridge", bay="A1")
    send(client, address, purpose="delivery", goods="fridge", bay="A2")
    assert set(Registration.objects.values_list("goods", "bay")) == {("", ""), ("fridge", "A2")}
    assert "not one of the available" in send(client, address, purpose="delivery", bay="Z9")[1]


def a_slot(places: int) -> str:
    """A slot of tomorrow; its value in the form."""
    slot = TimeSlot.objects.create(site=SITE, begins="00:01", ends="23:59", places=places)
    tomorrow = forms.slot_offers(SITE, office_now())[-1]
    assert (slot.places, tomorrow.places) == (places, places)
    return f"{tomorrow.begins:%Y%m%d%H%M}-{tomorrow.ends:%H%M}"


def test_a_time_is_booked_with_the_pass_and_the_pass_begins_then(client: Client, address: str, key: Path) -> None:
    VisitorPolicy.objects.update(decides="auto", asks_slot=True)
    key_of = a_slot(1)
    assert "Please fill this in." in send(client, address)[1]
    assert "still free" in send(client, address, slot="203001010000-0100")[1]
    assert "1 place left" in text(client.get(address).content)
    assert "Come between" in send(client, address, slot=key_of)[1]
    booked, kept = Booking.objects.get(), Registration.objects.get()
    assert kept.holder == booked.holder and kept.begins == booked.begins == kept.slot_begins
    assert Row.objects.filter(table="booking", key=booked.holder.reference).exclude(value=None).exists()
    assert "✕ full" in text(client.get(address).content)
    status, said = send(client, address, slot=key_of)
    assert status == 200 and "still free" in said and Registration.objects.count() == 1


def test_a_slot_that_fills_up_meanwhile_is_told_and_leaves_nothing(
    client: Client, address: str, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    VisitorPolicy.objects.update(decides="auto", asks_slot=True)
    key_of = a_slot(1)
    send(client, address, slot=key_of)
    monkeypatch.setattr(forms.VisitorForm, "clean_slot", lambda form: form.cleaned_data.get("slot", ""))
    assert "1 of 1 places are taken" in send(client, address, slot=key_of)[1]
    assert Registration.objects.count() == Holder.objects.count() == 1


def test_all_signs_that_lead_nowhere_are_answered_alike(client: Client, address: str) -> None:
    token = address.split("/")[2]
    gate = Gate.objects.get()
    answers = {
        client.get(bad).content
        for bad in (
            "/v/x/",
            "/v/a%00b/",
            "/v/pass/a%00b/",
            "/v/pass/a%00b/part/",
            f"/v/{token[:-1]}x/",
            f"/v/{'a' * 5000}/",
            "/v/pass/abc/",
            "/v/pass/abc/part/",
        )
    }
    renewed = token_of(renew(gate, office_now()))
    answers.add(client.get(address).content)
    assert client.get(f"/v/{renewed}/").status_code == 200
    for change in ({"decides": "closed"}, {"site": "other"}):
        VisitorPolicy.objects.update(**change)
        answers.add(client.get(f"/v/{renewed}/").content)
    VisitorPolicy.objects.update(decides="ask", site=SITE)
    Gate.objects.update(admitted=False)
    answers.add(client.get(f"/v/{renewed}/").content)
    plain = {
        re.sub(rb'value="[^"]*"', b"", answer) for answer in answers
    }  # but for the form's own token and the way back
    assert len(plain) == 1 and b"good no longer" in plain.pop()


def test_too_many_from_one_address_and_at_one_gate(
    client: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = stamp(client, address)
    for _ in range(30):
        assert send(client, address, stamp=same)[0] == 200
    given = {**WANG, "stamp": same}
    refused = post(client, address, given)
    assert refused.status_code == 429 and refused["Retry-After"] == "600" and "王小明" in refused.content.decode()
    assert post(client, address, given, REMOTE_ADDR="10.0.0.2").status_code == 302, "others still can"
    for number in range(120):
        last = post(client, address, given, REMOTE_ADDR=f"10.0.1.{number}").status_code
    assert last == 429, "until the gate has had enough"
    monkeypatch.setattr(public, "MOST_WAITING", 1)
    public.PER_GATE.forget()
    assert post(client, address, given, REMOTE_ADDR="10.0.0.3").status_code == 429


def test_tokens_are_not_guessed_for_long(client: Client, policy: VisitorPolicy) -> None:
    codes = [client.get(f"/v/pass/{number}/").status_code for number in range(70)]
    assert codes[0] == 404 and codes[-1] == 429


def test_behind_a_proxy_it_is_the_proxys_word_that_counts(client: Client, address: str, settings: Settings) -> None:
    given = {**WANG, "stamp": stamp(client, address)}
    for number in range(31):
        last = post(client, address, given, headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
    assert last == 429, "without a proxy nobody names an address of their own"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert post(client, address, given, headers={"X-Forwarded-For": "spoofed, 10.9.9.9"}).status_code == 302


def test_large_bodies_and_files_are_not_read(client: Client, address: str) -> None:
    form = "application/x-www-form-urlencoded"
    assert client.post(address, "a=" + "b" * MOST_BYTES, content_type=form).status_code == 413
    assert client.post(address, {"name": "x"}).status_code == 415, "files come with multipart"
    assert client.post(address, "{}", content_type="application/json").status_code == 415
    assert client.post(address, "a", content_type=form, CONTENT_LENGTH="-1").status_code == 413


def test_a_form_of_somebody_elses_is_refused_in_plain_words(address: str) -> None:
    guarded = Client(enforce_csrf_checks=True)
    given = {**WANG, "stamp": stamp(guarded, address)}
    fresh = Client(enforce_csrf_checks=True)
    answer = fresh.post(
        address, "&".join(f"{key}=x" for key in given), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 403 and "scan the sign at the gate once more" in text(answer.content)
    assert not Registration.objects.exists()


def test_the_page_asks_until_there_is_an_answer_and_tells_nothing_of_others(
    client: Client, address: str, key: Path
) -> None:
    VisitorPolicy.objects.update(decides="ask")
    Holder.objects.create(site=SITE, reference="h-1", name="住户张三")
    assert "张三" not in client.get(address).content.decode()
    send(client, address)
    kept = Registration.objects.get()
    page = client.get(f"/v/pass/{kept.token}/").content.decode()
    assert "王小明" not in page and kept.phone not in page, "whoever finds the address learns nothing of who it is"
    asked = re.search(r'hx-get="([^"]+)"', page)
    assert asked is not None
    assert client.get(asked[1]).status_code == 204
    Registration.objects.update(made_at=office_now() - timedelta(hours=3))
    answer = client.get(asked[1])
    assert "Nobody has answered" in text(answer.content) and "hx-get" not in answer.content.decode()


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_every_public_page_has_the_policy_and_the_language_of_the_phone(
    client: Client, address: str, language: str
) -> None:
    for path in (address, "/v/nowhere/"):
        answer = client.get(path, headers={"Accept-Language": language})
        page = answer.content.decode()
        assert f'<html lang="{"zh-hans" if language == "zh-CN" else "en"}">' in page
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)
        assert "unsafe" not in answer["Content-Security-Policy"] and answer["Cache-Control"] == "no-store"
