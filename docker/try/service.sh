# The service's image: what is in it, and how it runs.

# Most that the image may hold, in bytes.
LIMIT=450000000
# Where something is mounted, or may be written.
places=(/var/cache/cropvlm /app/models /etc/cropvlm)

inside() { docker run --rm --network none --entrypoint "$1" "$image" "${@:2}"; }

inspect() { docker inspect --format "$2" "$1"; }

image_holds() {
  local size base
  size=$(docker image inspect --format '{{.Size}}' "$image")
  base=$(docker image inspect --format '{{.Size}}' "$(sed -nE 's/^FROM (\S+:\S+)$/\1/p' "$tree/Dockerfile")")
  figure 'CPU image' "$(megabytes "$size")"
  figure '  of it the base' "$(megabytes "$base")"
  local part
  for part in node_modules/onnxruntime-node node_modules/@img node_modules/@gutenye node_modules models dist; do
    figure "  of it /app/$part" "$(megabytes "$(inside du -sb "/app/$part" | cut -f 1)")"
  done
  check "it holds less than $(megabytes $LIMIT)" test "$size" -lt $LIMIT
  check 'it has jemalloc' inside sh -c 'test -f /usr/lib/*/libjemalloc.so.2'
  expect 'its user is a number' "$(inspect "$image" '{{.Config.User}}')" 1000:1000
  expect 'its version' "$(inspect "$image" '{{index .Config.Labels "org.opencontainers.image.version"}}')" \
    "$version"
  expect 'its revision, to the service' "$(inside printenv GIT_REVISION)" "$(git rev-parse HEAD)"
  expect 'its revision' "$(inspect "$image" '{{index .Config.Labels "org.opencontainers.image.revision"}}')" "$(git rev-parse HEAD)"
  expect 'its licence' "$(inspect "$image" '{{index .Config.Labels "org.opencontainers.image.licenses"}}')" Apache-2.0
  check 'the list of its packages names them' inside node -e '
    const [, file] = process.argv
    const { packages } = JSON.parse(fs.readFileSync(file, "utf8"))
    const { dependencies } = JSON.parse(fs.readFileSync("package.json", "utf8"))
    const missing = Object.keys(dependencies).filter(name => !packages.some(found => found.name === name && found.licenseDeclared))
    if (missing.length) throw new Error(`without ${missing}`)' "$(inspect "$image" '{{index .Config.Labels "cropvlm.sbom"}}')"
  check 'nothing of the build is in it' inside sh -c \
    '! ls -d /certs /app/src /app/prune.sh /app/node_modules/typescript 2>/dev/null && ! env | grep -iE "cert|registry|pip_"'
}

# Runs Compose on the copy, in a project of its own and with no settings but ours.
dc() {
  (cd "$tree" && env -i PATH="$PATH" HOME="$HOME" ${DOCKER_HOST:+DOCKER_HOST="$DOCKER_HOST"} \
    ${DOCKER_CONTEXT:+DOCKER_CONTEXT="$DOCKER_CONTEXT"} "${settings[@]}" "${compose[@]}" --project-name cropvlm-try "$@")
}

# Waits until the service at an URL is ready.
ready() {
  local tries
  for ((tries = 0; tries < 1800; tries++)); do
    ! curl --silent --fail --max-time 5 --output /dev/null "$1/health/ready" || return 0
    sleep 0.1
  done
  echo "$1/health/ready was not 200 within three minutes"
  return 1
}

# Starts the service and waits until it is ready: up WHAT
up() {
  local from
  from=$(date +%s.%N)
  dc up --detach --no-build >"$work/up.log" 2>&1 || { cat "$work/up.log"; failures+=('docker compose up'); return 1; }
  url=http://$(dc port cropvlm 8080)
  container=$(dc ps --all --quiet cropvlm)
  ready "$url" || {
    dc logs --tail 20 cropvlm
    failures+=("ready ($1)")
    return 1
  }
  figure "ready after docker compose up, $1" "$(seconds_since "$from")"
}

# Waits for the word of the healthcheck.
healthy() {
  dc up --detach --no-build --wait --wait-timeout 180 >/dev/null 2>&1 || true
  inspect "$container" '{{.State.Health.Status}}'
}

# Asks a route with the README's page: ask ROUTE EXPRESSION [FIELD...]; prints EXPRESSION of the reply.
ask() {
  local route=$1 expression=$2
  shift 2
  curl --silent --show-error --form image=@docs/example.png --form 'question=What is the total?' "$@" "$url$route" |
    docker exec --interactive "$container" node -p "const reply = JSON.parse(fs.readFileSync(0)); $expression"
}

asked() {
  expect '/crop finds a box' "$(ask /crop 'reply.decision')" zoomed
  expect '/answer answers' "$(ask /answer 'reply.answer.replace(/\.$/, "")')" "$1"
}

# What a container has written elsewhere than in its volumes and /tmp: written CONTAINER FOLDER... The engine lists what it
# mounts itself (docker-init is its `init: true`), and each folder above what was made.
written() {
  local container=$1 folder allowed='usr|usr/sbin|usr/sbin/docker-init|tmp(/.*)?'
  shift
  for folder; do
    allowed+="|${folder#/}(/.*)?"
    while folder=$(dirname "$folder") && [[ $folder != / ]]; do allowed+="|${folder#/}"; done
  done
  docker diff "$container" | sed -E 's/^. //' | grep -vE "^/($allowed)$" || true
}

# Stops the service: stops WHAT
stops() {
  local from
  from=$(date +%s.%N)
  dc stop >/dev/null 2>&1
  figure "docker compose stop, $1" "$(seconds_since "$from")"
  expect 'its exit code' "$(inspect "$container" '{{.State.ExitCode}}')" 0
}

compose_service() {
  local profile route start
  settings=(CROPVLM_PORT=0)
  for profile in '' gpu target trainer trainer-gpu monitoring; do
    check "docker-compose.yml is valid${profile:+, profile $profile}" dc --profile "$profile" config --quiet
  done
  up 'as it comes' || return 0
  asked 31.70
  for route in / /docs /openapi.json; do
    check "$route is there" curl --silent --show-error --fail --location --output /dev/null "$url$route"
  done
  expect 'it runs as user' "$(docker exec "$container" id -u):$(docker exec "$container" id -g)" 1000:1000
  expect 'its root is read-only' "$(inspect "$container" '{{.HostConfig.ReadonlyRootfs}}')" true
  expect "the volume's owner" "$(docker exec "$container" stat -c %u:%g /var/cache/cropvlm)" 1000:1000
  expect 'the healthcheck says' "$(healthy)" healthy
  expect 'files written outside the volumes' "$(written "$container" "${places[@]}")" ''
  stops 'as it comes'
  # the bundled models, which the first start optimises for this CPU
  settings+=(CROPPER_MODEL=models/cropvlm-mini LOCAL_TARGET_MODEL=models/smolvlm-mini)
  for start in first second; do
    up "bundled models, $start start" || return 0
    asked "31.70"
    check 'optimised graphs are kept in the volume' docker exec "$container" sh -c 'ls /var/cache/cropvlm/*/*'
    expect 'files written outside the volumes' "$(written "$container" "${places[@]}")" ''
    stops "bundled models, $start start"
  done
}

# A target that TARGETS_FILE names, whose key comes from .env.
compose_target() {
  local server='http.createServer((request, response) => {
    request.resume().on("end", () => {
      const content = `key ${request.headers.authorization}`
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }] }))
    })
  }).listen(8000)'
  echo '[{"name": "scripted", "base_url": "http://scripted:8000/v1", "model": "plain", "api_key_env": "SCRIPTED_KEY"}]' >"$tree/targets.json"
  # HOST and PORT: settings of a service outside a container, which must not reach one inside
  printf 'SCRIPTED_KEY=from-dotenv\nHOST=127.0.0.1\nPORT=9\n' >"$tree/.env"
  echo 'a certificate' >"$tree/ca.pem"
  settings=(CROPVLM_PORT=0 TARGETS_FILE=targets.json NODE_EXTRA_CA_CERTS=./ca.pem)
  docker run --detach --rm --init --network cropvlm-try_default --name cropvlm-try-scripted --network-alias scripted \
    "$image" node -e "$server" >/dev/null
  if up 'with TARGETS_FILE'; then
    asked 'key Bearer from-dotenv'
    expect 'NODE_EXTRA_CA_CERTS names a file with' "$(docker exec "$container" sh -c 'cat "$NODE_EXTRA_CA_CERTS"')" 'a certificate'
    stops 'with TARGETS_FILE'
  fi
  docker rm --force cropvlm-try-scripted >/dev/null 2>&1 || true
  rm "$tree"/{.env,targets.json,ca.pem}
}

# As Kubernetes runs it where it chooses the user, and with a root that can be written, so that nothing hides.
any_user() {
  local url
  container=$(docker run --detach --init --user 12345:0 --cap-drop ALL --security-opt no-new-privileges --publish 127.0.0.1::8080 "$image")
  url=http://$(docker port "$container" 8080 | head -n 1)
  check 'it is ready as user 12345' ready "$url"
  expect 'user 12345: /crop finds a box' "$(ask /crop 'reply.decision')" zoomed
  expect 'user 12345: files written outside the cache' "$(written "$container" "${places[@]}")" ''
  docker stop "$container" >/dev/null
  expect 'user 12345: exit code' "$(inspect "$container" '{{.State.ExitCode}}')" 0
  docker rm "$container" >/dev/null
}
