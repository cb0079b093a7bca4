# syntax=docker/dockerfile:1
# The service on an NVIDIA GPU. From the repository's root:
#   docker build -f docker/gpu.Dockerfile -t cropvlm-gpu .  &&  docker run --gpus all -p 8080:8080 cropvlm-gpu
# onnxruntime has CUDA for linux/amd64 alone.

FROM --platform=linux/amd64 node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM --platform=linux/amd64 node:20.20.2-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The CUDA provider is too large for the registry; onnxruntime-node's own script, which .npmrc keeps npm from running,
# fetches it.
ENV ONNXRUNTIME_NODE_INSTALL=cuda12
RUN npm ci --omit=dev && node node_modules/onnxruntime-node/script/install.js
# A build without the provider would only be found out on a GPU machine, so it fails here.
RUN cd node_modules/onnxruntime-node/bin/napi-v6 \
    && test -f linux/x64/libonnxruntime_providers_cuda.so \
    && test -f linux/x64/libonnxruntime_providers_shared.so \
    && rm -rf darwin win32 linux/arm64 linux/x64/libonnxruntime_providers_tensorrt.so

# CUDA 12 and cuDNN 9: what the CUDA provider of onnxruntime-node is linked against.
FROM --platform=linux/amd64 nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04
# Node is one file; glibc and libstdc++ here are newer than those it was built for.
COPY --from=build /usr/local/bin/node /usr/local/bin/node
# cuda and not auto: without a usable GPU this image does not start, rather than run slowly unnoticed.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    EXECUTION_PROVIDER=cuda
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY models/cropvlm-mini ./models/cropvlm-mini
COPY models/smolvlm-mini ./models/smolvlm-mini
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=4 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/health/ready').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/main.js"]
