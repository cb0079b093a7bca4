"""Several processes of one run, which may lie on machines that share no disk: what the first has, all go on with."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import distributed


def is_distributed() -> bool:
    """Whether the run has several processes."""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def from_first(read: Callable[[], Any], device: torch.device) -> Any:
    """Returns, in every process, what `read` returns in the first: tensors (on the CPU) and plain values.

    It is read in the first process alone. A ValueError that it raises there is raised in every process.
    `device`: where this process computes.
    """
    if not is_distributed():
        return read()
    content = b""
    if distributed.get_rank() == 0:
        content = _packed(read)
    size = torch.tensor(len(content), device=device)
    distributed.broadcast(size, 0)
    if distributed.get_rank() == 0:
        packed = torch.frombuffer(bytearray(content), dtype=torch.uint8).to(device)
    else:
        packed = torch.empty(int(size), dtype=torch.uint8, device=device)
    distributed.broadcast(packed, 0)
    found = torch.load(io.BytesIO(packed.cpu().numpy().tobytes()), map_location="cpu", weights_only=True)
    if found["error"] is not None:
        raise ValueError(found["error"])
    return found["value"]


def check_same(mine: Mapping[str, str], where: str) -> None:
    """Raises ValueError in every process where they do not all have the same texts in `mine`.

    `where` says in the message what to do about it.
    """
    if not is_distributed():
        return
    of_all: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(of_all, dict(mine))
    first = of_all[0]
    for rank, other in enumerate(of_all):
        differing = [name for name in sorted({*first, *other}) if first.get(name) != other.get(name)]
        if differing:
            raise ValueError(f"process {rank} has another {', '.join(differing)} than process 0; {where}")


def sum_over_ranks(values: Mapping[str, float], device: torch.device) -> dict[str, float]:
    """Returns the sums of the values over all processes, which have the same names."""
    if not is_distributed():
        return dict(values)
    sums = torch.tensor([values[name] for name in sorted(values)], dtype=torch.float64)
    sums = sums.to(device if device.type == "cuda" else "cpu")
    distributed.all_reduce(sums)
    return dict(zip(sorted(values), sums.tolist(), strict=True))


def digest(tensors: Iterable[torch.Tensor]) -> str:
    """Returns a hash of the tensors' values."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _packed(read: Callable[[], Any]) -> bytes:
    buffer = io.BytesIO()
    try:
        torch.save({"value": read(), "error": None}, buffer)
    except ValueError as error:
        torch.save({"value": None, "error": str(error)}, buffer)
    return buffer.getvalue()
