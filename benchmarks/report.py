"""What a benchmark hands back, and how it is shown: a table for people, JSON for machines."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

RESULTS = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
FIGURES_START = "<!-- figures: written by python -m benchmarks --write-docs -->"
FIGURES_END = "<!-- end of figures -->"

AT_LEAST = "at least"
AT_MOST = "at most"

HEADINGS = ("what", "measured", "beside", "ratio", "budget", "verdict")


class Target(msgspec.Struct, frozen=True):
    """A budget: on the ratio to the peer, or on the figure itself."""

    sense: str
    bound: float
    of_ratio: bool = True

    def met(self, value: float) -> bool:
        return value >= self.bound if self.sense == AT_LEAST else value <= self.bound

    def text(self, unit: str) -> str:
        return f"{self.sense} {self.bound:g}x" if self.of_ratio else f"{self.sense} {self.bound:g} {unit}"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: the median of `samples`, beside the peer's, against a budget where there is one."""

    name: str
    unit: str
    samples: tuple[float, ...]
    peer_name: str | None = None
    peer_samples: tuple[float, ...] = ()
    target: Target | None = None
    note: str = ""

    @property
    def value(self) -> float:
        return statistics.median(self.samples)

    @property
    def peer_value(self) -> float | None:
        return statistics.median(self.peer_samples) if self.peer_samples else None

    @property
    def ratio(self) -> float | None:
        return None if self.peer_value is None else self.value / self.peer_value

    @property
    def met(self) -> bool | None:
        """None for a figure that is only reported."""
        if self.target is None:
            return None
        value = self.ratio if self.target.of_ratio else self.value
        assert value is not None, f"{self.name} has a ratio as its budget and no peer"
        return self.target.met(value)

    @property
    def verdict(self) -> str:
        return {None: "reported", True: "pass", False: "MISS"}[self.met]

    def cells(self) -> tuple[str, ...]:
        peer = "" if self.peer_value is None else f"{shown(self.peer_value)} {self.peer_name}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}x"
        budget = "" if self.target is None else self.target.text(self.unit)
        return (self.name, f"{shown(self.value)} {self.unit}", peer, ratio, budget, self.verdict)

    def plain(self) -> dict[str, Any]:
        derived = {"value": self.value, "peer_value": self.peer_value, "ratio": self.ratio, "met": self.met}
        return {**msgspec.to_builtins(self), **derived}


def shown(value: float) -> str:
    """Three or more significant digits, no exponent."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def print_table(rows: Sequence[Row]) -> None:
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    for number, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    for row in rows:
        if row.note:
            print(f"  {row.name}: {row.note}")
    print(flush=True)


def write_figures(sections: Mapping[str, Sequence[Row]], machine: str) -> None:
    """Put the tables of this run where docs/benchmarks.md keeps its figures."""
    parts = [f"Measured on {machine}."]
    for name, rows in sections.items():
        lines = [HEADINGS, tuple("---" for _ in HEADINGS), *(row.cells() for row in rows)]
        parts += [f"### {name}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
        parts += [f"{row.name}: {row.note}." for row in rows if row.note]
    before, _, rest = DOCUMENT.read_text().partition(FIGURES_START)
    _, _, after = rest.partition(FIGURES_END)
    figures = "\n\n".join(parts)
    DOCUMENT.write_text(f"{before}{FIGURES_START}\n\n{figures}\n\n{FIGURES_END}{after}")


def write_results(rows: Sequence[Row], machine: dict[str, Any], *, quick: bool) -> Path:
    """Keep the run as JSON beside the benchmarks; the newest is `latest.json`."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.json"
    content = {"machine": machine, "quick": quick, "rows": [row.plain() for row in rows]}
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path
