from random import Random

import pytest

from cropvlm_trainer.data.synth.documents.fonts import DOTS, HAND, PACKAGES, SANS, TILL, find_fonts


def test_without_fonts_the_error_names_the_packages(tmp_path):
    with pytest.raises(FileNotFoundError, match="apt-get install fonts-dejavu-core fonts-liberation .*--fonts"):
        find_fonts([tmp_path, tmp_path / "none"])


def test_a_look_without_a_font_has_a_stand_in_or_is_not_drawn(fonts):
    assert [family.regular.rsplit("/")[-1] for family in fonts.families[TILL]] == ["DejaVuSansMono.ttf"]
    assert fonts.pick(Random(0), DOTS) == fonts.pick(Random(0), TILL)
    assert not fonts.has(HAND) and fonts.has(SANS)
    assert "fonts-dejavu-core" not in fonts.lacking and len(fonts.lacking) == len(PACKAGES) - 1


def test_the_first_folder_counts_and_hashes_tell_files_apart(fonts, font_folder, tmp_path):
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        (tmp_path / name).write_bytes((font_folder / name).read_bytes() + b"more")
    mixed = find_fonts([tmp_path, font_folder])
    assert mixed.families[SANS][0].regular == str(tmp_path / "DejaVuSans.ttf")
    differing = {name for name, value in mixed.hashes().items() if fonts.hashes()[name] != value}
    assert differing == {"DejaVuSans.ttf", "DejaVuSans-Bold.ttf"}
