"""A trust list for people's eyes. Whatever came with it is made harmless first: a name may be anybody's text."""

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from menshen.trust.making import pass_key_id
from sync.contract.text import harmless
from sync.contract.trust import DAY_S, Issuer, PassKey, Signer, TrustList, day


def age(issued_s: int, now_s: int) -> str:
    """How long ago, in whole days."""
    days = (now_s - issued_s) // DAY_S
    if days < 0:
        return f"dated {_count(-days, 'day')} ahead of the clock here"
    return "issued today" if days == 0 else f"{_count(days, 'day')} old"


def summary(content: TrustList) -> str:
    """A list in one line."""
    countries = {signer.country for signer in content.signers}
    parts = [
        _count(len(content.pass_keys), "pass key"),
        _count(len(content.signers), "signer")
        + f" of {len(countries)} {'country' if len(countries) == 1 else 'countries'}",
        _count(len(content.issuers), "issuer"),
        _count(len(content.revoked_certificates), "revoked certificate"),
    ]
    return f"version {content.version}: {', '.join(parts)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def print_list(console: Console, content: TrustList, *, everything: bool) -> None:
    """What is in it. `everything`: every signer and key, not only how many."""
    tables = [_pass_keys(content.pass_keys)]
    tables += [_signers(content.signers) if everything else _countries(content.signers)]
    tables += [_issuer_keys(content.issuers) if everything else _issuers(content.issuers)]
    for table in tables:
        if table.row_count:
            console.print(table)
    if everything:
        for each in content.revoked_certificates:
            console.print(f"revoked certificate {each}")


def _pass_keys(keys: Iterable[PassKey]) -> Table:
    table = _table("Pass keys", "id", "name", "passes that begin", "state")
    for key in keys:
        state = Text("REVOKED", "bold red") if key.revoked else Text("believed", "green")
        table.add_row(pass_key_id(key.key), _text(key.name), _between(key.not_before_s, key.not_after_s), state)
    return table


def _countries(signers: Iterable[Signer]) -> Table:
    table = _table("Signers of EU certificates", "country", "how many")
    for country, count in sorted(Counter(signer.country for signer in signers).items()):
        table.add_row(_text(country or "not said"), str(count))
    return table


def _signers(signers: Iterable[Signer]) -> Table:
    table = _table("Signers of EU certificates", "country", "key id", "valid", "for")
    for each in sorted(signers, key=lambda signer: (signer.country, signer.kid)):
        valid = _between(each.not_before_s, each.not_after_s)
        table.add_row(_text(each.country or "not said"), each.kid, valid, _text(", ".join(each.usages) or "all"))
    return table


def _issuers(issuers: Iterable[Issuer]) -> Table:
    table = _table("Issuers of SMART Health Cards", "issuer", "name", "keys", "revoked cards")
    for each in issuers:
        revoked = sum(len(key.revoked) for key in each.keys)
        table.add_row(_text(each.iss), _text(each.name), str(len(each.keys)), str(revoked))
    return table


def _issuer_keys(issuers: Iterable[Issuer]) -> Table:
    table = _table("Issuers of SMART Health Cards", "issuer", "name", "key id", "revoked cards")
    for each in issuers:
        for key in each.keys:
            table.add_row(_text(each.iss), _text(each.name), _text(key.kid), str(len(key.revoked)))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _text(text: str) -> Text:
    return Text(harmless(text, 120))


def _between(begins_s: int, ends_s: int) -> str:
    parts: Iterator[str] = (
        f"{word} {day(seconds)}" for word, seconds in (("from", begins_s), ("until", ends_s)) if seconds
    )
    return " ".join(parts) or "at any time"
