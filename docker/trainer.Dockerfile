# syntax=docker/dockerfile:1
# The trainer. From the repository's root:
#   docker build -f docker/trainer.Dockerfile -t cropvlm-trainer .
#   docker run --rm --gpus all --shm-size 2g -v "$PWD/trainer/data:/data" -v "$PWD/trainer/runs:/runs" \
#     -v "$PWD/trainer/models:/models" cropvlm-trainer --help
# The torch wheel for Linux brings its own CUDA libraries, so the base needs none; without --gpus it trains on the CPU.

FROM python:3.11.14-slim-bookworm
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1
WORKDIR /trainer
# The pinned packages first and alone: several GB that a change of the code must not fetch again.
COPY trainer/pyproject.toml ./
RUN python -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']))" \
      > /tmp/requirements.txt \
    && pip install -r /tmp/requirements.txt
COPY trainer/cropvlm_trainer ./cropvlm_trainer
RUN pip install --no-deps .
RUN useradd --create-home --uid 1000 trainer \
    && install --directory --owner trainer --group trainer /data /runs /models /home/trainer/.cache/huggingface
COPY trainer/configs /configs
USER trainer
# relative paths on the command line, data/..., runs/... and models/..., are then the volumes, configs/... the image's own
WORKDIR /
VOLUME ["/data", "/runs", "/models"]
ENTRYPOINT ["cropvlm-train"]
CMD ["--help"]
