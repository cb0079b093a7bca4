#!/bin/sh
# Makes what the tests of this folder start, where it is missing or out of date: the packages of three OpenAI-compatible
# servers and of Python's clients, and two tiny models. It all lies in one folder outside of the repository, which CROPVLM_SERVERS names.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
files=$root/../shared/smolvlm-256m-instruct
out=${CROPVLM_SERVERS:-$HOME/.cache/cropvlm/servers}
if [ ! -f "$files/tokenizer.json" ]; then
  echo "setup.sh: $files holds no tokenizer.json; the models of these servers are made with SmolVLM's own" >&2
  exit 1
fi
[ -x "$root/trainer/.venv/bin/python" ] || sh "$root/trainer/setup.sh"
python=$root/trainer/.venv/bin/python
packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$out/made-from"
# two checkouts may share the folder
exec 9>"$out/lock"
if command -v flock >/dev/null; then flock 9; fi

# Whether a file was there as it is now when that part was made.
is_made_from() {
  for name in "$@"; do cmp -s "$here/$name" "$out/made-from/$name" || return 1; done
}

made_from() {
  for name in "$@"; do cp "$here/$name" "$out/made-from/$name"; done
}

if ! is_made_from models.txt; then
  rm -rf "$out/models"
  "$python" -m venv --without-pip "$out/models"
  # the trainer's packages count as installed, so that there is no second PyTorch
  PYTHONPATH=$packages "$python" -m pip -qq --python "$out/models/bin/python" install --requirement "$here/models.txt"
  made_from models.txt
fi
if ! is_made_from litellm.txt; then
  rm -rf "$out/litellm" "$out/compiled"
  "$python" -m venv --without-pip "$out/litellm"
  "$python" -m pip -qq --python "$out/litellm/bin/python" install --no-deps --no-compile --requirement "$here/litellm.txt"
  made_from litellm.txt
fi
if ! is_made_from clients.txt; then
  rm -rf "$out/clients"
  "$python" -m pip -qq --python "$out/litellm/bin/python" install --no-deps --no-compile --target "$out/clients" \
    --requirement "$here/clients.txt"
  made_from clients.txt
fi
weights='make_models.py tiny_smolvlm.py write_gguf.py'
if ! is_made_from $weights; then
  TRANSFORMERS_VERBOSITY=error HF_HUB_DISABLE_PROGRESS_BARS=1 PYTHONPATH=$packages \
    "$out/models/bin/python" "$here/make_models.py" "$files" "$out/weights"
  made_from $weights
fi
