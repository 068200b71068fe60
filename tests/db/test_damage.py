from pathlib import Path

import pytest

from pump_party.bootstrap import database as opening
from pump_party.bootstrap.database import SQLITE_FILE, check_ledger, open_database
from pump_party.config import Settings
from pump_party.kernel.errors import Unavailable

PAGE_BYTES = 4_096


def damaged(folder: Path, *, first_byte: int) -> Settings:
    """A database of which a page was overwritten."""
    settings = Settings(data_dir=str(folder))
    open_database(settings).close()
    with (folder / SQLITE_FILE).open("r+b") as file:
        file.seek(first_byte)
        file.write(b"\x5a" * PAGE_BYTES)
    return settings


@pytest.mark.parametrize("first_byte", [0, 2 * PAGE_BYTES], ids=["header", "a page"])
def test_a_damaged_file_stops_the_start_and_the_check_with_the_next_step(tmp_path: Path, first_byte: int) -> None:
    settings = damaged(tmp_path, first_byte=first_byte)
    for look in (lambda: open_database(settings), lambda: check_ledger(settings, progress=lambda _done, _total: None)):
        with pytest.raises(Unavailable, match="restore a backup") as refusal:
            look()
        assert refusal.value.code == "database_damaged"


def test_a_file_too_large_to_be_read_at_every_start_is_read_by_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = damaged(tmp_path, first_byte=2 * PAGE_BYTES)
    monkeypatch.setattr(opening, "CHECKED_AT_START_BYTES_MAX", PAGE_BYTES)
    open_database(settings).close()
    with pytest.raises(Unavailable, match="restore a backup"):
        check_ledger(settings, progress=lambda _done, _total: None)


def test_a_sound_file_is_opened_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    open_database(settings).close()
    open_database(settings).close()
    assert check_ledger(settings, progress=lambda _done, _total: None).problems == []
