import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.apps.api.stage import Api, Person, running_api

from pump_party.config import Settings


@pytest.fixture(scope="module")
def api(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One server for the tests of a module; each test brings its own users. Request limits are off."""
    folder = tmp_path_factory.mktemp("api")
    shutil.copy(sqlite_template, folder / "pump_party.sqlite3")
    with running_api(Settings(data_dir=str(folder), rate_limits=False)) as api:
        yield api


@pytest.fixture
def person(api: Api) -> Person:
    """A new user with a session."""
    return api.sign_in()
