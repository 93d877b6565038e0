"""How a new trust list comes of an old one. Pure: what is read and what is written is the command's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.contract.ed25519 import is_public_key
from sync.contract.keys import key_id
from sync.contract.trust import Issuer, PassKey, Signer, TrustList

T = TypeVar("T")


class CannotMake(Exception):
    """The list that was asked for makes no sense: what, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be different from the old list. A part that is None is kept as it was; one that is given takes the old
    part's place whole, so that what a source has withdrawn is not believed any longer. Pass keys are named one by one."""

    version: int | None = None
    pass_keys: Sequence[PassKey] = ()
    revoke: Sequence[str] = ()
    retire: Sequence[tuple[str, int]] = ()
    """Keys, and the Unix seconds after which passes that begin are not believed."""
    signers: Sequence[Signer] | None = None
    issuers: Sequence[Issuer] | None = None
    revoked_certificates: Sequence[str] | None = None


def make_list(old: TrustList | None, changes: Changes, issued_s: int) -> TrustList:
    """The new list. Raises CannotMake."""
    before = TrustList(version=1, issued_s=issued_s) if old is None else old
    lowest = 1 if old is None else old.version + 1
    version = lowest if changes.version is None else changes.version
    if version < lowest:
        raise CannotMake(f"--version {version} is not above the old list's {lowest - 1}: no gate would take it")
    new = msgspec.structs.replace(
        before,
        version=version,
        issued_s=issued_s,
        pass_keys=_pass_keys(before.pass_keys, changes),
        signers=_chosen(before.signers, changes.signers),
        issuers=_chosen(before.issuers, changes.issuers),
        revoked_certificates=_chosen(before.revoked_certificates, changes.revoked_certificates),
    )
    return msgspec.convert(msgspec.to_builtins(new), TrustList)  # checks what the declarations ask for


def pass_key_id(key: str) -> str:
    """The 8 hexadecimal digits that name a pass key, in passes and for people."""
    return key_id(Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))).hex()


def _chosen(old: tuple[T, ...], new: Iterable[T] | None) -> tuple[T, ...]:
    return old if new is None else tuple(new)


def _pass_keys(old: Iterable[PassKey], changes: Changes) -> tuple[PassKey, ...]:
    keys = {key.key: key for key in old}
    for new in changes.pass_keys:
        if not is_public_key(bytes.fromhex(new.key)):
            raise CannotMake(f"pass key {new.key} is no Ed25519 public key: mistyped, or a placeholder")
        there = keys.get(new.key)
        if there is not None and there.revoked:
            raise CannotMake(f"pass key {pass_key_id(new.key)} was revoked: who has it can make passes; make a new one")
        keys[new.key] = new if there is None else msgspec.structs.replace(there, name=new.name or there.name)
    for named, until_s in changes.retire:
        key = _named(keys, named)
        keys[key.key] = msgspec.structs.replace(key, not_after_s=until_s)
    for named in changes.revoke:
        key = _named(keys, named)
        keys[key.key] = msgspec.structs.replace(key, revoked=True)
    return tuple(keys.values())


def _named(keys: Mapping[str, PassKey], name: str) -> PassKey:
    """The key that is meant: by its 64 digits, or by its 8."""
    found = [key for key in keys.values() if name in (key.key, pass_key_id(key.key))]
    if len(found) != 1:
        known = ", ".join(map(pass_key_id, keys)) or "none"
        raise CannotMake(f"pass key {name} is {'ambiguous' if found else 'not in the list'}; there are: {known}")
    return found[0]
