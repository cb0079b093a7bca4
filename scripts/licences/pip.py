"""Prints a JSON list of the packages that the trainer needs to run, each with its name, version and licence.

The licence is the SPDX expression that the package states, else the SPDX name of what it calls its licence.
"""

import json
import subprocess
import sys
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

SPDX = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD",
    "3-clause bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "sil ofl 1.1": "OFL-1.1",
}


def licence_of(package: PackageMetadata) -> str:
    """Returns what a package says; `unknown` where it says nothing."""
    if expression := package.get("License-Expression"):
        return expression
    stated = package.get("License") or ""
    # some have the whole text there, or only the name of the family
    if not stated or "\n" in stated or stated == "BSD":
        classes = [line.split(" :: ")[-1] for line in package.get_all("Classifier") or [] if line.startswith("License")]
        stated = " OR ".join(SPDX.get(name.lower(), name) for name in classes)
    return SPDX.get(stated.lower(), stated) or "unknown"


def main() -> None:
    """Asks for the packages as the audit does."""
    script = Path(__file__).parent.parent / "audit" / "production_packages.py"
    listed = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    packages = [line.split("==") for line in listed.stdout.split()]
    print(
        json.dumps(
            [{"name": name, "version": version, "licence": licence_of(metadata(name))} for name, version in packages]
        )
    )


main()
