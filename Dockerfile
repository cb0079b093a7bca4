# syntax=docker/dockerfile:1
# The service on a CPU, with the bundled models in it:  docker build -t cropvlm .  &&  docker run -p 8080:8080 cropvlm

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

# What the service needs at run time alone, in a stage of its own so that it is built beside the other.
FROM node:20.20.2-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
# onnxruntime-node ships its library for every system, 290 MB; one of them is ours (uname says x86_64, Node x64)
RUN cd node_modules/onnxruntime-node/bin/napi-v6 \
    && rm -rf darwin win32 \
    && case "$(uname -m)" in x86_64) rm -rf linux/arm64 ;; aarch64) rm -rf linux/x64 ;; esac

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY models/cropvlm-mini ./models/cropvlm-mini
COPY models/smolvlm-mini ./models/smolvlm-mini
# where optimised graphs are kept (GRAPH_CACHE_DIR); a volume mounted there takes its owner over
RUN install -d -o node -g node /home/node/.cache/cropvlm
# the image's own unprivileged user; nothing under /app belongs to it, and nothing there is ever written
USER node
EXPOSE 8080
# Node itself handles the signal: it stops listening, finishes what is in flight and ends the engine process.
STOPSIGNAL SIGTERM
# /health/ready and not /health/live: healthy means that a model has answered.
HEALTHCHECK --interval=15s --timeout=5s --start-period=180s --retries=4 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/health/ready').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/main.js"]
