# The images, built from a copy of what git knows of, as a fresh clone has it.

# Copies the tracked and the new files to $tree, with this machine's certificates for the build.
copy_tree() {
  mkdir "$tree"
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
    tar -c --null -T - | tar -C "$tree" -x
  [[ ! -f ${NODE_EXTRA_CA_CERTS:-} ]] || cp "$NODE_EXTRA_CA_CERTS" "$tree/docker/certs/node.crt"
  [[ ! -f $(pip_setting cert) ]] || cp "$(pip_setting cert)" "$tree/docker/certs/pip.crt"
}

# A setting of this machine's pip, from its files or the environment.
pip_setting() {
  python3 -m pip config list 2>/dev/null | sed -nE "s/^(:env:\.|global\.)$1='(.*)'/\2/p" | head -n 1
}

# Sets `arguments`: how a build reaches the registries that this machine does.
build_arguments() {
  local name
  # a server on this machine's loopback, and its resolver, are reached from the host's network alone
  arguments=(${own_engine:+--network host} --build-arg "GIT_REVISION=$(git rev-parse HEAD)")
  [[ -z $fresh ]] || arguments+=(--no-cache)
  for name in HTTPS_PROXY HTTP_PROXY NO_PROXY NPM_CONFIG_REGISTRY PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST; do
    [[ -z ${!name:-} ]] || arguments+=(--build-arg "$name=${!name}")
  done
  [[ ! -f $tree/docker/certs/node.crt ]] || arguments+=(--build-arg NODE_EXTRA_CA_CERTS=/certs/node.crt)
  [[ ! -f $tree/docker/certs/pip.crt ]] || arguments+=(--build-arg PIP_CERT=/certs/pip.crt)
}

# Packages for pip that lie on this machine's disk (a torch for CPUs alone) reach a build over loopback.
serve_wheels() {
  local folder port wanted
  folder=$(pip_setting find-links)
  [[ -d $folder && -n $own_engine ]] || return 0
  # the same port each time, where it is free: a build whose arguments changed finds nothing in the engine's cache
  for wanted in 38571 0; do
    python3 -u -m http.server --bind 127.0.0.1 --directory "$folder" "$wanted" >"$work/wheels.log" 2>&1 &
    wheels=$!
    until port=$(sed -nE 's/^Serving.* port ([0-9]+).*/\1/p' "$work/wheels.log") && [[ -n $port ]]; do
      kill -0 "$wheels" 2>/dev/null || continue 2
      sleep 0.1
    done
    break
  done
  arguments+=(--build-arg "PIP_FIND_LINKS=http://127.0.0.1:$port/")
  note "packages of $folder are served to the build"
}

# Builds an image, or a stage of it: build IMAGE DOCKERFILE [STAGE]
build() {
  local image=$1 file=$2 what=$2${3:+, stage $3} log=$work/build.log from
  from=$(date +%s.%N)
  if docker build "${arguments[@]}" ${3:+--target "$3"} --tag "$image" --file "$tree/$file" "$tree" >"$log" 2>&1; then
    passed=$((passed + 1))
    printf 'ok   %s builds\n' "$what"
    figure "$what: built in" "$(seconds_since "$from")"
  else
    tail -n 30 "$log"
    failures+=("$what builds")
    return 1
  fi
}

# The stages of the GPU image that need nothing but the npm registry, and what parses of the rest.
build_gpu_stages() {
  build cropvlm-gpu:stage-build docker/gpu.Dockerfile build || return 0
  build cropvlm-gpu:stage-dependencies docker/gpu.Dockerfile dependencies || return 0
  note 'its last stages need CUDA libraries and an image of NVIDIA, which are not to be had here'
}
