"""Times a run of the decoder by the number of its tokens, after 110 others: would a tree of digits be faster?

    .venv/bin/python bench/decoder_lengths.py ../bench/.cache/cpu/full-size/ours --suffix _int8

A box takes 7 runs after the prefill. With all continuations of one coordinate in a run (110 tokens) it would take 3;
with the ten second digits that may follow a chosen first one (33 tokens, separators included) 4.
"""

from statistics import median

from graphs import milliseconds, options, parser, session, token_feeds

LENGTHS = (1, 2, 3, 4, 11, 33, 110)


def main() -> None:
    arguments = parser(__doc__, rounds=9)
    arguments.add_argument("--threads", type=int, default=0, help="0: one a core")
    args = arguments.parse_args()
    settings = options()
    settings.intra_op_num_threads = args.threads
    decoder = session(args.folder / "onnx" / f"decoder_model_merged{args.suffix}.onnx", settings)
    feeds = {length: token_feeds(decoder, length) for length in LENGTHS}
    times: dict[int, list[float]] = {length: [] for length in LENGTHS}
    for _ in range(args.rounds):
        for length in LENGTHS:
            times[length].append(milliseconds(decoder, feeds[length]))
    print("| tokens a run | ms | times one token's |\n|---|---|---|")
    for length in LENGTHS:
        print(f"| {length} | {median(times[length]):.1f} | {median(times[length]) / median(times[1]):.2f} |")


if __name__ == "__main__":
    main()
