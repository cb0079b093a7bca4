# The Docker engine: the one that runs, else one of our own, which is stopped again.

# Where an engine of our own keeps its images and layers from one run to the next.
ENGINE_ROOT=${CROPVLM_TRY_CACHE:-$HOME/.cache/cropvlm/docker}
own_engine=

# Installs Debian's packages where a program of theirs is missing and that can be done: need PROGRAM PACKAGE...
need() {
  local program=$1
  shift
  ! command -v "$program" >/dev/null || return 0
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
  note "$program is missing: installing $*"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$work/apt.log" 2>&1 && command -v "$program" >/dev/null
}

# Sees to it that `docker` reaches an engine. Fails, and says why, where none can be had.
engine_up() {
  if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    note "an engine runs already, $(docker version --format '{{.Server.Version}}'); it is used and left running"
    return 0
  fi
  [[ $(id -u) == 0 ]] || { note 'no engine runs, and only root can start one; start Docker first'; return 1; }
  need dockerd docker.io iptables && need docker docker.io || { note 'no dockerd here, and it cannot be installed'; return 1; }
  start_engine
}

start_engine() {
  mkdir -p "$ENGINE_ROOT" "$work/engine"
  remember_network
  export DOCKER_HOST=unix://$work/engine/docker.sock
  # nice: a build takes all cores for minutes. Containers inherit it.
  nice -n 5 dockerd --data-root "$ENGINE_ROOT/engine" --exec-root "$work/engine/exec" --pidfile "$work/engine/pid" \
    --host "$DOCKER_HOST" --storage-driver "${CROPVLM_TRY_STORAGE:-overlay2}" >"$work/engine/log" 2>&1 &
  own_engine=$!
  local tries
  for ((tries = 0; tries < 240; tries++)); do
    if docker info >/dev/null 2>&1; then
      note "started an engine of our own, $(docker version --format '{{.Server.Version}}'), in $ENGINE_ROOT/engine"
      return 0
    fi
    kill -0 "$own_engine" 2>/dev/null || break
    sleep 0.25
  done
  note "dockerd does not start here: $(grep -v level=info "$work/engine/log" | tail -n 2)"
  return 1
}

# Stops an engine of our own, and undoes what it did to the machine's network.
engine_down() {
  [[ -n $own_engine ]] || return 0
  # layers of earlier builds
  docker image prune --force --filter until=24h >/dev/null 2>&1 || true
  kill "$own_engine" 2>/dev/null || true
  wait "$own_engine" 2>/dev/null || true
  own_engine=
  umount "$work"/engine/exec/netns/* 2>/dev/null || true
  restore_network
}

remember_network() {
  iptables-save >"$work/iptables" 2>/dev/null || true
  cat /proc/sys/net/ipv4/ip_forward >"$work/ip_forward"
  [[ ! -e /sys/class/net/docker0 ]] || touch "$work/had-docker0"
}

restore_network() {
  # A bridge of Compose's has gone with the project; the engine's own stays behind it.
  [[ -e $work/had-docker0 ]] || ip link delete docker0 2>/dev/null || true
  # a table that was not there before is emptied
  {
    grep -q '^\*filter' "$work/iptables" || printf '*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n'
    grep -q '^\*nat' "$work/iptables" || printf '*nat\nCOMMIT\n'
    cat "$work/iptables"
  } | iptables-restore 2>/dev/null || true
  cat "$work/ip_forward" >/proc/sys/net/ipv4/ip_forward
}

# Sets the array `compose` to the command of Compose v2 that there is.
find_compose() {
  if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  elif [[ $(docker-compose version --short 2>/dev/null) == 2* ]]; then
    compose=(docker-compose)
  else
    fetch_compose || return 1
  fi
  note "Compose $("${compose[@]}" version --short)"
}

# Debian 12 has only Compose v1. The package of Debian 13 is one program without dependencies, which is unpacked from it.
fetch_compose() {
  local folder=$ENGINE_ROOT/compose found lists=$work/lists mirror
  mkdir -p "$folder" "$lists/partial"
  found=$(find "$folder" -type f -name docker-compose -perm -u+x | head -n 1)
  if [[ -z $found ]]; then
    command -v apt-get >/dev/null || { note 'Compose v2 is missing: install the plugin docker-compose'; return 1; }
    mirror=$(debian_mirror)
    echo "deb $mirror trixie main" >"$work/trixie.list"
    local options=(-qq -o "Dir::Etc::sourcelist=$work/trixie.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$lists")
    (cd "$work" && apt-get "${options[@]}" update && apt-get "${options[@]}" download docker-compose) >"$work/apt.log" 2>&1 || true
    dpkg -x "$work"/docker-compose_*.deb "$folder" 2>/dev/null ||
      { note "Compose v2 is missing and cannot be fetched: $(tail -n 1 "$work/apt.log")"; return 1; }
    found=$(find "$folder" -type f -name docker-compose -perm -u+x | head -n 1)
  fi
  [[ -n $found ]] || return 1
  compose=("$found")
}

# The mirror that this machine's apt is set up with.
debian_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$'; }
