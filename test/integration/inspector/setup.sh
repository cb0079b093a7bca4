#!/bin/sh
# Installs what test/integration/inspector/ runs, where it is missing or out of date: the MCP Inspector, and beside it the Node
# 22 that it needs (300 MB, most of it Node). They lie outside of the repository, in the folder that CROPVLM_INTEGRATIONS names.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${CROPVLM_INTEGRATIONS:-$HOME/.cache/cropvlm/integrations}/inspector
if ! cmp -s "$here/packages.txt" "$out/made-from.txt"; then
  rm -rf "$out"
  mkdir -p "$out"
  echo '{"private": true}' > "$out/package.json"
  # the script of `node` puts the program of this machine in its place; the Inspector's own does nothing here
  (cd "$out" && xargs npm install --silent --no-audit --no-fund < "$here/packages.txt")
  "$out/node_modules/.bin/node" --version > /dev/null
  # last, so that it says that all of it is there
  cp "$here/packages.txt" "$out/made-from.txt"
fi
