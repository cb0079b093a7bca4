#!/bin/sh
# Makes the two bundled models: models/smolvlm-mini (the target) and models/cropvlm-mini (the cropper), with their
# scores on 500 pages that neither has seen. Broken off at any point, it goes on from the last checkpoint when it is
# run again. An NVIDIA GPU is used if there is one.
set -eu
cd "$(dirname "$0")"
sh setup.sh
train=.venv/bin/cropvlm-train

$train pretrain --out runs/base --stop-at 6000
$train sft --base runs/base/checkpoint-6000 --out runs/cropper

[ -f data/held-out/manifest.jsonl ] || $train data synth --n 500 --seed 20261122 --out data/held-out
$train eval --data data/held-out --target runs/base/checkpoint-6000 --cropper runs/cropper/checkpoint --out runs/scores.json

$train export --checkpoint runs/base/checkpoint-6000 --out ../models/smolvlm-mini \
  --role target --id smolvlm-mini --resolution 96 --scores runs/scores.json
$train export --checkpoint runs/cropper/checkpoint --out ../models/cropvlm-mini \
  --role cropper --id cropvlm-mini --resolution 96 --scores runs/scores.json
