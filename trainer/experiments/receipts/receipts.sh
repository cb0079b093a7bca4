#!/bin/sh
# A cropper for real receipts, from nothing but pictures, questions and answers: boxes by an OCR, training of all weights,
# export, and the service that runs it; beside it the same on drawn documents alone. Their scores on receipts kept apart
# go to results/receipts.md beside this file. Broken off at any point, it goes on from where it stood.
#
#     sh trainer/experiments/receipts/receipts.sh
#
#   RECEIPTS        the folder of receipts.jsonl and its images
#   FONTS           folders with fonts for the drawn documents, where they are not the system's
set -eu
# Everything is relative to the trainer's folder.
cd "$(dirname "$0")/../.."
sh setup.sh
: "${RECEIPTS:=../../shared/real}" "${FONTS:=}"
# Models this small gain little from a second thread; the other cropper gains all of it.
: "${OMP_NUM_THREADS:=1}"
export OMP_NUM_THREADS
train=.venv/bin/cropvlm-train here=experiments/receipts data=data/receipts documents=data/documents runs=runs/receipts
# A box has so much room that a model that is a little off still covers the line.
room='20 13'
mkdir -p $runs

$train data build --source jsonl=$RECEIPTS/receipts.jsonl --out $data
$train data split --data $data --by split
seed() { # PART LABELS: boxes from an OCR
  [ -f $data/$1-seeded.jsonl ] || $train data seed --method text --labels $2 --room $room \
    --manifest $data/$1.jsonl --out $data/$1-seeded.jsonl
}
seed train 24
seed dev 6
[ -f $documents/manifest.jsonl ] || $train data synth --style documents --n 4000 --seed 11 --room $room \
  ${FONTS:+--fonts $FONTS} --out $documents

cropper() { # NAME DATA KNOWS: trains it, and makes the folder that the service runs
  $train full-sft --config $here/receipts.toml --set data=$2.jsonl --set texts=$2.text.jsonl --set out=$runs/$1
  [ -f $runs/export/$1/cropvlm.json ] || $train export --checkpoint $runs/$1/best --out $runs/export/$1 --role cropper \
    --id $1 --resolution 512 --precision fp32 int8 --fp32-decoder \
    --parity-data $data/dev-seeded.jsonl --parity-pages 400 \
    --warning "$1 knows $3 and their labels only. On any other picture its box is a guess."
  $train verify $runs/export/$1
}
cropper cropvlm-receipts $data/train-seeded 'scanned receipts' > $runs/cropvlm-receipts.out 2>&1 & real=$!
cropper cropvlm-documents $documents/manifest 'drawn documents' > $runs/cropvlm-documents.out 2>&1 & drawn=$!
# Both, even where one failed: neither may still write when this is run again.
failed=
wait $real || failed=cropvlm-receipts
wait $drawn || failed="$failed cropvlm-documents"
[ -z "$failed" ] || { echo "receipts.sh: $failed failed; $runs/NAME.out says why" >&2; exit 1; }

# The questions of the receipts kept apart, and those about labels on them, by the service.
questions=$data/dev-questions.jsonl
{ cat $data/dev.jsonl; grep '"kind": "label"' $data/dev-seeded.jsonl; } > $questions
boxes() { # NAME ENVIRONMENT: the service's boxes
  name=$1
  shift
  [ -f $runs/$name.jsonl ] || (cd .. && env "$@" npm run -s boxes -- trainer/$questions trainer/$runs/$name.jsonl)
}
[ -d ../node_modules ] || (cd .. && npm install)
for name in cropvlm-receipts cropvlm-documents; do
  boxes $name CROPPER=onnx CROPPER_MODEL=trainer/$runs/export/$name
done
boxes cropvlm-mini CROPPER=onnx CROPPER_MODEL=models/cropvlm-mini
boxes text CROPPER=text
.venv/bin/python $here/table.py --questions $questions --train $data/train-seeded.jsonl --out $here/results/receipts.md \
  $runs/cropvlm-receipts.jsonl $runs/cropvlm-documents.jsonl $runs/text.jsonl $runs/cropvlm-mini.jsonl
