# The images that the Dockerfiles start from: pulled, or made here where nothing can be pulled.

# Sees to it that the base images of a Dockerfile are there: bases DOCKERFILE
bases() {
  local image
  for image in $(sed -nE 's/^FROM (--platform=\S+ )?(\S+:\S+).*/\2/p' "$1" | sort -u); do base "$image"; done
}

base() {
  if docker image inspect "$1" >/dev/null 2>&1; then
    note "$1 is here: $(label "$1")"
  elif [[ -z $stand_in ]] && timeout 300 docker pull --quiet "$1" >"$work/pull.log" 2>&1; then
    note "$1 was pulled"
  else
    [[ -n $stand_in ]] || note "$1 cannot be pulled: $(tail -n 1 "$work/pull.log")"
    make_base "$1" || give_up "there is no $1, and no stand-in for it can be made (root, Debian, debootstrap)"
  fi
}

# What a base image is.
label() { docker image inspect --format '{{with index .Config.Labels "cropvlm.stand-in"}}{{.}}{{else}}as published{{end}}' "$1"; }

make_base() {
  local from root made
  from=$(date +%s.%N)
  need debootstrap debootstrap || return 1
  root=$(mktemp -d "$work/base.XXXXXX")
  case $1 in
    node:*) node_base "$root" ;;
    python:3.11.*) debian "$root" python3-venv,python-is-python3 && made="Debian's Python" ;;
    *) note "no stand-in is known for $1" && return 1 ;;
  esac || return 1
  made=${made:-"this machine's Node $(node --version)"}
  tar -C "$root" -c . | docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change "LABEL cropvlm.stand-in=\"a stand-in: bookworm by debootstrap, $made\"" - "$1" >/dev/null || return 1
  rm -rf "$root"
  note "made $1 in $(seconds_since "$from"): $(label "$1")"
}

# Debian as its slim images have it: debian FOLDER [PACKAGE,...]
debian() {
  debootstrap --variant=minbase ${2:+--include="$2"} bookworm "$1" "$(debian_mirror)" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 3 "$work/debootstrap.log"; return 1; }
  (cd "$1" && rm -rf ./var/cache/apt/* ./var/lib/apt/lists/* ./usr/share/{doc,man,info,locale}/* ./var/log/* ./dev/*)
}

# Debian with Node and npm of this machine, and the user `node` of the published image.
node_base() {
  local npm
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")") || return 1
  debian "$1" || return 1
  install -D "$(readlink -f "$(command -v node)")" "$1/usr/local/bin/node"
  mkdir -p "$1/usr/local/lib/node_modules"
  cp -r "$npm" "$1/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"
  chroot "$1" groupadd --gid 1000 node
  chroot "$1" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
}
