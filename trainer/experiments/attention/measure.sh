#!/bin/sh
# ViCrop's croppers beside the trained one, on the bundled models and their held-out pages; all have the same target.
# The models' checkpoints are made from their graphs. The scores go to results/attention/, results/attention.md sums up.
set -eu
# Everything is relative to the trainer's folder.
cd "$(dirname "$0")/../.."
: "${OMP_NUM_THREADS:=1}"
export OMP_NUM_THREADS
: "${PYTHON:=.venv/bin/python}"
: "${LIMIT:=500}" # pages
train="$PYTHON -m cropvlm_trainer.cli" runs=runs/attention data=data/held-out
target=$runs/smolvlm-mini

for model in smolvlm-mini cropvlm-mini; do
  [ -d $runs/$model ] || $PYTHON experiments/attention/checkpoint.py ../models/$model $runs/$model
done
[ -f $data/manifest.jsonl ] || $train data synth --out $data --n 500 --seed 20261122 --questions 1

score() { # NAME OPTIONS: the boxes, and the answers that they lead to
  name=$1
  shift
  [ -f $runs/scores/$name.json ] || $train eval --data $data --target $target --limit $LIMIT --out $runs/scores/$name.json "$@"
}
score trained --cropper $runs/cropvlm-mini
for layer in 2 0 1 3; do # 2, the one in the middle, is what is taken where no layer is named
  for method in rel-att grad-att; do
    score $method-$layer --cropper-only --cropper $method --attention-layers $layer
  done
done
for method in rel-att grad-att; do
  score $method-192 --cropper-only --cropper $method --cropper-resolution 192
  score $method-cropper --cropper-only --cropper $method --attention-checkpoint $runs/cropvlm-mini
done
$PYTHON experiments/attention/table.py $runs/scores results/attention
