#!/bin/sh
# The bench on a Linux machine (x86-64) with an NVIDIA GPU, from a fresh checkout:
#
#   sh bench/gpu.sh [options of npm run bench]
#
# Installs the service with ONNX Runtime's CUDA provider and the trainer with CUDA PyTorch, then measures our fp16 against
# transformers in fp16 and bf16 at 512, 1024 and 2048: time, and memory on the GPU by process. Results in bench/gpu/.
#
# Needs: a driver for CUDA 12 or newer, Node 20.20 or newer, Python 3.11 or newer, 20 GB of disk, and a folder with
# SmolVLM-256M-Instruct's config and tokenizer (no weights): ../shared/smolvlm-256m-instruct, or FILES=DIR.
# SKIP_INSTALL=1 takes node_modules, trainer/.venv and bench/.cache/cuda12 as they are.
set -eu
cd "$(dirname "$0")/.."
files=${FILES:-../shared/smolvlm-256m-instruct}
cuda12=bench/.cache/cuda12

fail() {
  echo "bench/gpu.sh: $1" >&2
  exit 1
}

[ "$(uname -sm)" = 'Linux x86_64' ] || fail "this is $(uname -sm); ONNX Runtime has CUDA for Linux on x86-64 alone"
command -v nvidia-smi > /dev/null || fail 'nvidia-smi is missing: no NVIDIA driver is installed, or the container was started without --gpus'
nvidia-smi > /dev/null || fail 'nvidia-smi fails: see what it says with nvidia-smi'
command -v node > /dev/null || fail 'Node 20.20 or newer is needed'
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 20) ? 0 : 1)' ||
  fail "Node $(node --version) is too old; 20.20 or newer is needed"
[ -f "$files/config.json" ] || fail "$files holds no config.json; name the folder of SmolVLM's files with FILES=DIR (hf download HuggingFaceTB/SmolVLM-256M-Instruct --exclude '*.safetensors' 'onnx/*' --local-dir DIR)"

# What ONNX Runtime's provider is linked against, where the system has it not. PyTorch brings a CUDA of its own, maybe
# another, so these stand in a place of their own that the service alone is told of.
has_cuda12() {
  ldconfig -p | grep -q 'libcublasLt\.so\.12' && ldconfig -p | grep -q 'libcudnn\.so\.9'
}

if [ "${SKIP_INSTALL:-}" != 1 ]; then
  npm ci --no-audit --no-fund
  ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js
  sh trainer/setup.sh
  if ! has_cuda12 && [ ! -f "$cuda12/installed" ]; then
    "${PYTHON:-python3}" -m venv "$cuda12"
    "$cuda12/bin/python" -m pip install --quiet nvidia-cublas-cu12 nvidia-cuda-runtime-cu12 nvidia-cuda-nvrtc-cu12 \
      nvidia-cufft-cu12 nvidia-curand-cu12 nvidia-nvjitlink-cu12 'nvidia-cudnn-cu12==9.*'
    touch "$cuda12/installed"
  fi
fi
provider=node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so
[ -f "$provider" ] || fail "$provider is missing: remove node_modules and run this again without SKIP_INSTALL, with internet"
trainer/.venv/bin/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
  fail 'the PyTorch of trainer/.venv has no CUDA: remove trainer/.venv, unset PIP_EXTRA_INDEX_URL and run this again'

if [ -f "$cuda12/installed" ]; then
  BENCH_LIBRARY_PATH=$(find "$PWD/$cuda12" -type d -path '*/nvidia/*/lib' | paste -sd: -)
  export BENCH_LIBRARY_PATH
fi
exec npm run bench -- --device cuda --models full --only latency,second --precisions fp16 \
  --rounds 512=15,1024=9,2048=7 --files "$files" --out bench/gpu "$@"
