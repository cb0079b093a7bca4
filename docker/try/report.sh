# What docker/try.sh prints, and what it counts.

failures=()
passed=0
figures=()

# Names what is done next.
step() { printf '\n== %s\n' "$*"; }

note() { printf '   %s\n' "$*"; }

# Keeps a measured value for the summary: figure NAME VALUE
figure() {
  figures+=("$(printf '%-44s %s' "$1" "$2")")
  note "$1: $2"
}

# Runs a command and tells whether it succeeded: check WHAT COMMAND [ARGUMENT...]. What the command printed is shown
# where it failed.
check() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    printf 'ok   %s\n' "$what"
  else
    failures+=("$what")
    printf 'FAIL %s\n%s\n' "$what" "$(sed 's/^/     /' <<<"$output")"
  fi
}

# Compares two texts: expect WHAT ACTUAL WANTED
expect() { check "$1: $3" same "$2" "$3"; }

same() {
  [[ $1 == "$2" ]] || {
    printf 'found %q, not %q\n' "$1" "$2"
    return 1
  }
}

# Ends the script where going on makes no sense.
give_up() {
  printf '\ndocker/try.sh: %s\n' "$*" >&2
  exit 1
}

seconds_since() { awk -v from="$1" -v to="$(date +%s.%N)" 'BEGIN { printf "%.1f s", to - from }'; }

megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.0f MB", bytes / 1e6 }'; }

summary() {
  printf '\n== Summary\n'
  ((${#figures[@]} == 0)) || printf '   %s\n' "${figures[@]}"
  printf '%d passed, %d failed\n' "$passed" "${#failures[@]}"
  ((${#failures[@]} == 0)) || printf 'FAIL %s\n' "${failures[@]}"
}
