"""Which names and bios a clone may have. One script, nothing invisible, and no two names that look alike.

Names are shown to everybody and to wallets of other people: they must not pass for another's. Pure.
"""

import re
import unicodedata

from pump_party.domains.clones.words import OPERATOR_CHARS_MAX, REASON_CHARS_MAX
from pump_party.kernel.errors import Invalid

NAME_CHARS_MIN = 3
NAME_CHARS_MAX = 24
BIO_CHARS_MAX = 280
INPUT_CHARS_MAX = 1_024
"""Looked at before it is normalised: a few characters can become many."""

MARKS_MAX = 2
"""Vowel signs on one letter."""

NAME_PUNCTUATION = " -_.'"
HOUSE = "house"
RESERVED_NAMES = frozenset(
    ("admin", "administrator", HOUSE, "moderator", "official", "operator", "staff", "support", "system", "terminal")
)
_FIRST_WORD = re.compile(r"[ \-_.']")
RESERVED_WITHIN = ("pumpparty", "hiddenclone")

_INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and symbols that show nothing."""

_MIXED = (
    frozenset(("CJK", "HIRAGANA", "KATAKANA")),
    frozenset(("CJK", "HANGUL")),
    frozenset(("CJK", "BOPOMOFO")),
)
"""Scripts that one text is written in."""

_TWINS = {
    "a": "аα",
    "b": "в",
    "c": "с",
    "d": "ԁ",
    "e": "еёε",
    "h": "нһհ",
    "j": "јյ",
    "k": "кκ",
    "l": "1i|іӏι",
    "m": "м",
    "n": "ո",
    "o": "0оοօ",
    "p": "рρ",
    "q": "ԛ",
    "r": "г",
    "s": "5ѕս",
    "t": "тτ",
    "u": "υց",
    "v": "ν",
    "w": "ԝ",
    "x": "хχ",
    "y": "уγ",
    "z": "ζ",
}
"""Digits and folded letters of other scripts that pass for a Latin letter, small or large."""

_LOOKALIKES = str.maketrans({twin: letter for letter, twins in _TWINS.items() for twin in twins})


def clean_name(text: str) -> str:
    """The name as it is kept and shown. Raises Invalid (bad_name) with the reason."""
    name, problem = _normalise(text)
    if problem:
        raise _bad_name(problem)
    if not NAME_CHARS_MIN <= len(name) <= NAME_CHARS_MAX:
        raise _bad_name(f"must have {NAME_CHARS_MIN} to {NAME_CHARS_MAX} characters")
    for character in name:
        if not (_is_letter(character) or character in NAME_PUNCTUATION or ("0" <= character <= "9")):
            raise _bad_name(f"may have letters, digits and {' '.join(NAME_PUNCTUATION.strip())}")
    if not name[0].isalnum() or not (name[-1].isalnum() or _is_mark(name[-1])):
        raise _bad_name("must begin and end with a letter or digit")
    if not any(character.isalpha() for character in name):
        raise _bad_name("must have a letter")
    if not _is_one_script(name):
        raise _bad_name("must be written in one script")
    key = name_key(name)
    if len(key) < 2 or key in _RESERVED_KEYS or any(word in key for word in _RESERVED_WITHIN_KEYS):
        raise _bad_name("is reserved")
    return name


def name_key(name: str) -> str:
    """What two names that look alike have in common: unique among all clones."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    letters = "".join(character for character in folded if character not in NAME_PUNCTUATION)
    return unicodedata.normalize("NFKC", letters.translate(_LOOKALIKES)).replace("rn", "m").replace("vv", "w")


_RESERVED_KEYS = frozenset(name_key(name) for name in RESERVED_NAMES)
_RESERVED_WITHIN_KEYS = tuple(name_key(name) for name in RESERVED_WITHIN)


def sounds_like_house(name: str) -> bool:
    """Whether its first word is that of the clones which the product brings along."""
    return name_key(_FIRST_WORD.split(name, maxsplit=1)[0]) == name_key(HOUSE)


def clean_bio(text: str) -> str:
    """The bio as it is kept and shown, on one line. Raises Invalid (bad_bio) with the reason."""
    bio, problem = _normalise(text)
    if len(bio) > BIO_CHARS_MAX:
        problem = f"may have at most {BIO_CHARS_MAX} characters"
    elif not all(_is_one_script(word) for word in bio.split(" ")):
        problem = "has a word in several scripts"
    if problem:
        raise Invalid(problem, code="bad_bio", field="bio")
    return bio


def clean_reason(text: str) -> str:
    """The reason for a report or a decision, as it is kept. Raises Invalid (bad_reason)."""
    reason, problem = _normalise(text)
    if problem or not 1 <= len(reason) <= REASON_CHARS_MAX:
        raise Invalid(problem or f"must have 1 to {REASON_CHARS_MAX} characters", code="bad_reason", field="reason")
    return reason


def clean_operator(text: str) -> str:
    """Who decided, as it is kept. Raises Invalid (bad_operator)."""
    operator, problem = _normalise(text)
    if problem or not 1 <= len(operator) <= OPERATOR_CHARS_MAX:
        raise Invalid(
            problem or f"must have 1 to {OPERATOR_CHARS_MAX} characters", code="bad_operator", field="operator"
        )
    return operator


def _normalise(text: str) -> tuple[str, str]:
    """NFKC, blanks folded to single spaces; and what is wrong: it cannot be seen, or changes how the rest is seen."""
    if len(text) > INPUT_CHARS_MAX:
        return "", f"has more than {INPUT_CHARS_MAX} characters"
    normal = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()
    if any(unicodedata.category(character) in _INVISIBLE or character in _BLANK_LETTERS for character in normal):
        return normal, "has control, invisible or unassigned characters"
    marks = 0
    for character in normal:
        marks = marks + 1 if _is_mark(character) else 0
        # What NFKC leaves apart belongs to scripts that write vowels so; a generic accent is only there to stack.
        if marks > MARKS_MAX or (marks and _script(character) == "COMBINING"):
            return normal, "has accents that belong to no letter"
    return normal, ""


def _is_letter(character: str) -> bool:
    return character.isalpha() or _is_mark(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _is_one_script(text: str) -> bool:
    scripts = {_script(character) for character in text if _is_letter(character)}
    return len(scripts) <= 1 or any(scripts <= together for together in _MIXED)


def _script(character: str) -> str:
    """The first word of a letter's name: LATIN, CYRILLIC, CJK. Unnamed characters stand alone."""
    first = unicodedata.name(character, f"U+{ord(character):X}").split(" ", 1)[0]
    return "LATIN" if first in ("FEMININE", "MASCULINE", "MICRO") else first.split("-", 1)[0]


def _bad_name(detail: str) -> Invalid:
    return Invalid(detail, code="bad_name", field="name")
