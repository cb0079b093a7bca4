#!/bin/sh
# The paper in miniature, from nothing: a small Idefics3 that reads, croppers for it from questions and answers alone
# (seed boxes by grid search, SFT, GRPO with either reward; three seeds side by side), their scores in
# results/miniature.md beside this file, and, in the trainer's folder, two model folders that the service runs:
# runs/export/smolvlm-mini (the base as the target) and runs/export/cropvlm-mini (the best cropper). Broken off at any
# point, it goes on from where it stood. An NVIDIA GPU is used if there is one.
set -eu
# Everything is relative to the trainer's folder.
cd "$(dirname "$0")/../.."
sh setup.sh
# Models this small gain little from a second thread; a second seed gains all of it.
: "${OMP_NUM_THREADS:=1}"
export OMP_NUM_THREADS
: "${CUDA_VISIBLE_DEVICES=0}"
export CUDA_VISIBLE_DEVICES
train=.venv/bin/cropvlm-train here=experiments/miniature
config=$here/mini.toml base=runs/base/checkpoint-7500 pages=data/mini more=data/long runs=runs/mini

$train pretrain --out runs/base --stop-at 7500

draw() { # FOLDER PAGES SEED QUESTIONS
  [ -f $1/manifest.jsonl ] || $train data synth --out $1 --n $2 --seed $3 --questions $4
}
draw data/held-out 500 20261122 1
draw data/dev 300 20261126 1
draw $pages 600 31 4
draw $more 3000 33 4
$train data split --data $pages --seed 0 --share 0.35
# The paper's 5 x 5 cells, and noise of up to a cell on each side, make crops that this reader cannot read (LOG.md).
[ -f $pages/sft-grid.jsonl ] || $train data seed --method grid --n 10 --most-cells 2 --base $base \
  --manifest $pages/sft.jsonl --out $pages/sft-grid.jsonl
[ -f $pages/sft-true.jsonl ] || $train data expand --by 2 --manifest $pages/sft.jsonl --out $pages/sft-true.jsonl

score() { # SEED STAGE: a cropper's boxes, and the answers that they lead to, on both sets
  for set in held-out dev; do
    out=$runs/$set/$1/$2.json
    [ -f $out ] || $train eval --cropper-only --data data/$set --target $base --cropper $runs/$1/$2/adapter --out $out
  done
}
teach() { # SEED STAGE BOXES: SFT
  $train sft --config $config --set seed=$1 --set data=$pages/sft-$3.jsonl --set out=$runs/$1/$2
  score $1 $2
}
tune() { # SEED STAGE REWARD SFT: GRPO, from an SFT
  $train grpo --config $config --set seed=$1 --set reward=$3 --set adapter=$runs/$1/$4/adapter --set out=$runs/$1/$2
  score $1 $2
}
lengthen() { # SEED: GRPO goes on from the accuracy reward's cropper, on eight times as many questions
  $train grpo --config $config --set seed=$1 --set reward=accuracy --set data=$more/manifest.jsonl --set epochs=4 \
    --set adapter=$runs/$1/accuracy/adapter --set out=$runs/$1/long
  score $1 long
}
croppers() { # SEED
  teach $1 sft grid
  tune $1 log_likelihood log_likelihood sft
  tune $1 accuracy accuracy sft
  teach $1 true-sft true
  tune $1 true-log_likelihood log_likelihood true-sft
}
[ -f $runs/held-out/references.json ] ||
  $train eval --data data/held-out --target $base --cropper $base --out $runs/held-out/references.json
running=
for seed in 1 2 3; do
  croppers $seed > $runs/$seed.out 2>&1 &
  running="$running $!"
done
# All of them, even where one failed: none may still write when this is run again.
failed=
for one in $running; do wait $one || failed=1; done
[ -z "$failed" ] || { echo "mini.sh: a run failed; $runs/SEED.out says why" >&2; exit 1; }
# One seed: it takes as long as all that was before (2,816 steps), and is there to be bundled.
lengthen 1
$train summary --runs $runs/held-out --out $here/results/miniature.json

best=$($train summary --runs $runs/dev --best)
$train eval --data data/held-out --target $base --cropper $runs/$best/adapter --out runs/scores.json
only='synthetic pages only (receipts, tables and shapes that its trainer draws)'
$train export --checkpoint $base --out runs/export/smolvlm-mini \
  --role target --id smolvlm-mini --resolution 96 --precision fp32 int8 --parity-pages 500 --scores runs/scores.json \
  --warning "smolvlm-mini knows $only. About any other picture its answer is a guess."
$train export --checkpoint $runs/$best/adapter --out runs/export/cropvlm-mini \
  --role cropper --id cropvlm-mini --resolution 96 --precision fp32 int8 --parity-pages 500 --scores runs/scores.json \
  --warning "cropvlm-mini knows $only. On any other picture its box is a guess."
