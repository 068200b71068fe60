"""Platform keys on a real database: rotated while a process runs, lost, brought back."""

import json
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.domains.clones.strategies import encode, sound

from pump_party.apps.cli.main import main
from pump_party.bootstrap.clones import KEY_FILE
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.clones.contract import Publish, VersionView
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import UserId

OWNER = UserId("01900000-0000-7000-8000-00000000a11c")
KEYS = [f"k{number}:" + f"{number}{number}" * 32 for number in (1, 2)]


def publish(services: Services, name: str) -> VersionView:
    clone = services.clones.create_clone(OWNER, name=name, bio="", idempotency_key=name)
    command = Publish(
        user_id=OWNER,
        clone_id=clone.clone_id,
        strategy=encode(sound()),
        layout={},
        base_version=None,
        idempotency_key=name,
    )
    return services.clones.publish(command)


def listed(folder: Path, capsys) -> list[dict[str, object]]:
    main(["keys", "list", "--json", "--data-dir", str(folder)])
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_rotation_leaves_everything_readable_for_processes_that_run(sqlite_path: Path, capsys) -> None:
    folder, settings = sqlite_path.parent, Settings(data_dir=str(sqlite_path.parent))
    with closing(build(settings)) as services:
        version = publish(services, "Momo")
        (first,) = listed(folder, capsys)
        assert (first["newest"], first["here"], first["clones"]) == (True, True, 1)

        assert main(["keys", "rotate", "--data-dir", str(folder)]) == 0
        assert capsys.readouterr().out.startswith("1 clones' keys wrapped with ")
        assert services.clones.version(OWNER, version.clone_id, 1) == version
        later = publish(services, "Nemo")

    newest, older = listed(folder, capsys)
    assert (newest["clones"], older["clones"], older["key_id"]) == (2, 0, first["key_id"])
    with closing(build(settings)) as services:
        assert services.clones.version(OWNER, later.clone_id, 1) == later
        assert services.clones.version(OWNER, version.clone_id, 1) == version


def test_keys_of_the_setting_are_rotated_by_naming_a_new_one_first(
    sqlite_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(sqlite_path.parent)
    with closing(build(Settings(data_dir=folder, strategy_keys=KEYS[0]))) as services:
        version = publish(services, "Momo")
    assert not (sqlite_path.parent / KEY_FILE).exists()

    monkeypatch.setenv("PUMP_PARTY_STRATEGY_KEYS", f"{KEYS[1]},{KEYS[0]}")
    assert main(["keys", "rotate", "--json", "--data-dir", folder]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "key_id": "k2",
        "added": False,
        "rewrapped": 1,
        "unreadable": [],
    }

    with closing(build(Settings(data_dir=folder, strategy_keys=KEYS[1]))) as services:
        assert services.clones.version(OWNER, version.clone_id, 1) == version
    monkeypatch.setenv("PUMP_PARTY_STRATEGY_KEYS", KEYS[0])
    assert main(["keys", "list", "--data-dir", folder]) == 1
    shown = capsys.readouterr().out
    assert "MISSING" in shown
    assert KEYS[0].split(":")[1] not in shown
    assert main(["keys", "rotate", "--data-dir", folder]) == 2


def test_one_damaged_key_stops_no_start_and_is_named_by_a_rotation(sqlite_path: Path, capsys) -> None:
    folder = str(sqlite_path.parent)
    with closing(build(Settings(data_dir=folder))) as services:
        sound, damaged = publish(services, "Momo"), publish(services, "Nemo")
        with services.database.write() as connection:
            torn = sa.text("UPDATE clones_clones SET wrapped_key = :torn WHERE clone_id = :clone_id")
            connection.execute(torn, {"torn": b"x", "clone_id": damaged.clone_id})

    assert main(["keys", "rotate", "--data-dir", folder]) == 1
    told = capsys.readouterr()
    assert "1 clones' keys wrapped" in told.out
    assert f"{damaged.clone_id}: its key cannot be opened" in told.err
    with closing(build(Settings(data_dir=folder))) as services:
        assert services.clones.version(OWNER, sound.clone_id, 1) == sound


def test_a_wrong_key_stops_the_start_and_no_key_refuses_strategies_only(sqlite_path: Path) -> None:
    folder = str(sqlite_path.parent)
    with closing(build(Settings(data_dir=folder))) as services:
        version = publish(services, "Momo")
    for wrong in KEYS[:1], [f"{(sqlite_path.parent / KEY_FILE).read_text().splitlines()[1][:8]}:" + "ab" * 32]:
        with pytest.raises(Unavailable):
            build(Settings(data_dir=folder, strategy_keys=wrong[0]))

    (sqlite_path.parent / KEY_FILE).unlink()
    with closing(build(Settings(data_dir=folder))) as services:
        assert services.clones.public_clone(version.clone_id).version == 1
        for refused in (
            lambda: services.clones.strategy_of(version.version_id),
            lambda: services.clones.create_clone(OWNER, name="Nemo", bio="", idempotency_key="n"),
        ):
            with pytest.raises(Unavailable) as refusal:
                refused()
            assert refusal.value.code == "strategy_key_missing"
    assert not (sqlite_path.parent / KEY_FILE).exists()
