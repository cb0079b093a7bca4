#!/bin/sh
# A cropper for real receipts, from nothing but pictures, questions and answers: boxes by an OCR, training of all weights on
# receipts and drawn documents in equal parts and then on receipts alone, export, and the service that runs it. The
# scores on receipts kept apart go to results/receipts.md beside this file, the models to the trainer's
# runs/receipts/export. Broken off at any point, it goes on from where it stood.
#
#     sh trainer/experiments/receipts/receipts.sh
#
#   GRPO=1          tunes it by GRPO with what the OCR reads in the crop as the reward, for the table (grpo.toml)
#   ALONE=1         trains on receipts alone and on drawn documents alone too, for the table; twice the time, on two cores
#   RECEIPTS        the folder of receipts.jsonl and its images (../shared/real beside the repository). Each row has `image`,
#                   `question`, `answers` and `split` (train or dev), and may have `field` (what is asked for) and `lines`
#                   (the boxes, in per cent, of the lines that show the answer). Without `lines`, boxes are held against the
#                   line in which the OCR finds the answer
#   NAME            of data/NAME, runs/NAME and results/NAME.md (receipts): another one for other pages
#   FONTS           folders with fonts for the drawn documents, where they are not the system's
#   CONFIG          of the training of all weights, relative to the trainer's folder (experiments/receipts/receipts.toml);
#                   with another one, other.toml, the runs and the table are NAME-other
#   CROPVLM_TRAIN, CROPVLM_PYTHON   the trainer's command and its Python, where they are elsewhere (then setup.sh is not run)
set -eu
from=$PWD
# Everything is relative to the trainer's folder.
cd "$(dirname "$0")/../.."
: "${RECEIPTS:=$PWD/../../shared/real}" "${FONTS:=}" "${NAME:=receipts}"
case $RECEIPTS in /*) ;; *) RECEIPTS=$from/$RECEIPTS ;; esac
# Models this small gain little from a second thread; the other cropper gains all of it.
: "${OMP_NUM_THREADS:=1}"
export OMP_NUM_THREADS
train=${CROPVLM_TRAIN:-.venv/bin/cropvlm-train} python=${CROPVLM_PYTHON:-.venv/bin/python} here=experiments/receipts
: "${CONFIG:=$here/receipts.toml}"
run=$(basename "$CONFIG" .toml)
[ "$run" = receipts ] && run=$NAME || run=$NAME-$run
data=data/$NAME documents=data/documents runs=runs/$run results=$here/results/$run.md
# One core is left to the training.
cores=$(getconf _NPROCESSORS_ONLN)
workers=$((cores > 9 ? 8 : cores > 2 ? cores - 1 : 1))
# A box has so much room that a model that is a little off still covers the line.
room='20 13'

# --- training ---------------------------------------------------------------------------------------------------------

drawn=$documents/manifest real=$data/train-seeded
list() { # FILE ...: as --set takes several
  printf '["%s"' "$1"
  shift
  [ $# = 0 ] || printf ', "%s"' "$@"
  printf ']'
}
sft() { # NAME CONFIG BASE DATA ...: all weights, on data sets that give equally many pages
  name=$1 config=$2 base=$3
  shift 3
  [ -f $runs/$name/checkpoint/training.json ] ||
    $train full-sft --config $config --set base=$base --set out=$runs/$name --set workers=$workers \
      --set dev=$data/dev-seeded.jsonl \
      --set "data=$(list $(printf '%s.jsonl ' "$@"))" --set "texts=$(list $(printf '%s.text.jsonl ' "$@"))"
  # SIGTERM ends a training with 0, and its best so far is not what it was to be.
  [ -f $runs/$name/checkpoint/training.json ] || { echo "$name was stopped; run this again to go on" >&2; exit 1; }
}
ship() { # NAME CHECKPOINT KNOWS: the folder that the service runs
  [ -f $runs/export/$1/cropvlm.json ] || $train export --checkpoint $2 --out $runs/export/$1 --role cropper --id $1 \
    --resolution 512 --precision fp32 int8 --fp32-decoder --parity-data $data/dev-seeded.jsonl --parity-pages 400 \
    --warning "$1 knows $3 and their labels only. On any other picture its box is a guess."
  $train verify $runs/export/$1
}
on_both() {
  sft both-sft $CONFIG $mini $real $drawn
  sft brief-sft $here/brief.toml $runs/both-sft/best $real
  sft receipts-sft $here/last.toml $runs/brief-sft/best $real
  ship cropvlm-receipts $runs/receipts-sft/best 'scanned receipts'
  [ -n "$grpo" ] || return 0
  [ -f $runs/receipts-grpo/adapter/training.json ] ||
    $train grpo --config $here/grpo.toml --set base=$runs/receipts-sft/best --set data=$real.jsonl \
      --set out=$runs/receipts-grpo --set reward.processes=$workers
  ship receipts-grpo $runs/receipts-grpo/adapter 'scanned receipts'
}
on_each_alone() {
  sft receipts-alone $CONFIG $mini $real
  ship receipts-alone $runs/receipts-alone/best 'scanned receipts'
  sft documents-alone $CONFIG $mini $drawn
  ship documents-alone $runs/documents-alone/best 'drawn documents'
}
mini=../models/cropvlm-mini grpo=${GRPO:+receipts-grpo} alone=${ALONE:+receipts-alone documents-alone}

if [ "${1:-}" = job ]; then # NAME FUNCTION: what it prints goes to NAME.out
  job=$2
  exec 3>&2
  # The function is called where an error in it ends the job: not in a condition.
  # Of 255 xargs would end, and leave the other job behind.
  trap '[ $? = 0 ] || { echo "receipts.sh: a training failed; see $job.out in $runs" >&3; exit 1; }' EXIT
  "$3" > $runs/$job.out 2>&1
  exit 0
fi

# --- the whole --------------------------------------------------------------------------------------------------------

[ -f "$RECEIPTS/receipts.jsonl" ] || {
  echo "receipts.sh: there is no $RECEIPTS/receipts.jsonl; set RECEIPTS to the folder of receipts.jsonl and its images" >&2
  exit 1
}
[ -n "${CROPVLM_TRAIN:-}" ] || sh setup.sh
mkdir -p $runs
# Held by every job too, so that what a kill has left running is not run twice.
exec 9> $runs/lock
if command -v flock > /dev/null && ! flock -n 9; then
  echo "receipts.sh: another one, or a training that one has left, is running in $runs; end it first" >&2
  exit 1
fi

# --- pages and boxes --------------------------------------------------------------------------------------------------

mkdir -p data
# Runs of two configurations share the pages.
exec 8> data/lock
! command -v flock > /dev/null || flock 8
RECEIPTS=$(cd "$RECEIPTS" && pwd)
if [ -f data/$NAME.from ] && [ "$(cat data/$NAME.from)" != "$RECEIPTS" ]; then
  echo "receipts.sh: $data has other pages than $RECEIPTS; give these another NAME" >&2
  exit 1
fi
echo "$RECEIPTS" > data/$NAME.from
$train data build --source "jsonl=$RECEIPTS/receipts.jsonl" --out $data
$train data split --data $data --by split
seed() { # PART LABELS: boxes from an OCR
  [ -f $data/$1-seeded.jsonl ] || $train data seed --method text --labels $2 --room $room \
    --manifest $data/$1.jsonl --out $data/$1-seeded.jsonl
}
seed train 24
seed dev 6
[ -f $documents/manifest.jsonl ] || $train data synth --style documents --n 4000 --seed 11 --room $room \
  ${FONTS:+--fonts $FONTS} --out $documents
exec 8>&-

echo "training, for hours; $runs/cropvlm-receipts.out has the progress"
# Both, even where one fails.
{ echo cropvlm-receipts on_both; [ -z "$alone" ] || echo alone on_each_alone; } |
  xargs -P 2 -L 1 sh $here/receipts.sh job || exit 1

# --- scores -----------------------------------------------------------------------------------------------------------

# The questions about the receipts kept apart, by the service: those with marked lines, and of the others, and those about
# labels, the ones whose line the OCR has found.
questions=$data/dev-questions.jsonl
{ grep '"lines": ' $data/dev.jsonl; grep -v '"lines": ' $data/dev-seeded.jsonl; } > $questions || true
boxes() { # NAME ENVIRONMENT: the service's boxes
  name=$1
  shift
  [ -f $runs/$name.jsonl ] || (cd .. && env "$@" npm run -s boxes -- trainer/$questions trainer/$runs/$name.jsonl)
}
[ -d ../node_modules ] || (cd .. && npm install)
for name in cropvlm-receipts $grpo $alone; do
  boxes $name CROPPER=onnx MODEL_PRECISION=fp32 CROPPER_MODEL=trainer/$runs/export/$name
done
boxes cropvlm-receipts-int8 CROPPER=onnx MODEL_PRECISION=int8 CROPPER_MODEL=trainer/$runs/export/cropvlm-receipts
boxes cropvlm-mini CROPPER=onnx CROPPER_MODEL=models/cropvlm-mini
boxes text CROPPER=text
$python $here/prior.py --questions $questions --train $real.jsonl --like $runs/cropvlm-receipts.jsonl \
  --out $runs/position-prior.jsonl
$python $here/table.py --questions $questions --train $real.jsonl --out $results \
  $(printf "$runs/%s.jsonl " cropvlm-receipts cropvlm-receipts-int8 $grpo $alone text position-prior cropvlm-mini)
