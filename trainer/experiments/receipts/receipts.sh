#!/bin/sh
# A cropper for real receipts, from nothing but pictures, questions and answers: boxes by an OCR, training of all weights,
# export, and the service that runs it, with its scores on receipts kept apart in results/receipts.md beside this file.
# Broken off at any point, it goes on from where it stood. RECEIPTS is the folder of receipts.jsonl and its images.
set -eu
# Everything is relative to the trainer's folder.
cd "$(dirname "$0")/../.."
sh setup.sh
: "${RECEIPTS:=../../shared/real}"
: "${OMP_NUM_THREADS:=$(nproc)}"
export OMP_NUM_THREADS
train=.venv/bin/cropvlm-train here=experiments/receipts data=data/receipts runs=runs/receipts
model=$runs/export/cropvlm-receipts
mkdir -p $runs

$train data build --source jsonl=$RECEIPTS/receipts.jsonl --out $data
$train data split --data $data --by split
seed() { # PART LABELS: boxes from an OCR, with so much room that a model that is a little off still covers the line
  [ -f $data/$1-seeded.jsonl ] || OMP_NUM_THREADS=1 $train data seed --method text --labels $2 --room 20 13 \
    --manifest $data/$1.jsonl --out $data/$1-seeded.jsonl
}
seed train 24
seed dev 6
$train full-sft --config $here/receipts.toml

[ -f $model/cropvlm.json ] || $train export --checkpoint $runs/sft/best --out $model --role cropper \
  --id cropvlm-receipts --resolution 512 --precision fp32 int8 --fp32-decoder \
  --parity-data $data/dev-seeded.jsonl --parity-pages 400 \
  --warning "cropvlm-receipts knows scanned receipts and their labels only. On any other picture its box is a guess."
$train verify $model

# The questions of the receipts kept apart, and those about labels on them, by the service.
questions=$data/dev-questions.jsonl
{ cat $data/dev.jsonl; grep '"kind": "label"' $data/dev-seeded.jsonl; } > $questions
boxes() { # NAME ENVIRONMENT: the service's boxes
  name=$1
  shift
  [ -f $runs/$name.jsonl ] || (cd .. && env "$@" npm run -s boxes -- trainer/$questions trainer/$runs/$name.jsonl)
}
[ -d ../node_modules ] || (cd .. && npm install)
boxes cropvlm-receipts CROPPER=onnx CROPPER_MODEL=trainer/$model
boxes cropvlm-mini CROPPER=onnx CROPPER_MODEL=models/cropvlm-mini
boxes text CROPPER=text
.venv/bin/python $here/table.py --questions $questions --train $data/train-seeded.jsonl --out $here/results/receipts.md \
  $runs/cropvlm-receipts.jsonl $runs/text.jsonl $runs/cropvlm-mini.jsonl
