"""llama.cpp's own HTTP server, as the package xllamacpp brings it.

`python llama_server.py <tokens of context> <model.gguf> [<mmproj.gguf>]` takes a free port of 127.0.0.1, prints its
address as one line of JSON once it answers, and serves until it is killed.
"""

from __future__ import annotations

import json
import signal
import sys

import xllamacpp

context, model, *mmproj = sys.argv[1:]
params = xllamacpp.CommonParams()
params.hostnames, params.port = ["127.0.0.1"], 0
params.model.path = model
if mmproj:
    params.mmproj.path = mmproj[0]
params.n_ctx, params.n_parallel = int(context), 1
# its threads wait busily for each other, which takes seconds for a prompt where the cores have other work
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.use_jinja = True
params.warmup = False
server = xllamacpp.Server(params)
print(json.dumps({"address": server.listening_address}), flush=True)
signal.pause()
