"""`cropvlm-train data ...`: the subcommands that make training and evaluation data."""

from __future__ import annotations

import argparse
from pathlib import Path

from cropvlm_trainer.data.seed import arguments as seed_arguments
from cropvlm_trainer.data.synth import arguments as synth_arguments

# The other modules are imported when their command runs, because they take seconds to import and --help should not.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="data_command", required=True)
    make = commands.add_parser("synth", help="draw synthetic pages, in miniature or as real documents look")
    synth_arguments.add_arguments(make)
    make.set_defaults(data_run=_synth)

    build = commands.add_parser("build", help="read public sets and own manifests into one manifest; goes on if killed")
    build.add_argument(
        "--source",
        nargs="+",
        action="extend",
        required=True,
        metavar="NAME[=PATH_OR_HUB_ID]",
        help="textvqa, docvqa, infographicvqa or stvqa (from the hub, or a folder or parquet file in its columns; "
        "a hub id may end in :CONFIG), or jsonl=MANIFEST of one's own",
    )
    build.add_argument("--out", type=Path, required=True, help="folder for manifest.jsonl, rejected.jsonl and images/")
    build.add_argument("--split", default="train", help="of each public set (default: train)")
    build.add_argument("--limit", type=int, help="only the first rows of each source")
    build.add_argument("--shard-size", type=int, default=1000, help="rows that a kill loses at most (default: 1000)")
    build.set_defaults(data_run=_build)

    split = commands.add_parser("split", help="halve a set by image: sft.jsonl and grpo.jsonl beside its manifest")
    split.add_argument("--data", type=Path, required=True, help="folder with manifest.jsonl")
    how = split.add_mutually_exclusive_group(required=True)
    how.add_argument("--seed", type=int, help="of the halves")
    how.add_argument(
        "--by", metavar="FIELD", help="instead of halves, a file for each value of this field, as train.jsonl"
    )
    split.add_argument("--share", type=float, help="of the questions that go to SFT, beside --seed (default: 0.5)")
    split.set_defaults(data_run=_split)

    seed = commands.add_parser("seed", help="boxes to start from, by a big VLM, a reward model, an OCR or a cropper")
    seed_arguments.add_arguments(seed)
    seed.set_defaults(data_run=_seed)

    merge = commands.add_parser("merge", help="put the shards of `data seed --shard` together; says what is missing")
    merge.add_argument("--manifest", type=Path, required=True, help="of which the parts are the shards")
    merge.add_argument("--parts", type=Path, nargs="+", required=True, help="what `data seed` wrote for each shard")
    merge.add_argument("--out", type=Path, required=True, help="new manifest, in the folder of the other")
    merge.set_defaults(data_run=_merge)

    expand = commands.add_parser("expand", help="grow the boxes of a manifest about their centres")
    expand.add_argument("--manifest", type=Path, required=True)
    expand.add_argument("--out", type=Path, required=True, help="new manifest, in the folder of the other")
    expand.add_argument(
        "--by",
        default="percentile",
        metavar="percentile|table3|margin|FACTOR",
        help="45, 10, 4, 2 or 1 times the area by the percentile of a box's own (default) or, with table3, by the "
        "areas that the paper's Table 3 prints; with margin, to the crop that the mini reader reads best: 20 %% more "
        "on each side and at least 14 x 10 %% of the page; or one factor for all",
    )
    expand.set_defaults(data_run=_expand)


def run(args: argparse.Namespace) -> None:
    args.data_run(args)


def _synth(args: argparse.Namespace) -> None:
    synth_arguments.settle(args)
    if args.style == synth_arguments.DOCUMENTS:
        from cropvlm_trainer.data.synth.documents.write import write as write_documents

        recipe = (args.seed, args.kinds, args.questions, args.fonts, args.workers, args.room)
        write_documents(args.out, args.n, *recipe)
    else:
        from cropvlm_trainer.data.synth import dataset

        dataset.write(args.out, args.n, args.seed, args.kinds, args.questions)


def _build(args: argparse.Namespace) -> None:
    from cropvlm_trainer.data.build import build

    build(args.out, args.source, args.split, args.limit, args.shard_size)


def _split(args: argparse.Namespace) -> None:
    from cropvlm_trainer.data.split import split, split_by

    if args.by is None:
        split(args.data, args.seed, 0.5 if args.share is None else args.share)
    elif args.share is None:
        split_by(args.data, args.by)
    else:
        raise ValueError("--share is for two halves by --seed; leave it out beside --by")


def _seed(args: argparse.Namespace) -> None:
    seed_arguments.settle(args)
    if args.method == seed_arguments.VLM:
        from cropvlm_trainer.data.seed.vlm import seed_vlm

        seed_vlm(args)
    elif args.method == seed_arguments.TEXT:
        from cropvlm_trainer.data.seed.text import seed_text

        seed_text(args)
    elif args.method == seed_arguments.BEST_OF:
        from cropvlm_trainer.data.seed.best_of import seed_best_of

        seed_best_of(args)
    else:
        from cropvlm_trainer.data.seed.grid import seed_grid

        seed_grid(args)


def _merge(args: argparse.Namespace) -> None:
    from cropvlm_trainer.data.shards import merge_shards

    merge_shards(args.manifest, args.parts, args.out)


def _expand(args: argparse.Namespace) -> None:
    from cropvlm_trainer.data.expand import expand

    expand(args.manifest, args.out, args.by)
