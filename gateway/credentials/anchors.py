"""Whose signatures are believed: a trust list, made ready for looking up."""

from dataclasses import dataclass, field

from gateway.credentials.eu_certificate import Signers
from gateway.credentials.smart_health_card import Issuers
from sync.contract.passes import PassKeys
from sync.contract.trust import TrustList, older_than


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """All of them. `version` 0: no trust list was ever imported. `issued_s`: when the office signed it."""

    version: int = 0
    issued_s: int = 0
    pass_keys: PassKeys = field(default_factory=lambda: PassKeys.of(()))
    signers: Signers = field(default_factory=lambda: Signers.of((), ()))
    issuers: Issuers = field(default_factory=lambda: Issuers.of(()))

    @classmethod
    def of(cls, content: TrustList) -> "Anchors":
        """Those of a list."""
        return cls(
            version=content.version,
            issued_s=content.issued_s,
            pass_keys=PassKeys.of(content.pass_keys),
            signers=Signers.of(content.signers, content.revoked_certificates),
            issuers=Issuers.of(content.issuers),
        )

    def older_than(self, days: int, now_s: int) -> bool:
        """Whether the list was signed more than so many days ago; no list has no age."""
        return self.version > 0 and older_than(self.issued_s, days, now_s)
