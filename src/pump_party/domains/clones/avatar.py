"""Draws a clone's face from its seed, as SVG. The same seed has the same face for ever; only the mood changes.

Flat shapes in the colours of the product's charts on ink: no gradients, no text, nothing loaded from elsewhere. Pure.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from pump_party.domains.clones.words import Mood

T = TypeVar("T")

SIZE = 96

INK = "#0F1317"
LINE = "#2A333C"
GROUNDS = ("#161C22", "#1C242C", "#202A33", "#1A2430", "#241F2B", "#1B2823")
HUES = ("#56B4E9", "#E69F00", "#CC79A7", "#009E73", "#E8ECEF", "#EFE3C8", "#58B4F5", "#F2994A")


def draw_avatar(seed: int, mood: Mood) -> str:
    """A square SVG of SIZE units. Says in its title what mood it shows."""
    dice = _Dice(seed)
    ground, skin = dice.one_of(GROUNDS), dice.one_of(HUES)
    trim = dice.one_of(tuple(hue for hue in HUES if hue != skin))
    parts = [
        f'<rect width="{SIZE}" height="{SIZE}" rx="18" fill="{ground}"/>',
        dice.one_of(_PATTERNS)(dice),
        dice.one_of(_TOPS)(trim),
        dice.one_of(_HEADS)(skin),
        dice.one_of(_MARKS)(trim),
        _eyes(dice, mood),
        _mouth(dice, mood),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img">'
        f"<title>{mood.value} face</title>{''.join(parts)}</svg>"
    )


class _Dice:
    """An endless row of bytes from a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._block = 0
        self._bytes = b""

    def roll(self, sides: int) -> int:
        if not self._bytes:
            self._bytes = hashlib.sha256(f"avatar:{self._seed}:{self._block}".encode()).digest()
            self._block += 1
        first, self._bytes = self._bytes[0], self._bytes[1:]
        return first % sides

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.roll(len(choices))]


# --- behind and around the head ----------------------------------------------------------------


def _plain(_: _Dice) -> str:
    return ""


def _rules(dice: _Dice) -> str:
    step = 12 + 4 * dice.roll(3)
    path = "".join(f"M0 {y}H{SIZE}" for y in range(step, SIZE, step))
    return f'<path d="{path}" stroke="{LINE}" stroke-width="1.5"/>'


def _dots(dice: _Dice) -> str:
    step, shift = 16 + 4 * dice.roll(2), 4 * dice.roll(3)
    path = "".join(
        f"M{x} {y}h.01" for y in range(8, SIZE, step) for x in range(8 + (shift if y // step % 2 else 0), SIZE, step)
    )
    return f'<path d="{path}" stroke="{LINE}" stroke-width="4" stroke-linecap="round"/>'


def _candles(dice: _Dice) -> str:
    bars = []
    for x in range(7, SIZE, 12):
        top, height = 14 + dice.roll(34), 14 + dice.roll(26)
        bars.append(f"M{x + 3} {top - 6}v{height + 12}M{x} {top}h6v{height}h-6z")
    return f'<path d="{"".join(bars)}" fill="{LINE}" stroke="{LINE}" stroke-width="1.5"/>'


def _ring(dice: _Dice) -> str:
    radius = 36 + 4 * dice.roll(3)
    return f'<circle cx="48" cy="50" r="{radius}" fill="none" stroke="{LINE}" stroke-width="4"/>'


def _antenna(hue: str) -> str:
    return (
        f'<path d="M48 26V12" stroke="{hue}" stroke-width="4" stroke-linecap="round"/>'
        f'<circle cx="48" cy="11" r="5" fill="{hue}"/>'
    )


def _horns(hue: str) -> str:
    path = "M24 34C16 28 16 18 20 10C26 16 34 20 38 26zM72 34C80 28 80 18 76 10C70 16 62 20 58 26z"
    return f'<path d="{path}" fill="{hue}"/>'


def _ears(hue: str) -> str:
    return f'<path d="M22 40L20 14L42 26zM74 40L76 14L54 26z" fill="{hue}"/>'


def _round_ears(hue: str) -> str:
    return f'<circle cx="26" cy="26" r="11" fill="{hue}"/><circle cx="70" cy="26" r="11" fill="{hue}"/>'


def _tuft(hue: str) -> str:
    return f'<path d="M36 28C34 16 42 16 44 22C44 10 54 10 53 22C58 14 64 18 60 28z" fill="{hue}"/>'


def _bolts(hue: str) -> str:
    return f'<path d="M14 46h10v14H14zM72 46h10v14H72z" fill="{hue}"/>'


# --- the head ----------------------------------------------------------------------------------


def _circle(hue: str) -> str:
    return f'<circle cx="48" cy="54" r="30" fill="{hue}"/>'


def _square(hue: str) -> str:
    return f'<rect x="20" y="26" width="56" height="56" rx="12" fill="{hue}"/>'


def _hexagon(hue: str) -> str:
    rounded = f'stroke="{hue}" stroke-width="4" stroke-linejoin="round"'
    return f'<path d="M48 22L76 38V70L48 86L20 70V38z" fill="{hue}" {rounded}/>'


def _shield(hue: str) -> str:
    return f'<path d="M20 30C32 24 64 24 76 30V56C76 72 62 82 48 86C34 82 20 72 20 56z" fill="{hue}"/>'


def _drop(hue: str) -> str:
    return f'<path d="M48 20C62 34 78 42 78 58A30 28 0 0 1 18 58C18 42 34 34 48 20z" fill="{hue}"/>'


def _ghost(hue: str) -> str:
    return f'<path d="M20 84V52A28 28 0 0 1 76 52V84L66.700 76L57.300 84L48 76L38.700 84L29.300 76z" fill="{hue}"/>'


def _no_mark(_: str) -> str:
    return ""


def _cheeks(hue: str) -> str:
    return f'<circle cx="30" cy="64" r="4.500" fill="{hue}"/><circle cx="66" cy="64" r="4.500" fill="{hue}"/>'


def _stripe(hue: str) -> str:
    return f'<path d="M44 28h8v14h-8z" fill="{hue}"/>'


def _spots(hue: str) -> str:
    return f'<path d="M60 38h.01M66 45h.01M31 40h.01" stroke="{hue}" stroke-width="6" stroke-linecap="round"/>'


def _chin(hue: str) -> str:
    return f'<path d="M40 78a8 5 0 0 0 16 0z" fill="{hue}"/>'


# --- the face ----------------------------------------------------------------------------------


def _eyes(dice: _Dice, mood: Mood) -> str:
    apart, style = 10 + dice.roll(5), dice.roll(4)
    left, right, y = 48 - apart, 48 + apart, 52
    if mood is Mood.ASLEEP:
        return _stroke(f"M{left - 5} {y}q5 5 10 0M{right - 5} {y}q5 5 10 0")
    if mood is Mood.GLAD and style < 2:
        return _stroke(f"M{left - 5} {y + 2}q5 -7 10 0M{right - 5} {y + 2}q5 -7 10 0")
    brows = _stroke(f"M{left - 5} {y - 8}l9 -4M{right + 5} {y - 8}l-9 -4") if mood is Mood.GLUM else ""
    if style == 0:
        return brows + "".join(f'<circle cx="{x}" cy="{y}" r="4.500" fill="{INK}"/>' for x in (left, right))
    if style == 1:
        return brows + "".join(
            f'<rect x="{x - 4}" y="{y - 5}" width="8" height="10" rx="2" fill="{INK}"/>' for x in (left, right)
        )
    if style == 2:
        glints = "".join(f'<circle cx="{x + 2}" cy="{y - 2}" r="2" fill="#E8ECEF"/>' for x in (left, right))
        return brows + "".join(f'<circle cx="{x}" cy="{y}" r="6.500" fill="{INK}"/>' for x in (left, right)) + glints
    visor = f'<rect x="{left - 8}" y="{y - 6}" width="{2 * apart + 16}" height="12" rx="6" fill="{INK}"/>'
    return visor + "".join(f'<circle cx="{x}" cy="{y}" r="2.500" fill="#E8ECEF"/>' for x in (left, right))


def _mouth(dice: _Dice, mood: Mood) -> str:
    half, style = 6 + dice.roll(4), dice.roll(3)
    left, width, y = 48 - half, 2 * half, 68
    if mood is Mood.ASLEEP:
        return f'<circle cx="48" cy="{y}" r="3" fill="{INK}"/>'
    if mood is Mood.GLUM:
        return _stroke(f"M{left} {y + 3}q{half} -7 {width} 0")
    if mood is Mood.GLAD:
        return f'<path d="M{left} {y - 3}h{width}a{half} {half} 0 0 1 -{width} 0z" fill="{INK}"/>'
    if style == 0:
        return _stroke(f"M{left} {y}h{width}")
    if style == 1:
        return _stroke(f"M{left} {y - 2}q{half} 6 {width} 0")
    return _stroke(f"M{left} {y}q{half} 3 {width} -3")


def _stroke(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="3.500" stroke-linecap="round"/>'


_PATTERNS: tuple[Callable[[_Dice], str], ...] = (_plain, _rules, _dots, _candles, _ring)
_TOPS: tuple[Callable[[str], str], ...] = (_antenna, _horns, _ears, _round_ears, _tuft, _bolts)
_HEADS: tuple[Callable[[str], str], ...] = (_circle, _square, _hexagon, _shield, _drop, _ghost)
_MARKS: tuple[Callable[[str], str], ...] = (_no_mark, _cheeks, _stripe, _spots, _chin)
