#!/bin/sh
# Makes trainer/.venv with the trainer and its test tools in it, where it is missing or out of date.
# On a machine without an NVIDIA GPU, PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu saves gigabytes.
set -eu
cd "$(dirname "$0")"
stamp=.venv/installed
if [ ! -f "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
  python=${PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "trainer/setup.sh: Python 3.11 or newer is needed; name one with PYTHON=..." >&2
    exit 1
  }
  "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --editable '.[dev]'
  touch "$stamp"
fi
