import hashlib
import re
from xml.etree import ElementTree as ET

import pytest

from pump_party.domains.clones.avatar import GROUNDS, HUES, INK, LINE, SIZE, draw_avatar
from pump_party.domains.clones.words import Mood

SVG = "{http://www.w3.org/2000/svg}"
SEEDS = range(300)


def test_a_seed_has_the_same_face_for_ever():
    drawn = "".join(draw_avatar(seed, mood) for seed in range(20) for mood in Mood)
    expected = "05954dc951d7792fe731cb2e2e0f4161e82172cc54c83237f7f8f405e7882faf"
    assert hashlib.sha256(drawn.encode()).hexdigest() == expected


def test_clones_can_be_told_apart():
    assert len({draw_avatar(seed, Mood.CALM) for seed in SEEDS}) >= 0.98 * len(SEEDS)


@pytest.mark.parametrize("mood", Mood)
def test_an_avatar_is_small_plain_svg_in_the_product_colours(mood: Mood):
    for seed in [*SEEDS, 2**32 - 1]:
        drawn = draw_avatar(seed, mood)
        root = ET.fromstring(drawn)
        assert root.get("viewBox") == f"0 0 {SIZE} {SIZE}"
        assert [child.text for child in root.iter(f"{SVG}title")] == [f"{mood.value} face"]
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {"svg", "title", "rect", "circle", "path"}
        assert set(re.findall(r"#[0-9A-F]{6}", drawn)) <= {*GROUNDS, *HUES, INK, LINE}
        assert "href" not in drawn
        assert len(drawn) < 2_500


def test_a_mood_changes_the_face_and_nothing_around_it():
    for seed in SEEDS:
        faces = [draw_avatar(seed, mood).replace(f"{mood.value} face", "") for mood in Mood]
        assert len(set(faces)) == len(Mood)
        heads = {face[: face.index(HEAD)] for face in faces if (HEAD := _head(face))}
        assert len(heads) == 1


def _head(face: str) -> str:
    """The first shape that is ink: everything before it is head and ground."""
    return re.findall(r"<[^>]*#0F1317", face)[0]
