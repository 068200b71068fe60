"""The wheel is the whole product: code, data files, migrations, web app."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.architecture.sources import ROOT, project_files


def test_the_wheel_carries_every_source_file_and_the_web_app(tmp_path: Path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        env={**os.environ, "SKIP_WEB": "1"},
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(path.relative_to("src")) for path in project_files() if path.is_relative_to("src")}
    assert sources - inside == set()
    assert "pump_party/apps/api/assets/index.html" in inside, "build the web app first: python3 scripts/setup.py web"
