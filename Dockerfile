# The service on a CPU, with the bundled models in it:  docker build -t cropvlm .  &&  docker run -p 8080:8080 cropvlm
# A registry or a certificate of your own for the build: docker/certs/README.md. `docker/try.sh` tries all of it.

FROM node:20.20.2-bookworm-slim AS build
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

# What the service needs at run time alone, in a stage of its own so that it is built beside the other.
FROM node:20.20.2-bookworm-slim AS dependencies
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

FROM node:20.20.2-bookworm-slim
# GRAPH_CACHE_DIR: one place whoever the user is
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    GRAPH_CACHE_DIR=/var/cache/cropvlm
# jemalloc, which the engine's processes take where it is there (docs/operate/run.md); its version is the distribution's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libjemalloc2 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
WORKDIR /app
# Any user may write there: USER below, one that Kubernetes or `docker run --user` gives. A new volume takes owner and mode over.
RUN install -d -m 1777 -o 1000 -g 1000 /var/cache/cropvlm
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=dependencies /app/sbom.spdx.json ./
COPY --from=build /app/dist ./dist
COPY package.json LICENSE NOTICE ./
COPY models/cropvlm-mini ./models/cropvlm-mini
COPY models/cropvlm-receipts ./models/cropvlm-receipts
COPY models/smolvlm-mini ./models/smolvlm-mini
# The image's unprivileged user, by number, as runAsNonRoot of Kubernetes wants it. Nothing under /app belongs to it, and nothing
# there is ever written.
USER 1000:1000
EXPOSE 8080
# Node itself handles the signal: it stops listening, finishes what is in flight and ends the engine process.
STOPSIGNAL SIGTERM
# /health/ready and not /health/live: healthy means that a model has answered.
HEALTHCHECK --interval=15s --timeout=5s --start-period=180s --retries=4 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/health/ready').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/main.js"]
# Last, since another revision makes another layer of it. The packages in the image are listed in sbom.spdx.json.
ARG VERSION=0.1.0
ARG GIT_REVISION
ARG SOURCE
ENV GIT_REVISION=${GIT_REVISION}
LABEL org.opencontainers.image.title="CropVLM" \
    org.opencontainers.image.description="Finds the region of an image that helps to answer a question" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${GIT_REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.licenses="Apache-2.0" \
    cropvlm.sbom="/app/sbom.spdx.json"
