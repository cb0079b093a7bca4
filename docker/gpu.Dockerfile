# The service on an NVIDIA GPU. From the repository's root:
#   docker build -f docker/gpu.Dockerfile -t cropvlm-gpu .  &&  docker run --gpus all -p 8080:8080 cropvlm-gpu
# onnxruntime has CUDA for linux/amd64 alone, hence --platform in each FROM.
# A registry or a certificate of your own for the build: docker/certs/README.md.

# hadolint ignore=DL3029
FROM --platform=linux/amd64 node:20.20.2-bookworm-slim AS build
ARG NPM_CONFIG_REGISTRY
ARG NODE_EXTRA_CA_CERTS
WORKDIR /app
COPY docker/certs /certs
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

# hadolint ignore=DL3029
FROM --platform=linux/amd64 node:20.20.2-bookworm-slim AS dependencies
ARG NPM_CONFIG_REGISTRY
ARG NODE_EXTRA_CA_CERTS
WORKDIR /app
COPY docker/certs /certs
COPY package.json package-lock.json .npmrc ./
# npm lists no packages where it misses some that package.json names, so those of development are not named here.
RUN npm ci --omit=dev \
    && npm pkg delete devDependencies \
    && npm sbom --omit=dev --sbom-format=spdx --sbom-type=application > sbom.spdx.json
COPY docker/prune.sh ./
RUN sh prune.sh node_modules

# Apart from the stage before, so that a machine that reaches the npm registry alone can build that one.
FROM dependencies AS cuda
# The CUDA provider is too large for the registry; onnxruntime-node's own script, which .npmrc keeps npm from running,
# fetches it. A build without the provider would only be found out on a GPU machine, so it fails here.
ENV ONNXRUNTIME_NODE_INSTALL=cuda12
RUN node node_modules/onnxruntime-node/script/install.js \
    && test -f node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so \
    && test -f node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_shared.so \
    && rm -f node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_tensorrt.so

# CUDA 12 and cuDNN 9: what the CUDA provider of onnxruntime-node is linked against.
# hadolint ignore=DL3029
FROM --platform=linux/amd64 nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04
# Node is one file; glibc and libstdc++ here are newer than those it was built for.
COPY --from=build /usr/local/bin/node /usr/local/bin/node
# cuda and not auto: without a usable GPU this image does not start, rather than run slowly unnoticed.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    EXECUTION_PROVIDER=cuda \
    GRAPH_CACHE_DIR=/var/cache/cropvlm
# jemalloc, which the engine's processes take where it is there (docs/operate/run.md); its version is the distribution's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libjemalloc2 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
WORKDIR /app
# Any user may write there: USER below, one that Kubernetes or `docker run --user` gives. A new volume takes owner and mode over.
RUN install -d -m 1777 -o 1000 -g 1000 /var/cache/cropvlm
COPY --from=cuda /app/node_modules ./node_modules
COPY --from=dependencies /app/sbom.spdx.json ./
COPY --from=build /app/dist ./dist
COPY package.json LICENSE NOTICE ./
COPY models/cropvlm-mini ./models/cropvlm-mini
COPY models/cropvlm-receipts ./models/cropvlm-receipts
COPY models/smolvlm-mini ./models/smolvlm-mini
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=4 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/health/ready').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/main.js"]
ARG VERSION=0.1.0
ARG GIT_REVISION
ARG SOURCE
ENV GIT_REVISION=${GIT_REVISION}
LABEL org.opencontainers.image.title="CropVLM" \
    org.opencontainers.image.description="Finds the region of an image that helps to answer a question, on an NVIDIA GPU" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${GIT_REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.licenses="Apache-2.0" \
    cropvlm.sbom="/app/sbom.spdx.json"
