"""What comes on a gate's `cmd` topic, judged by what stands in the message: is it the office's (on the road to the guard post:
the post's, who may only acknowledge), for this gate, for now?

Whatever is refused has one machine word; nothing of what somebody else wrote goes further than that. What is good is handed
to the core, which judges again what only it knows: what was carried out before, and whether the gate as it stands allows it.
"""

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.core.events import Commanded, CommandRefused
from sync.contract.commands import MAX_SEALED, Acknowledge, Command, NoCommand, action_of, unseal_command
from sync.contract.sealed import NotSealed, SealError

Post = Callable[[Commanded | CommandRefused], None]


class OrderRefused(Exception):
    """No command for this gate now. `reason`: one machine word; `detail`: what it was, as far as the office has signed it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class Orders:
    """Judges what comes for one gate in one boot. `keys`: the office's, pinned; `boot`: 32 hexadecimal digits; `now_ms`:
    milliseconds since that boot; `post` must only hand on. `of_post`: the keys are the guard post's."""

    def __init__(
        self,
        gate: str,
        boot: str,
        keys: Sequence[Ed25519PublicKey],
        *,
        now_ms: Callable[[], int],
        post: Post,
        of_post: bool = False,
    ) -> None:
        self._gate = gate
        self._boot = boot
        self._keys = keys
        self._now_ms = now_ms
        self._post = post
        self._of_post = of_post

    def received(self, _topic: str, payload: bytes) -> None:
        """A message came. From the link's thread; never raises and never blocks."""
        try:
            command = self.judge(payload)
        except OrderRefused as refused:
            self._post(CommandRefused(refused.reason, refused.detail))
        else:
            self._post(Commanded(command, of_post=self._of_post))

    def kept(self, _topic: str, _payload: bytes) -> None:
        """A message came that the broker had kept for later: no command is ever meant for later."""
        self._post(CommandRefused("retained"))

    def judge(self, payload: bytes) -> Command:
        """The command in `payload`. Raises OrderRefused: `malformed`, `forged`, `not-for-post`, `other-gate`, `other-boot`,
        `late`."""
        command = self._unsealed(payload)
        detail = f"{action_of(command)} {command.id}"
        if self._of_post and not isinstance(command, Acknowledge):
            raise OrderRefused("not-for-post", detail)
        if command.gate != self._gate:
            raise OrderRefused("other-gate", detail)
        if command.boot != self._boot:
            raise OrderRefused("other-boot", detail)
        if self._now_ms() > command.not_after_mono:
            raise OrderRefused("late", detail)
        return command

    def _unsealed(self, payload: bytes) -> Command:
        if len(payload) > MAX_SEALED:
            raise OrderRefused("malformed")
        try:
            return unseal_command(payload, self._keys)
        except (NotSealed, NoCommand):
            raise OrderRefused("malformed") from None
        except SealError:
            raise OrderRefused("forged") from None
