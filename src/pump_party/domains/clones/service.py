"""CloneService: the commands. Each is one transaction; what is validated or sealed happens before or inside it."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from pump_party.domains.clones import naming, projections
from pump_party.domains.clones.commitment import commitment
from pump_party.domains.clones.diff import strategy_diff
from pump_party.domains.clones.graph_check import MarketKinds
from pump_party.domains.clones.house_strategies import HouseStrategy, house_strategy, load_house
from pump_party.domains.clones.model import (
    Clone,
    Decision,
    Draft,
    DraftContent,
    Hidden,
    Report,
    SealedKey,
    Version,
    VersionContent,
)
from pump_party.domains.clones.problem import Validation
from pump_party.domains.clones.reading import CloneReader, no_clone
from pump_party.domains.clones.refusals import DraftConflict, InvalidStrategy, VersionConflict
from pump_party.domains.clones.sealing import SealBroken, Sealing, Unreadable
from pump_party.domains.clones.store import Store, Transaction
from pump_party.domains.clones.strategy import NODES_MAX, STRATEGY_BYTES_MAX, Strategy, canonical
from pump_party.domains.clones.validation import NODE_ID, is_graph, read
from pump_party.domains.clones.vault import Vault
from pump_party.domains.clones.views import (
    DraftView,
    OwnerClone,
    PublicClone,
    PublicVersion,
    Publish,
    Rewrapped,
    SaveDraft,
    VersionView,
)
from pump_party.domains.clones.words import (
    CLONES_PER_USER_MAX,
    LAYOUT_COORDINATE_MAX,
    REPORTS_PER_USER_MAX,
    VERSIONS_PER_CLONE_MAX,
    Layout,
)
from pump_party.domains.users.contract import Users
from pump_party.events.clones import CloneProfileChanged, ClonePublished
from pump_party.kernel.errors import Conflict, Invalid, NotFound
from pump_party.kernel.ids import HOUSE_USER, CloneId, UserId, VersionId, is_uuid
from pump_party.platform.clock import Clock
from pump_party.platform.idempotency import RequestKey
from pump_party.platform.ids import Ids

AVATAR_SEED_BYTES = 4
KEYS_PER_STEP = 200
"""Data keys that are wrapped anew before progress is told."""

KEYS_TRIED = 3
"""Newest data keys of which one must open at the start."""


class CloneService:
    """Implements `contract.Clones`: the commands here, the reads by `CloneReader`."""

    def __init__(
        self, store: Store, sealing: Sealing, users: Users, markets: MarketKinds, clock: Clock, ids: Ids
    ) -> None:
        self._store = store
        self._vault = Vault(sealing)
        self._markets = markets
        self._clock = clock
        self._ids = ids
        self._reads = reads = CloneReader(store, self._vault, users)
        self.public_clone = reads.public_clone
        self.public_clones = reads.public_clones
        self.directory = reads.directory
        self.public_versions = reads.public_versions
        self.revealed = reads.revealed
        self.avatar = reads.avatar
        self.my_clones = reads.my_clones
        self.owner_clone = reads.owner_clone
        self.read_draft = reads.read_draft
        self.versions = reads.versions
        self.version = reads.version
        self.diff = reads.diff
        self.strategy_of = reads.strategy_of
        self.current_version = reads.current_version
        self.owner_of = reads.owner_of
        self.reported = reads.reported
        self.seal_artifacts = reads.seal_artifacts
        self.open_artifacts = reads.open_artifacts

    # --- for everybody -------------------------------------------------------------------------

    def house_strategies(self) -> Sequence[HouseStrategy]:
        return list(load_house().values())

    def house_strategy(self, name: str) -> HouseStrategy:
        return house_strategy(name)

    def validate(self, strategy: bytes) -> Validation:
        _check_size(strategy)
        return read(strategy, self._markets)

    def report(self, user_id: UserId, clone_id: str, *, reason: str) -> None:
        reason = naming.clean_reason(reason)
        clone = self._reads.find(clone_id)
        report = Report(clone.clone_id, user_id, reason, self._clock.now_ms())
        with self._store.transaction() as tx:
            if tx.count_open_reports(user_id, besides=clone.clone_id) >= REPORTS_PER_USER_MAX:
                message = f"{REPORTS_PER_USER_MAX} of your reports wait for a decision"
                raise Conflict(message, code="too_many_reports")
            tx.put_report(report)

    # --- for the owner -------------------------------------------------------------------------

    def create_clone(self, user_id: UserId, *, name: str, bio: str, idempotency_key: str) -> OwnerClone:
        request = _request_key("create", user_id, idempotency_key, {"name": name, "bio": bio})
        name, bio, now_ms = _name(user_id, name), naming.clean_bio(bio), self._clock.now_ms()
        clone = Clone(
            clone_id=CloneId(self._ids.new()),
            user_id=user_id,
            name=name,
            name_key=naming.name_key(name),
            bio=bio,
            avatar_seed=int.from_bytes(self._ids.token()[:AVATAR_SEED_BYTES], "big"),
            version=0,
            hidden=None,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        key = self._vault.new_key(clone, first=not self._store.newest_keys(limit=1))
        with self._store.transaction() as tx:
            tx.lock_owner(user_id)
            earlier = tx.recall(request)
            if earlier is None:
                if tx.count_clones(user_id) >= CLONES_PER_USER_MAX:
                    raise Conflict(f"a user has at most {CLONES_PER_USER_MAX} clones", code="too_many_clones")
                if not tx.add_clone(clone, key):
                    raise _name_taken()
                tx.remember(request, clone.clone_id.encode(), at_ms=now_ms)
        return self.owner_clone(user_id, clone.clone_id if earlier is None else earlier.decode())

    def set_profile(self, user_id: UserId, clone_id: str, *, name: str | None, bio: str | None) -> OwnerClone:
        name = None if name is None else _name(user_id, name)
        bio = None if bio is None else naming.clean_bio(bio)
        with self._store.transaction() as tx:
            clone, _ = _lock_own(tx, user_id, clone_id)
            changed = msgspec.structs.replace(
                clone,
                name=clone.name if name is None else name,
                name_key=clone.name_key if name is None else naming.name_key(name),
                bio=clone.bio if bio is None else bio,
                updated_ms=self._clock.now_ms(),
            )
            if (changed.name, changed.bio) != (clone.name, clone.bio):
                if not tx.rename(changed):
                    raise _name_taken()
                tx.publish(_profile_changed(changed))
        return self.owner_clone(user_id, clone_id)

    def save_draft(self, command: SaveDraft) -> DraftView:
        _check_size(command.strategy)
        if not is_graph(command.strategy):
            raise Invalid("must be a strategy/1 graph, finished or not", code="not_a_strategy", field="strategy")
        _check_layout(command.layout)
        content = DraftContent(msgspec.Raw(command.strategy), command.layout)
        with self._store.transaction() as tx:
            clone, key = _lock_own(tx, command.user_id, command.clone_id)
            if command.base_version is not None and not 1 <= command.base_version <= clone.version:
                raise NotFound("the base version does not exist", code="version_not_found", field="base_version")
            draft = self._put_draft(tx, clone, key, content, command.base_version, expected=command.revision)
        return projections.draft_view(draft, content)

    def restore(self, user_id: UserId, clone_id: str, number: int, *, revision: int) -> DraftView:
        _, restored = self._reads.find_version(self._reads.find_own(user_id, clone_id), number)
        content = DraftContent(restored.strategy, restored.layout)
        with self._store.transaction() as tx:
            clone, key = _lock_own(tx, user_id, clone_id)
            draft = self._put_draft(tx, clone, key, content, clone.version, expected=revision)
        return projections.draft_view(draft, content)

    def _put_draft(
        self,
        tx: Transaction,
        clone: Clone,
        key: SealedKey,
        content: DraftContent,
        base_version: int | None,
        *,
        expected: int | None,
    ) -> Draft:
        """Store the draft's next revision. `expected` None takes it as it is."""
        standing = tx.find_draft(clone.clone_id)
        current = 0 if standing is None else standing.revision
        if expected is not None and expected != current:
            raise DraftConflict(current)
        sealed = self._vault.seal_draft(clone, key, content, revision=current + 1)
        draft = Draft(clone.clone_id, base_version, current + 1, sealed, self._clock.now_ms())
        tx.put_draft(draft)
        return draft

    def publish(self, command: Publish) -> VersionView:
        strategy = self._valid(command.strategy)
        _check_layout(command.layout)
        content = canonical(strategy)
        asked = {
            "clone_id": command.clone_id,
            "base_version": command.base_version,
            "sha256": sha256(content).hexdigest(),
            "layout": command.layout,
        }
        request = _request_key("publish", command.user_id, command.idempotency_key, asked)
        with self._store.transaction() as tx:
            clone, key = _lock_own(tx, command.user_id, command.clone_id)
            earlier = tx.recall(request)
            is_behind = earlier is None and (command.base_version or 0) != clone.version
            if earlier is None and not is_behind:
                number = self._add_version(tx, clone, key, content, command.layout)
                tx.remember(request, str(number).encode(), at_ms=self._clock.now_ms())
        if is_behind:
            raise self._version_conflict(clone, strategy)
        published = clone.version + 1 if earlier is None else int(earlier)
        return self.version(command.user_id, command.clone_id, published)

    def _valid(self, content: bytes) -> Strategy:
        validation = self.validate(content)
        if validation.strategy is None:
            raise InvalidStrategy(validation.problems)
        if len(canonical(validation.strategy)) > STRATEGY_BYTES_MAX:
            raise _too_large()
        return validation.strategy

    def _add_version(self, tx: Transaction, clone: Clone, key: SealedKey, content: bytes, layout: Layout) -> int:
        digest, salt, now_ms = sha256(content).hexdigest(), self._ids.token(), self._clock.now_ms()
        newest = tx.newest_version(clone.clone_id)
        if newest is not None and newest.sha256 == digest:
            raise Conflict("this is what the newest version says already", code="version_unchanged")
        if clone.version >= VERSIONS_PER_CLONE_MAX:
            raise Conflict(f"a clone has at most {VERSIONS_PER_CLONE_MAX} versions", code="too_many_versions")
        version = Version(
            version_id=VersionId(self._ids.new()),
            clone_id=clone.clone_id,
            number=clone.version + 1,
            sha256=digest,
            commitment=commitment(salt=salt, sha256=digest),
            published_ms=now_ms,
        )
        sealed = VersionContent(msgspec.Raw(content), layout, salt.hex())
        tx.add_version(version, self._vault.seal_version(clone, key, sealed, number=version.number))
        draft = DraftContent(msgspec.Raw(content), layout)
        self._put_draft(tx, clone, key, draft, version.number, expected=None)
        tx.publish(ClonePublished(clone.clone_id, version.number, version.commitment, now_ms))
        return version.number

    def _version_conflict(self, clone: Clone, offered: Strategy) -> Exception:
        """Raised after the transaction: telling what differs needs reads of its own."""
        if clone.version == 0:
            return NotFound("the base version does not exist", code="version_not_found", field="base_version")
        version, content = self._reads.find_version(clone, clone.version)
        diff = strategy_diff(projections.decode_strategy(content.strategy), offered)
        return VersionConflict(projections.version_summary(version), diff)

    def reveal(self, user_id: UserId, clone_id: str, number: int) -> PublicVersion:
        version, _ = self._reads.find_version(self._reads.find_own(user_id, clone_id), number)
        with self._store.transaction() as tx:
            tx.reveal(version, at_ms=self._clock.now_ms())
        return projections.public_version(self._reads.find_version(self._reads.find(clone_id), number)[0])

    # --- for operators -------------------------------------------------------------------------

    def hide(self, clone_id: str, *, operator: str, reason: str) -> PublicClone:
        return self._decide(clone_id, "hide", operator, reason)

    def show(self, clone_id: str, *, operator: str, reason: str) -> PublicClone:
        return self._decide(clone_id, "show", operator, reason)

    def _decide(self, clone_id: str, action: str, operator: str, reason: str) -> PublicClone:
        operator = naming.clean_operator(operator)
        reason, now_ms = naming.clean_reason(reason), self._clock.now_ms()
        with self._store.transaction() as tx:
            found = tx.lock_clone(clone_id) if is_uuid(clone_id) else None
            if found is None:
                raise no_clone()
            hidden = Hidden(reason, now_ms) if action == "hide" else None
            clone = msgspec.structs.replace(found[0], hidden=hidden)
            tx.set_hidden(clone, Decision(self._ids.new(), clone.clone_id, action, operator, reason, now_ms))
            tx.publish(_profile_changed(clone, at_ms=now_ms))
        return self.public_clone(clone_id)

    def check_keys(self) -> None:
        """Raise KeyMissing or SealBroken when this process cannot open what was sealed last. For the start.

        One damaged key must not stop a product: only when none of the newest few opens, the platform key is another.
        """
        broken: SealBroken | None = None
        for clone, key in self._store.newest_keys(limit=KEYS_TRIED):
            try:
                self._vault.check(clone, key)
            except SealBroken as error:
                broken = broken or error
            else:
                return
        if broken is not None:
            raise broken

    def rewrap_keys(self, progress: Callable[[int], None]) -> Rewrapped:
        after, done = "", 0
        unreadable: list[CloneId] = []
        while step := self._store.list_keys(after=after, limit=KEYS_PER_STEP):
            for clone, key in step:
                try:
                    wrapped = self._vault.rewrap(clone, key)
                except Unreadable:
                    unreadable.append(clone.clone_id)
                    continue
                if wrapped is not None:
                    with self._store.transaction() as tx:
                        tx.rewrap(clone.clone_id, before=key, after=wrapped)
                    done += 1
            after = step[-1][0].clone_id
            progress(done)
        return Rewrapped(done, tuple(unreadable))

    def count_keys(self) -> Mapping[str, int]:
        """How many clones' data keys each platform key wraps."""
        return self._store.count_keys()


def _name(user_id: UserId, name: str) -> str:
    """The name as it is kept. Raises Invalid (bad_name), also for one that passes for a house clone's."""
    clean = naming.clean_name(name)
    if user_id != HOUSE_USER and naming.sounds_like_house(clean):
        raise Invalid("is the product's own; choose another", code="bad_name", field="name")
    return clean


def _lock_own(tx: Transaction, user_id: UserId, clone_id: str) -> tuple[Clone, SealedKey]:
    """Raises NotFound (clone_not_found), also for a clone of somebody else."""
    found = tx.lock_clone(clone_id) if is_uuid(clone_id) else None
    if found is None or found[0].user_id != user_id:
        raise no_clone()
    return found


def _request_key(operation: str, user_id: UserId, key: str, asked: Any) -> RequestKey:
    digest = sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()
    return RequestKey(scope=f"clones:{operation}:{user_id}", key=key, request_sha256=digest)


def _check_size(strategy: bytes) -> None:
    if len(strategy) > STRATEGY_BYTES_MAX:
        raise _too_large()


def _too_large() -> Invalid:
    return Invalid(f"may have at most {STRATEGY_BYTES_MAX} bytes", code="strategy_too_large", field="strategy")


def _check_layout(layout: Layout) -> None:
    places = [place for position in layout.values() for place in position]
    is_sound = (
        len(layout) <= NODES_MAX
        and all(NODE_ID.fullmatch(node_id) for node_id in layout)
        and all(-LAYOUT_COORDINATE_MAX <= place <= LAYOUT_COORDINATE_MAX for place in places)
    )
    if not is_sound:
        message = f"has at most {NODES_MAX} block ids, with coordinates up to {LAYOUT_COORDINATE_MAX}"
        raise Invalid(message, code="bad_layout", field="layout")


def _profile_changed(clone: Clone, *, at_ms: int | None = None) -> CloneProfileChanged:
    shown = projections.public_clone(clone, None, owner_name="")
    return CloneProfileChanged(clone.clone_id, shown.name, shown.bio, shown.hidden, at_ms or clone.updated_ms)


def _name_taken() -> Conflict:
    return Conflict("another clone has a name that looks like this", code="name_taken", field="name")
