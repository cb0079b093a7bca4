# The trainer. From the repository's root:
#   docker build -f docker/trainer.Dockerfile -t cropvlm-trainer .
#   docker run --rm --gpus all --shm-size 2g -v "$PWD/trainer/data:/data" -v "$PWD/trainer/runs:/runs" \
#     -v "$PWD/trainer/models:/models" cropvlm-trainer --help
# The torch wheel for Linux brings its own CUDA libraries, so the base needs none; without --gpus it trains on the CPU. For a
# CPU alone, --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu saves gigabytes.
# A registry or a certificate of your own for the build: docker/certs/README.md.

FROM python:3.11.14-slim-bookworm AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
ARG PIP_TRUSTED_HOST
ARG PIP_CERT
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /trainer
COPY docker/certs /certs
RUN python -m venv /opt/trainer
# The pinned packages first and alone: several GB that a change of the code must not fetch again.
COPY trainer/pyproject.toml ./
RUN python -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']))" \
      > /tmp/requirements.txt \
    && /opt/trainer/bin/pip install -r /tmp/requirements.txt
COPY trainer/cropvlm_trainer ./cropvlm_trainer
RUN /opt/trainer/bin/pip install --no-deps .

FROM python:3.11.14-slim-bookworm
# HOME and USER: for a user that has no name in the image, as with --user
ENV PATH=/opt/trainer/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/home/trainer \
    USER=trainer
# Any user may write there; a new volume takes owner and mode over.
RUN useradd --no-create-home --uid 1000 trainer \
    && install -d -m 1777 -o 1000 -g 1000 /data /runs /models \
      /home/trainer /home/trainer/.cache /home/trainer/.cache/huggingface
COPY --from=build /opt/trainer /opt/trainer
COPY trainer/configs /configs
USER 1000:1000
# relative paths on the command line, data/..., runs/... and models/..., are then the volumes, configs/... the image's own
WORKDIR /
VOLUME ["/data", "/runs", "/models"]
ENTRYPOINT ["cropvlm-train"]
CMD ["--help"]
ARG VERSION=0.1.0
ARG GIT_REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="CropVLM trainer" \
    org.opencontainers.image.description="Trains, evaluates and exports CropVLM croppers" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${GIT_REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.licenses="Apache-2.0"
