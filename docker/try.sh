#!/usr/bin/env bash
# Builds the images and runs them, as a person does with `docker compose up`, and checks what comes out.
#   docker/try.sh             the CPU's and the trainer's image, and what can be built of the GPU's
#   docker/try.sh --short     the CPU's image alone
# and with either
#   --fresh                   builds without the engine's cache
#   --stand-in                makes the base images here (debootstrap) rather than try to pull them
# On Linux, with docker and Compose 2.24, curl and git. As root on Debian it installs what is missing and starts an engine of
# its own, which keeps its images in ~/.cache/cropvlm/docker (CROPVLM_TRY_CACHE; 10 GB) and is stopped again. The images stay.
# Ends with 1 if a check failed, with 77 where no engine can be had.
set -euo pipefail
cd "$(dirname "$0")/.."
short='' fresh='' stand_in='' wheels=''
for option; do
  case $option in
    --short) short=1 ;;
    --fresh) fresh=1 ;;
    --stand-in) stand_in=1 ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" && exit 2 ;;
  esac
done

work=$(mktemp -d "${TMPDIR:-/tmp}/cropvlm-try.XXXXXX")
tree=$work/tree
version=$(sed -nE 's/^  "version": "(.*)",/\1/p' package.json)
image=cropvlm:$version
trainer=cropvlm-trainer:$version
for part in report engine bases build service trainer; do
  # shellcheck source=/dev/null
  . "docker/try/$part.sh"
done

clean_up() {
  local code=$?
  trap - EXIT INT TERM
  [[ -z $wheels ]] || kill "$wheels" 2>/dev/null || true
  if [[ -d $tree && -n ${compose[*]:-} ]]; then
    docker rm --force cropvlm-try-scripted cropvlm-try-trainer >/dev/null 2>&1 || true
    settings=(CROPVLM_PORT=0)
    dc --profile trainer down --volumes --remove-orphans >/dev/null 2>&1 || true
  fi
  engine_down
  rm -rf "$work"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

began=$(date +%s.%N)
step 'The engine'
if ! engine_up || ! find_compose; then
  note 'nothing is tried'
  exit 77
fi

step 'The CPU image'
copy_tree
build_arguments
bases Dockerfile
build "$image" Dockerfile || give_up 'the CPU image does not build'
image_holds

step 'docker compose up'
compose_service

step 'TARGETS_FILE, and a key from .env'
compose_target

step 'A user that Kubernetes chooses'
any_user

if [[ -z $short ]]; then
  step 'The trainer image'
  bases docker/trainer.Dockerfile
  serve_wheels
  ! build "$trainer" docker/trainer.Dockerfile || try_trainer

  step 'The GPU image, as far as it goes'
  build_gpu_stages
fi

figure 'all of it took' "$(seconds_since "$began")"
figure 'load average of the machine, processors' "$(cut -d ' ' -f 1-3 /proc/loadavg), $(nproc)"
summary
((${#failures[@]} == 0))
