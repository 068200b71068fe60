"""Build hook: a wheel carries the built web app. `SKIP_WEB=1` leaves it out; the server then says so on its page."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebAppHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the web app when its sources are newer than its assets. An editable install is left to `make`."""

    def initialize(self, version: str, _build_data: dict[str, Any]) -> None:
        if version == "editable" or self.target_name != "wheel" or os.environ.get("SKIP_WEB"):
            return
        setup = Path(self.root) / "scripts" / "setup.py"
        subprocess.run([sys.executable, str(setup), "web"], check=True)
