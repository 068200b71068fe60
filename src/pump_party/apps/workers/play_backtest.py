"""The process of one backtest. `adapters/backtest_player.py` starts it and reads what it says."""

import sys

from pump_party.bootstrap.backtest_process import work_for_player

if __name__ == "__main__":
    try:
        work_for_player(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # Nobody waits for it any more.
        sys.stdout = None
        sys.exit(1)
