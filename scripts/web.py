"""Run a script of web/package.json with the Node that the set-up found: python scripts/web.py NAME [ARGUMENTS]."""

import os
import sys

from setup import WEB, node_environment


def main() -> None:
    os.chdir(WEB)
    environment = node_environment()
    os.execvpe("npm", ["npm", "run", "--silent", *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
