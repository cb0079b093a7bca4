#!/bin/sh
# Makes the two bundled models: models/smolvlm-mini (the target) and models/cropvlm-mini (the cropper), with their
# scores on 500 pages that neither has seen. Broken off at any point, it goes on from the last checkpoint when it is
# run again. An NVIDIA GPU is used if there is one.
set -eu
cd "$(dirname "$0")"
sh setup.sh
train=.venv/bin/cropvlm-train

# The cropper starts from the reader as it is when crops have become wide; from there the two trainings know nothing
# of each other and run side by side, a thread each: on two cores that is faster than one after the other on both.
[ -d runs/base/checkpoint-4500 ] || $train pretrain --out runs/base --stop-at 4500
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
$train sft --base runs/base/checkpoint-4500 --out runs/cropper &
cropper=$!
$train pretrain --out runs/base
wait $cropper

[ -f data/held-out/manifest.jsonl ] || $train data synth --n 500 --seed 20261122 --out data/held-out
$train eval --data data/held-out --target runs/base/checkpoint --cropper runs/cropper/checkpoint --out runs/scores.json

$train export --checkpoint runs/base/checkpoint --out ../models/smolvlm-mini \
  --role target --id smolvlm-mini --resolution 96 --scores runs/scores.json
$train export --checkpoint runs/cropper/checkpoint --out ../models/cropvlm-mini \
  --role cropper --id cropvlm-mini --resolution 96 --scores runs/scores.json
