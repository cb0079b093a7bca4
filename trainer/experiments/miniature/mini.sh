#!/bin/sh
# The paper in miniature, from nothing: a small Idefics3 that reads and was never taught a box, croppers for it from
# questions and answers alone (seed boxes by the grid search, by the best of 16 draws and by an OCR; SFT; GRPO), and as
# their rival SFT on the true boxes of the same questions; three seeds. SFT trains all weights (`full-sft`): of an adapter
# a model this small learns nothing about places (LOG.md). Decisions are made on data/mini/dev; the held-out pages are
# scored once, at the end. The tables go to results/miniature.md beside this file, and two model folders that the service
# runs to the trainer's runs/mini/export: smolvlm-mini (the base as the target) and cropvlm-mini (the best cropper).
#
#     sh trainer/experiments/miniature/mini.sh
#
# Broken off at any point, it goes on from where it stood; budget.md says how long each part takes. Environment:
#   MINI_NEW_BASE=1    trains the base anew, an hour of one core, in the place of the one in base/ beside this file, which these
#                      commands have made (another kind of processor makes other bits)
#   MINI_SMALL=1       every part with tiny numbers, in runs/mini-small and data/mini-small; the tables say nothing
#   MINI_JOBS=3        jobs at one time, each on OMP_NUM_THREADS=1 threads
#   CROPVLM_TRAIN      the trainer's command, where it is installed elsewhere (then setup.sh is not run)
# An NVIDIA GPU is used if there is one.
set -eu
# Everything is relative to the trainer's folder.
cd "$(dirname "$0")/../.."
# Models this small gain little from a second thread; a second job gains all of it.
: "${OMP_NUM_THREADS:=1}" "${CUDA_VISIBLE_DEVICES=0}" "${MINI_JOBS:=3}"
export OMP_NUM_THREADS CUDA_VISIBLE_DEVICES
train=${CROPVLM_TRAIN:-.venv/bin/cropvlm-train} here=experiments/miniature

if [ -z "${MINI_SMALL:-}" ]; then
  runs=runs/mini data=data/mini results=$here/results
  seeds='1 2 3' base_steps=4500 base_pages=8 train_pages=900 dev_pages=300 held_out_pages=500
  grid_share=0.16 cells=10 most_cells=2 shards='1/2 2/2' least=-1.5 requests='0 1 2 3' request_rows=60
  sft_steps=1500 grpo_more='' pilot_steps=40 precisions='fp32 int8' parity=500 new_base=${MINI_NEW_BASE:-}
else
  runs=runs/mini-small data=data/mini-small results=$runs/results
  seeds=1 base_steps=6 base_pages=1 train_pages=10 dev_pages=4 held_out_pages=5
  grid_share=0.4 cells=3 most_cells=1 shards=1/1 least=-99 requests=0 request_rows=2
  # the cropper from the grid's seeds has to draw some valid boxes: the best of them are seeds in their turn
  sft_steps=200 grpo_more='--set batch=2 --set micro_batch=2 --set group=3'
  pilot_steps=2 precisions=fp32 parity=2 new_base=1
fi
base=$runs/base/checkpoint pages=$data/train

# --- jobs -------------------------------------------------------------------------------------------------------------
# Each does nothing where its last file is there, and goes on where it was broken off.

draw() { # SET PAGES SEED QUESTIONS: pages with questions. Of shapes, a model this small does not learn in this time which
  # one a question names (LOG.md).
  [ -f $data/$1/manifest.jsonl ] || $train data synth --out $data/$1 --n $2 --seed $3 --questions $4 --kinds receipt table
}
make_base() { # a base that reads: no answer that it learns has a coordinate in it
  if [ -n "$new_base" ] && [ -f $base/training.json ] && [ ! -f $runs/base/log.jsonl ]; then
    echo "mini.sh: $runs has begun with the base that lies beside this script; remove $runs for a new one" >&2
    return 1
  fi
  [ ! -f $base/training.json ] || return 0
  if [ -n "$new_base" ]; then
    $train pretrain --no-boxes --out $runs/base --steps $base_steps --pages $base_pages --save-every 500
  else
    rm -rf $base.part $base && mkdir -p $runs/base && cp -r $here/base $base.part && mv $base.part $base
  fi
}
seed_text() { # boxes of the lines that an OCR reads, about as large as the reader reads best
  [ -f $pages/text.jsonl ] ||
    $train data seed --method text --manifest $pages/manifest.jsonl --room 8 10 --out $pages/text.jsonl \
      --workers "$MINI_JOBS"
}
seed_grid() { # SHARD. The paper's 5 x 5 cells, with noise of up to a cell on each side, make crops that this reader
  # cannot read (LOG.md).
  [ -f $pages/grid.${1%/*}.jsonl ] || $train data seed --method grid --n $cells --most-cells $most_cells --base $base \
    --manifest $pages/sft.jsonl --shard $1 --out $pages/grid.${1%/*}.jsonl
}
seed_best() { # SHARD: the best of 16 boxes that the first seed's cropper from the grid's seeds draws
  [ -f $pages/best.${1%/*}.jsonl ] || $train data seed --method best-of --draws 16 --least $least --base $base \
    --cropper $runs/1/grid-sft/checkpoint --manifest $pages/grpo.jsonl --shard $1 --out $pages/best.${1%/*}.jsonl
}
seed_margin() { # the rival's: the true boxes, as large as the reader reads best
  [ -f $pages/margin.jsonl ] ||
    $train data expand --by margin --manifest $pages/manifest.jsonl --out $pages/margin.jsonl
}
cropper() { # SEED/STAGE: the folder of what it has learned: all weights of SFT, or GRPO's adapter on top of them
  case $1 in *-sft) echo $runs/$1/checkpoint ;; *) echo $runs/$1/adapter ;; esac
}
score() { # SET SEED STAGE: a cropper's boxes, and the answers that they lead to
  [ -f $runs/$1/$2/$3.json ] || $train eval --cropper-only --data $data/$1 --target $base \
    --cropper $(cropper $2/$3) --out $runs/$1/$2/$3.json
}
teach() { # SEED BOXES STEPS [SFT]: SFT of the base, or of what an SFT before made of it. The text that the OCR has read on
  # the pages is for the auxiliary loss.
  from=$base
  [ $# = 3 ] || from=$runs/$1/$4/checkpoint
  [ -f $runs/$1/$2-sft/checkpoint/training.json ] || $train full-sft --config $here/sft.toml --set base=$from --set seed=$1 \
    --set data=$pages/$2.jsonl --set texts=$pages/text.text.jsonl --set steps=$3 --set out=$runs/$1/$2-sft || return
  score dev $1 $2-sft
}
tune() { # SEED STAGE REWARD SFT [MORE ...]: GRPO, from an SFT, on all questions; the reader is the base
  out=$runs/$1/$2 seed=$1 stage=$2 reward=$3 from=$runs/$1/$4/checkpoint
  shift 4
  # A reader that is sure of what it misreads must not count for more than one that sees nothing.
  [ $reward = accuracy ] || set -- "$@" --set likelihood_floor=full
  [ -f $out/adapter/training.json ] || $train grpo --config $here/grpo.toml --set base=$from --set seed=$seed \
    --set reward=$reward --set reward_base=$base --set data=$pages/manifest.jsonl --set out=$out $grpo_more "$@" || return
  score dev $seed $stage
}
request() { # N: what the base is asked when it is to give a box without having been taught to
  case $1 in
    0) echo 'Outline the region in the image that would help answer this question.' ;;
    1) echo 'Where does it say so?' ;;
    2) echo 'Give the box of the answer.' ;;
    3) echo 'Give the box of the answer as [x1, y1, x2, y2] in per cent of the image.' ;;
  esac
}
try_request() { # N
  [ -f $runs/dev/base/request-$1.json ] || $train eval --cropper-only --limit $request_rows --data $data/dev \
    --target $base --cropper $base --cropper-request "$(request $1)" --out $runs/dev/base/request-$1.json
}
score_references() { # N: the base itself with a request, random boxes, the whole page and the true boxes
  [ -f $runs/held-out/references.json ] || $train eval --data $data/held-out --target $base --cropper $base \
    --cropper-request "$(request $1)" --cropper-margin --whole-page --out $runs/held-out/references.json
}
ship() { # ROLE ID CHECKPOINT: a folder that the service runs
  [ -f $runs/export/$2/cropvlm.json ] || $train export --checkpoint $3 --out $runs/export/$2 --role $1 --id $2 \
    --resolution 96 --precision $precisions --parity-pages $parity --scores $runs/scores.json --warning \
    "$2 knows synthetic pages only (receipts and tables that its trainer draws); of any other it knows nothing."
}

if [ "${1:-}" = job ]; then
  shift
  log=$runs/log/$(echo "$*" | tr ' /' '-.').log started=$(date +%s)
  if ! "$@" >> "$log" 2>&1; then
    echo "mini.sh: $* failed; the end of $log:" >&2
    tail -n 20 "$log" >&2
    exit 1
  fi
  # The job, its seconds, and the processor time (user, system) of all that it started.
  times > "$log.times"
  printf '%s\t%s\t%s\n' "$*" $(($(date +%s) - started)) "$(tail -n 1 "$log.times")" >> $runs/times.tsv
  rm "$log.times"
  exit 0
fi

# --- the whole --------------------------------------------------------------------------------------------------------

[ -n "${CROPVLM_TRAIN:-}" ] || sh setup.sh
mkdir -p $runs/log $data $results
# Held by every job too, so that what a kill has left running is not run twice.
exec 9> $runs/lock
if command -v flock > /dev/null && ! flock -n 9; then
  echo "mini.sh: another one, or a job that one has left, is running in $runs; end it first" >&2
  exit 1
fi
together() { # jobs, a line each on the standard input: MINI_JOBS at one time, all of them even where one fails
  xargs -P "$MINI_JOBS" -L 1 sh $here/mini.sh job || exit 1
}
for_seeds() { # JOB ARGUMENTS, with SEED for the seed: a line for each
  for seed in $seeds; do echo "$*" | sed "s/SEED/$seed/"; done
}
lines() { # JOB, and what it is called with: a line for each
  job=$1
  shift
  printf "$job %s\n" "$@"
}
merged() { # BOXES MANIFEST: the shards of a method in one file
  parts=
  for shard in $shards; do parts="$parts $pages/$1.${shard%/*}.jsonl"; done
  [ -f $pages/$1.jsonl ] || $train data merge --manifest $2 --parts $parts --out $pages/$1.jsonl
}
chosen() { # STAGE ...: the best of these on the development pages
  $train summary --runs $runs/dev --best-of "$@"
}

{ lines draw "held-out $held_out_pages 20261122 1" "dev $dev_pages 20261126 1" "train $train_pages 31 4"; } | together
$train data split --data $pages --seed 0 --share $grid_share
{ echo make_base; echo seed_text; echo seed_margin; } | together
{
  lines seed_grid $shards
  for_seeds teach SEED text $sft_steps
  for_seeds teach SEED margin $sft_steps
  lines try_request $requests
} | together
merged grid $pages/sft.jsonl
for_seeds teach SEED grid $sft_steps | together
lines seed_best $shards | together
merged best $pages/grpo.jsonl
for_seeds teach SEED best $((sft_steps / 2)) grid-sft | together

from=$(chosen text-sft grid-sft best-sft)
lines tune "1 pilot-accuracy accuracy $from --set max_steps=$pilot_steps" \
  "1 pilot-log_likelihood log_likelihood $from --set max_steps=$pilot_steps" | together
reward=$(chosen pilot-accuracy pilot-log_likelihood) reward=${reward#pilot-}
for_seeds tune SEED $reward $reward $from ${MINI_SMALL:+--set max_steps=2} | together
asked=$(chosen $(printf 'request-%s ' $requests))

{
  echo "score_references ${asked#request-}"
  for stage in margin-sft grid-sft best-sft text-sft $reward; do for_seeds score held-out SEED $stage; done
} | together
$train summary --runs $runs/held-out --out $results/miniature.json
best=$($train summary --runs $runs/dev --best)
rows() { grep -c . "$1"; }
cat >> $results/miniature.md << END

Questions: $(rows $pages/manifest.jsonl); true boxes with the margin: $(rows $pages/margin.jsonl); boxes by the OCR: \
$(rows $pages/text.jsonl), by the grid search: $(rows $pages/grid.jsonl), by the best of 16: $(rows $pages/best.jsonl).
Chosen on other pages than these ($dev_pages): GRPO starts from $from; its reward is $reward; the base is asked for boxes \
with "$(request ${asked#request-})"; the best cropper is $best (seed/stage).
The base, which never saw a box: $(sha256sum $base/model.safetensors | cut -d ' ' -f 1) (sha256).
END

[ -f $runs/scores.json ] || $train eval --data $data/held-out --target $base --cropper $(cropper $best) \
  --out $runs/scores.json
{ echo "ship target smolvlm-mini $base"; echo "ship cropper cropvlm-mini $(cropper $best)"; } | together
echo "the tables: trainer/$results/miniature.md; models: trainer/$runs/export; seconds of each job: trainer/$runs/times.tsv"
