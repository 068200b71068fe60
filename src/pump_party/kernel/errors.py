"""The kinds of refusal. A domain names its own refusals as subclasses or by `code`; `apps` maps kinds to statuses.

An order that is refused is not an exception: it is recorded as a rejection. A broken invariant is an assert.
"""


class Refusal(Exception):
    """A request that was understood and is not carried out. Nothing has changed.

    `detail` is for whoever asked. `code` is stable and machine-readable, `field` names the offending input where there
    is one. `reason` is for operators alone: it may say more, such as the address of what is away.
    """

    code = "refused"

    def __init__(
        self, detail: str, *, code: str | None = None, field: str | None = None, reason: str | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.field = field
        self.reason = reason or detail


class Invalid(Refusal):
    """The input breaks a rule that is written down (422)."""

    code = "invalid"


class Unauthenticated(Refusal):
    """Nobody is signed in, or the proof offered is not good (401)."""

    code = "unauthenticated"


class Forbidden(Refusal):
    """Signed in, but not allowed (403)."""

    code = "forbidden"


class NotFound(Refusal):
    """No such thing, or not one this user may know of (404)."""

    code = "not_found"


class Conflict(Refusal):
    """The thing is not in a state that allows this (409)."""

    code = "conflict"


class RateLimited(Refusal):
    """Too many requests for one of the named limits (429)."""

    code = "rate_limited"

    def __init__(self, detail: str, *, retry_after_ms: int) -> None:
        super().__init__(detail)
        self.retry_after_ms = retry_after_ms


class Unavailable(Refusal):
    """Something this needs is away; try again (503)."""

    code = "unavailable"


class IdempotencyMismatch(Invalid):
    """The key was used before with another body (422)."""

    code = "idempotency_mismatch"

    def __init__(self) -> None:
        super().__init__(
            "this idempotency key was used with a different request; use a new key", field="Idempotency-Key"
        )
