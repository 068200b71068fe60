import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from pump_party.adapters.sealing import KEYS_MAX, AesGcmSealing, PlatformKeys
from pump_party.domains.clones.model import SealedKey
from pump_party.domains.clones.sealing import KeyMissing, SealBroken
from pump_party.kernel.errors import Unavailable

OLD, NEW = "k1:" + "11" * 32, "k2:" + "22" * 32
KEY_OF = b"owner|clone"
PLACE = b"owner|clone|draft"


def with_setting(setting: str) -> AesGcmSealing:
    return AesGcmSealing(PlatformKeys(setting, Path("unused")))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "strategy.keys"


@pytest.fixture
def sealing(file: Path) -> AesGcmSealing:
    return AesGcmSealing(PlatformKeys("", file))


def test_what_is_sealed_opens_and_cannot_be_read(sealing: AesGcmSealing):
    key = sealing.new_key(KEY_OF, first=True)
    sealed = sealing.seal(key, b"canary", key_bound_to=KEY_OF, bound_to=PLACE)

    assert sealing.open(key, sealed, key_bound_to=KEY_OF, bound_to=PLACE) == b"canary"
    assert b"canary" not in sealed
    assert sealed != sealing.seal(key, b"canary", key_bound_to=KEY_OF, bound_to=PLACE)


def test_a_sealed_text_opens_in_its_place_only(sealing: AesGcmSealing):
    key, other = sealing.new_key(KEY_OF, first=True), sealing.new_key(b"other", first=False)
    sealed = sealing.seal(key, b"canary", key_bound_to=KEY_OF, bound_to=PLACE)

    for tried, key_of, place in ((key, KEY_OF, b"elsewhere"), (other, b"other", PLACE), (key, b"other", PLACE)):
        with pytest.raises(SealBroken):
            sealing.open(tried, sealed, key_bound_to=key_of, bound_to=place)


def test_any_changed_byte_breaks_the_seal(sealing: AesGcmSealing):
    key = sealing.new_key(KEY_OF, first=True)
    sealed = sealing.seal(key, b"canary", key_bound_to=KEY_OF, bound_to=PLACE)

    for index in range(len(sealed)):
        changed = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises(SealBroken):
            sealing.open(key, changed, key_bound_to=KEY_OF, bound_to=PLACE)
    for cut in (b"", sealed[:5], sealed[:20], sealed[:-1]):
        with pytest.raises(SealBroken):
            sealing.open(key, cut, key_bound_to=KEY_OF, bound_to=PLACE)


def test_a_rotation_rewraps_the_same_data_key_under_the_newest_platform_key():
    before, both, after = with_setting(OLD), with_setting(f"{NEW},{OLD}"), with_setting(NEW)
    key = before.new_key(KEY_OF, first=True)
    sealed = before.seal(key, b"canary", key_bound_to=KEY_OF, bound_to=PLACE)

    rewrapped = both.rewrap(key, KEY_OF)

    assert rewrapped is not None
    assert (key.key_id, rewrapped.key_id) == ("k1", "k2")
    assert both.rewrap(rewrapped, KEY_OF) is None
    assert after.open(rewrapped, sealed, key_bound_to=KEY_OF, bound_to=PLACE) == b"canary"
    with pytest.raises(KeyMissing, match="k1"):
        after.open(key, sealed, key_bound_to=KEY_OF, bound_to=PLACE)
    with pytest.raises(SealBroken):
        both.rewrap(key, b"other")


def test_a_key_of_the_same_name_but_other_bytes_is_found_out():
    key = with_setting(OLD).new_key(KEY_OF, first=True)
    with pytest.raises(SealBroken):
        with_setting("k1:" + "33" * 32).check(key, KEY_OF)
    with_setting(OLD).check(key, KEY_OF)


def test_the_first_key_makes_a_file_that_only_its_owner_may_read(sealing: AesGcmSealing, file: Path):
    assert not file.exists()
    key = sealing.new_key(KEY_OF, first=True)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    assert f"{key.key_id}:" in file.read_text()
    assert AesGcmSealing(PlatformKeys("", file)).new_key(KEY_OF, first=False).key_id == key.key_id


def test_a_process_without_the_key_of_a_database_makes_none_of_its_own(sealing: AesGcmSealing, file: Path):
    with pytest.raises(KeyMissing, match="PUMP_PARTY_STRATEGY_KEYS"):
        sealing.new_key(KEY_OF, first=False)
    assert not file.exists()


def test_a_key_that_another_process_added_is_found_without_a_restart(sealing: AesGcmSealing, file: Path):
    old = sealing.new_key(KEY_OF, first=True)
    elsewhere = PlatformKeys("", file)
    added = elsewhere.add()
    rewrapped = AesGcmSealing(elsewhere).rewrap(old, KEY_OF)
    assert rewrapped is not None
    assert rewrapped.key_id == added != old.key_id

    sealing.check(rewrapped, KEY_OF)


def test_keys_added_at_once_are_all_kept(file: Path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: PlatformKeys("", file).add(), range(16)))
    assert len(PlatformKeys("", file).load()) == 16


def test_a_key_file_that_others_may_read_or_that_holds_something_else_is_refused(sealing: AesGcmSealing, file: Path):
    sealing.new_key(KEY_OF, first=True)
    file.chmod(0o640)
    with pytest.raises(Unavailable, match="chmod 600"):
        PlatformKeys("", file).load()
    file.chmod(0o600)
    for text in ("k1:abc", f"{OLD}\n{OLD}", "\n".join(f"k{n}:{'11' * 32}" for n in range(KEYS_MAX + 1))):
        file.write_text(text)
        with pytest.raises(Unavailable) as refusal:
            PlatformKeys("", file).load()
        assert refusal.value.code == "bad_key_file"
        assert "11" * 32 not in refusal.value.detail


def test_keys_of_a_setting_are_rotated_by_the_setting():
    with pytest.raises(Unavailable) as refusal:
        PlatformKeys(OLD, Path("unused")).add()
    assert refusal.value.code == "keys_are_a_setting"


def test_nonces_and_data_keys_come_from_the_randomness_that_is_given():
    def sealing(seed: int) -> AesGcmSealing:
        return AesGcmSealing(PlatformKeys(OLD, Path("unused")), randomness=Random(seed).randbytes)

    first: SealedKey = sealing(1).new_key(KEY_OF, first=True)
    assert sealing(1).new_key(KEY_OF, first=True) == first
    assert sealing(2).new_key(KEY_OF, first=True) != first
