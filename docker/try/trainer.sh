# The trainer's image.

try_trainer() {
  local pages=trainer/data/synth
  figure 'trainer image' "$(megabytes "$(docker image inspect --format '{{.Size}}' "$trainer")")"
  expect "the trainer's user is a number" "$(inspect "$trainer" '{{.Config.User}}')" 1000:1000
  mkdir -p "$tree"/trainer/{data,runs,models}
  # the owner that the folders of most people have on Linux
  [[ $(id -u) != 0 ]] || chown 1000:1000 "$tree"/trainer/{data,runs,models}
  settings=(TRAINER_USER="$(stat -c %u:%g "$tree/trainer/data")")
  check 'the trainer says how it is used' dc run --rm trainer --help
  check 'torch runs in it' dc run --rm --entrypoint python trainer -c 'import torch; assert torch.ones(3).sum() == 3'
  check 'it draws pages' dc run --name cropvlm-try-trainer trainer data synth --n 3 --seed 1 --out data/synth
  expect 'files that the trainer wrote outside the volumes' \
    "$(written cropvlm-try-trainer /data /runs /models /home/trainer/.cache)" ''
  check 'the pages lie on this machine' test -n "$(find "$tree/$pages" -name '*.png' -o -name '*.jpg')"
  expect "their owner" "$(stat -c %u:%g "$tree/$pages")" "$(stat -c %u:%g "$tree/trainer/data")"
  docker rm cropvlm-try-trainer >/dev/null
}
