"""The fonts of the documents: Debian's, as far as they are found on the machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from PIL import ImageFont

from cropvlm_trainer.files import sha256_of

TILL, DOTS, SANS, SERIF, HAND, SIGN = LOOKS = ("till", "dots", "sans", "serif", "hand", "sign")
"""What a font is drawn as: a till's printer, a dot-matrix printer, printed sans and serif, a pen, a sign."""
NEEDED = (TILL, SANS)
"""Looks without which nothing can be drawn; the others have a stand-in in `INSTEAD`, or are not drawn."""
INSTEAD = {DOTS: TILL, SERIF: SANS, SIGN: SANS}

FILES = (
    ("fonts-dejavu-core", TILL, "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"),
    ("fonts-liberation", TILL, "LiberationMono-Regular.ttf", "LiberationMono-Bold.ttf"),
    ("fonts-freefont-ttf", TILL, "FreeMonoBold.ttf", "FreeMonoBold.ttf"),
    ("fonts-inconsolata", TILL, "Inconsolata.otf", "Inconsolata.otf"),
    ("fonts-hack", TILL, "Hack-Regular.ttf", "Hack-Bold.ttf"),
    ("fonts-courier-prime", TILL, "Courier Prime Sans.otf", "Courier Prime Sans Bold.otf"),
    ("fonts-anonymous-pro", TILL, "Anonymous Pro.ttf", "Anonymous Pro B.ttf"),
    ("fonts-noto-mono", TILL, "NotoSansMono-Regular.ttf", "NotoSansMono-Bold.ttf"),
    ("fonts-oxygen", TILL, "OxygenMono-Regular.ttf", "OxygenMono-Regular.ttf"),
    ("fonts-3270", TILL, "3270-Regular.ttf", "3270-Regular.ttf"),
    ("fonts-ocr-b", TILL, "OCRB.otf", "OCRB.otf"),
    ("fonts-tlwg-typewriter-ttf", TILL, "TlwgTypewriter.ttf", "TlwgTypewriter-Bold.ttf"),
    ("fonts-3270", DOTS, "3270Condensed-Regular.ttf", "3270Condensed-Regular.ttf"),
    ("fonts-dotgothic16", DOTS, "DotGothic16-Regular.ttf", "DotGothic16-Regular.ttf"),
    ("fonts-pc", DOTS, "Px_IBM_VGA8.ttf", "Px_IBM_VGA8.ttf"),
    ("fonts-pc", DOTS, "Px_IBM_MDA.ttf", "Px_IBM_MDA.ttf"),
    ("fonts-pc", DOTS, "Px_AmstradPC1512-2y.ttf", "Px_AmstradPC1512-2y.ttf"),
    ("fonts-dejavu-core", SANS, "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("fonts-liberation", SANS, "LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    ("fonts-liberation", SANS, "LiberationSansNarrow-Regular.ttf", "LiberationSansNarrow-Bold.ttf"),
    ("fonts-freefont-ttf", SANS, "FreeSans.ttf", "FreeSansBold.ttf"),
    ("fonts-roboto-unhinted", SANS, "Roboto-Regular.ttf", "Roboto-Bold.ttf"),
    ("fonts-roboto-unhinted", SANS, "RobotoCondensed-Regular.ttf", "RobotoCondensed-Bold.ttf"),
    ("fonts-open-sans", SANS, "OpenSans-Regular.ttf", "OpenSans-Bold.ttf"),
    ("fonts-lato", SANS, "Lato-Regular.ttf", "Lato-Bold.ttf"),
    ("fonts-crosextra-carlito", SANS, "Carlito-Regular.ttf", "Carlito-Bold.ttf"),
    ("fonts-dejavu-core", SERIF, "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf"),
    ("fonts-liberation", SERIF, "LiberationSerif-Regular.ttf", "LiberationSerif-Bold.ttf"),
    ("fonts-freefont-ttf", SERIF, "FreeSerif.ttf", "FreeSerifBold.ttf"),
    ("fonts-crosextra-caladea", SERIF, "Caladea-Regular.ttf", "Caladea-Bold.ttf"),
    ("fonts-roboto-slab", SERIF, "RobotoSlab-Regular.otf", "RobotoSlab-Bold.otf"),
    ("fonts-breip", HAND, "Breip.ttf", "Breip.ttf"),
    ("fonts-comic-neue", HAND, "ComicNeue-Regular.otf", "ComicNeue-Bold.otf"),
    ("fonts-kristi", HAND, "Kristi.ttf", "Kristi.ttf"),
    ("fonts-sjfonts", HAND, "SteveHand.ttf", "SteveHand.ttf"),
    ("fonts-sjfonts", HAND, "Delphine.ttf", "Delphine.ttf"),
    ("fonts-bebas-neue", SIGN, "BebasNeue-Regular.otf", "BebasNeue-Bold.otf"),
    ("fonts-roadgeek", SIGN, "RG2014D.ttf", "RG2014E.ttf"),
    ("fonts-roboto-unhinted", SIGN, "RobotoCondensed-Bold.ttf", "RobotoCondensed-Bold.ttf"),
    ("fonts-liberation", SIGN, "LiberationSans-Bold.ttf", "LiberationSans-Bold.ttf"),
)
"""Package of Debian, look, and the names of the regular and the bold file."""
PACKAGES = tuple(dict.fromkeys(package for package, *_ in FILES))


@dataclass(frozen=True)
class Family:
    regular: str
    bold: str
    """the paths of the two files; the same one where a family has no bold"""


@dataclass(frozen=True)
class Fonts:
    families: dict[str, tuple[Family, ...]]
    """by look, in the order of `FILES`"""
    lacking: tuple[str, ...]
    """packages of which nothing was found"""

    def pick(self, rng: Random, look: str) -> Family:
        return rng.choice(self.families[look] or self.families[INSTEAD[look]])

    def has(self, look: str) -> bool:
        return bool(self.families[look])

    def hashes(self) -> dict[str, str]:
        """Returns the sha256 of each file by its name: other files make other pages of the same seed."""
        files = {path for some in self.families.values() for family in some for path in (family.regular, family.bold)}
        return {Path(path).name: sha256_of([Path(path)]) for path in sorted(files, key=os.path.basename)}


def system_folders() -> list[Path]:
    """The folders in which a Linux system keeps fonts."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / "fonts", Path.home() / ".fonts"]


def find_fonts(folders: Sequence[Path]) -> Fonts:
    """Returns the known fonts that lie in these folders or below them; of equal names the first path counts.

    Raises FileNotFoundError, which names Debian's packages, where no font of a till or no printed one is found.
    """
    paths: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.[ot]tf")):
            paths.setdefault(path.name, str(path))
    families: dict[str, list[Family]] = {look: [] for look in LOOKS}
    found = set()
    for package, look, regular, bold in FILES:
        if regular in paths and bold in paths:
            families[look].append(Family(paths[regular], paths[bold]))
            found.add(package)
    if not all(families[look] for look in NEEDED):
        raise FileNotFoundError(
            f"--style documents found no fonts to draw with in {', '.join(map(str, folders))}; install some or all of "
            f"Debian's: apt-get install {' '.join(PACKAGES)}; or name a folder that holds them with --fonts"
        )
    lacking = tuple(package for package in PACKAGES if package not in found)
    return Fonts({look: tuple(some) for look, some in families.items()}, lacking)


@cache
def face(path: str, size: int) -> ImageFont.FreeTypeFont:
    """Returns a font at a size in pixels, laid out by Pillow itself, which is the same on each machine."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
