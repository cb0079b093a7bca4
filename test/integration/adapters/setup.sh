#!/bin/sh
# Installs what the test of integrations/open_webui_zoom.py runs, where it is missing or out of date: Open WebUI, but of the
# 100 packages that it asks for only those without which its filters cannot be called. They lie outside of the repository, in the
# folder that CROPVLM_INTEGRATIONS names. LiteLLM comes from ../servers/setup.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=$here/../../../trainer/.venv/bin/python
[ -x "$python" ] || sh "$here/../../../trainer/setup.sh"
out=${CROPVLM_INTEGRATIONS:-$HOME/.cache/cropvlm/integrations}/open-webui
if ! cmp -s "$here/open-webui.txt" "$out/made-from.txt"; then
  rm -rf "$out"
  "$python" -m venv "$out"
  "$out/bin/python" -m pip install --quiet --no-deps open-webui==0.12.4
  "$out/bin/python" -m pip install --quiet --requirement "$here/open-webui.txt"
  # last, so that it says that all of it is there
  cp "$here/open-webui.txt" "$out/made-from.txt"
fi
