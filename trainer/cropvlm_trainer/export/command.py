"""The command line of `cropvlm-train export`."""

import argparse
from pathlib import Path

from cropvlm_trainer.export.settings import FLOOR, PAGES, PRECISIONS, TOLERANCE
from cropvlm_trainer.files import read_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="an Idefics3 folder with weights and processor, or an adapter's"
    )
    parser.add_argument("--base", type=Path, help="the base of an adapter, where the adapter does not lead to it")
    parser.add_argument("--out", type=Path, required=True, help="the model folder; an older export there is replaced")
    parser.add_argument("--role", choices=("cropper", "target"), required=True)
    parser.add_argument("--id", required=True, help="the model's name in replies and in /info")
    parser.add_argument("--precision", nargs="+", default=["fp32"], choices=PRECISIONS, help="the first is the default")
    parser.add_argument("--resolution", nargs="+", type=int, help="longest edges taught, the default first (pixels)")
    parser.add_argument(
        "--fp32-decoder",
        action="store_true",
        help="the decoder stays float32 in int8 and q4: a narrow one loses boxes in int8 and is hardly faster",
    )
    parser.add_argument("--hub-layout", action="store_true", help="unfused graphs with the hub's inputs")
    parser.add_argument(
        "--attention",
        nargs="*",
        type=int,
        metavar="LAYER",
        help="the decoder gives the attention of these layers too, from 0, for CROPPER=attention; without a LAYER the "
        "one in the middle",
    )
    parser.add_argument("--scores", type=Path, help="JSON of `eval`, kept in cropvlm.json")
    parser.add_argument("--warning", help="what users of the model should know; the service repeats it in every reply")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help="of fp32: largest difference over torch's own spread"
    )
    parser.add_argument(
        "--floor", type=float, default=FLOOR, help="of the others: least share of equal tokens, least IoU of boxes"
    )
    parser.add_argument(
        "--parity-pages", type=int, default=PAGES, help="pages on which boxes or answers are compared with fp32's"
    )
    parser.add_argument(
        "--parity-data",
        type=Path,
        metavar="MANIFEST",
        help="the data set (.jsonl) whose pages these are: what the model was made for (default: synthetic pages)",
    )


def run(args: argparse.Namespace) -> int:
    # Imported when the command runs: torch takes seconds, and --help should not.
    from cropvlm_trainer.export.export import export

    made = export(
        args.checkpoint,
        args.out,
        base=args.base,
        role=args.role,
        model_id=args.id,
        precisions=tuple(args.precision),
        hub_layout=args.hub_layout,
        resolutions=args.resolution,
        tolerance=args.tolerance,
        floor=args.floor,
        parity_pages=args.parity_pages,
        parity_data=args.parity_data,
        fp32_decoder=args.fp32_decoder,
        scores=read_json(args.scores) if args.scores else None,
        warning=args.warning,
        attention=args.attention,
    )
    parity = made if args.hub_layout else made["scores"]["parity"]
    print(f"wrote {args.out}; against torch:")
    for precision, differences in parity.items():
        print(f"  {precision}: " + ", ".join(f"{name} {value}" for name, value in differences.items()))
    return 0
