"""The sections [resolvers.NAME]: read, checked, and every mistake named at its key."""

from pathlib import Path

import pytest

from gateway.config import load
from gateway.config.settings import RequestFormat, WhenNoAnswer
from tests.certificates import Authority
from tests.gateway.config.files import devices, problem, problems, sections

RIGHT = {
    "pattern": '"JKM:{code}"',
    "endpoint": '"https://jkm.example.gov.cn/verify"',
    "request_field": '"bizExtData"',
    "answer_field": '"data.status"',
}


def gate(name: str = "province", more: str = "", **changes: str) -> str:
    """A gate with one resolver. `changes`: keys as they stand in the file; "" leaves one out."""
    keys = {key: value for key, value in (RIGHT | changes).items() if value}
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f"{sections()}{devices()}[resolvers.{name}]\n{lines}{more}"


def test_a_resolver_with_everything(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("gate")
    (tmp_path / "token").write_text("abc.DEF-123~+/=\n")
    path = tmp_path / "gate.toml"
    path.write_text(
        gate(
            code_characters='"+/="',
            code_min_length="8",
            code_max_length="64",
            request_format='"form"',
            request='{ appId = "gate-1", level = 2, live = true }',
            token_file='"token"',
            ca_file='"authority.pem"',
            certificate_file='"gate.pem"',
            key_file='"gate.key"',
            green='["00", "1"]',
            timeout_s="2",
            cache_s="30",
            offline_cache_s="600",
            when_no_answer='"refuse"',
        )
    )
    (resolver,) = load(path, {}).resolvers
    assert (resolver.name, resolver.around, resolver.token) == ("province", ("JKM:", ""), "abc.DEF-123~+/=")
    assert resolver.request == {"appId": "gate-1", "level": 2, "live": True}
    assert resolver.request_format is RequestFormat.FORM and resolver.when_no_answer is WhenNoAnswer.REFUSE
    assert (resolver.certificate_file, resolver.green) == (pair.certificate, ("00", "1"))
    assert "abc.DEF" not in repr(resolver)


def test_several_in_the_order_of_the_file_and_none(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    second = '[resolvers.b]\npattern = "X{code}"\nendpoint = "http://localhost:8/"\nrequest_field = "c"\nanswer_field = "s"\n'
    path.write_text(gate("z", second))
    assert [resolver.name for resolver in load(path, {}).resolvers] == ["z", "b"]
    path.write_text(sections() + devices())
    assert load(path, {}).resolvers == ()


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"pattern": '"JKM:"'}, "pattern", "must have {code} once"),
        ({"pattern": '"{code}{code}"'}, "pattern", "must have {code} once"),
        ({"pattern": '"{code}"'}, "pattern", "every text that is scanned would be sent away"),
        ({"pattern": r'"a\n{code}"'}, "pattern", "is not accepted"),
        ({"pattern": '""'}, "pattern", "must not be empty"),
        ({"pattern": ""}, "pattern", "is missing"),
        ({"code_characters": '"é"'}, "code_characters", "is not accepted"),
        ({"code_min_length": "9", "code_max_length": "8"}, "code_min_length", "above code_max_length, which is 8"),
        ({"endpoint": '"http://jkm.example.gov.cn/"'}, "endpoint", "must begin with https://"),
        ({"endpoint": '"http://127.0.0.1.example.com/"'}, "endpoint", "must begin with https://"),
        ({"endpoint": '"ftp://jkm.example.gov.cn/"'}, "endpoint", "begins with https://"),
        ({"endpoint": '"jkm.example.gov.cn/x"'}, "endpoint", "begins with https://"),
        ({"endpoint": '"https:///x"'}, "endpoint", "begins with https://"),
        ({"endpoint": '"https://jkm.example:99999/"'}, "endpoint", "is no address"),
        ({"endpoint": '"https://[::1/"'}, "endpoint", "is no address"),
        ({"endpoint": '"https://u:p@jkm.example/"'}, "endpoint", "token_file"),
        ({"endpoint": '"https://jkm.example/?id={code}"'}, "endpoint", "the code is sent in request_field"),
        ({"endpoint": '"https://jkm.example/ x"'}, "endpoint", "is not accepted"),
        ({"request_field": ""}, "request_field", "is missing"),
        ({"request": '{ bizExtData = "x" }'}, "request.bizExtData", "is the field that holds {code}"),
        ({"request": "{ a = 1.5 }"}, "request", "must be a table of texts, whole numbers"),
        ({"request": '"a=1"'}, "request", "must be a table of texts, whole numbers"),
        ({"request_format": '"xml"'}, "request_format", "is none of json, form"),
        ({"answer_field": '"data..status"'}, "answer_field", "lacks a name beside a dot"),
        ({"green": "[]"}, "green", "nobody could ever pass"),
        ({"green": "[0]"}, "green[0]", "must be text in quotes"),
        ({"red": '["red", "green"]'}, "red[1]", "already means green"),
        ({"timeout_s": "5"}, "timeout_s", "must be below reading_valid_s of [policy.visit], which is 5"),
        ({"timeout_s": "500"}, "timeout_s", "out of range: 0.2 to 20 s"),
        ({"when_no_answer": '"accept"'}, "when_no_answer", "is none of guard, refuse"),
        ({"ca_file": '"none.pem"'}, "ca_file", "does not exist"),
        ({"ca_file": '"gate.toml"'}, "ca_file", "holds no certificates in PEM"),
        ({"certificate_file": '"gate.toml"'}, "certificate_file", "cannot be used together"),
        ({"key_file": '"gate.toml"'}, "key_file", "without certificate_file"),
        ({"token_file": '"none"'}, "token_file", "does not exist"),
        ({"token_file": '"gate.toml"'}, "token_file", "must hold one line"),
        ({"timout_s": "1"}, "timout_s", "the nearest known one is timeout_s"),
        ({"cache_ms": "1"}, "cache_ms", "here it is cache_s, in seconds"),
        ({"password": '"x"'}, "password", "password_file"),
    ],
)
def test_every_mistake_has_its_key_and_words(tmp_path: Path, changes: dict[str, str], key: str, words: str) -> None:
    found, text = problem(tmp_path, gate(**changes))
    assert found == f"resolvers.province.{key}"
    assert words in text


def test_a_problem_has_its_line(tmp_path: Path) -> None:
    text = gate(endpoint='"http://jkm.example.gov.cn/"')
    (found,) = problems(tmp_path, text)
    assert text.splitlines()[found.line - 1].startswith("endpoint = ")


def test_a_token_that_would_not_fit_a_header(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("two words")
    key, text = problem(tmp_path, gate(token_file='"token"'))
    assert key == "resolvers.province.token_file" and "no bearer token" in text and "two words" not in text


def test_a_bare_token_may_be_asked_about_where_it_is_long(tmp_path: Path) -> None:
    assert problems(tmp_path, gate(pattern='"{code}"', code_min_length="16")) == []


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("resolvers = 3\n" + sections() + devices(), "resolvers", "must be sections of their own"),
        (sections() + devices() + "[resolvers]\nx = 3\n", "resolvers.x", "must be a section"),
        (gate("Big"), "resolvers.Big", "is no name for a resolver"),
        (sections() + devices() + "[resolver.x]\n", "resolver", "the nearest known one is [resolvers]"),
    ],
)
def test_sections_that_are_none(tmp_path: Path, text: str, key: str, words: str) -> None:
    found, said = problem(tmp_path, text)
    assert found == key and words in said


def test_the_same_pattern_twice(tmp_path: Path) -> None:
    second = "[resolvers.again]\n" + "".join(f"{key} = {value}\n" for key, value in RIGHT.items())
    key, text = problem(tmp_path, gate(more=second))
    assert key == "resolvers.again.pattern" and "[resolvers.province]" in text
