"""A tiny checkpoint and pages to search for boxes, in one folder."""

from __future__ import annotations

import pytest
from support.runs.run import write_base_and_pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`base`, a tiny checkpoint, and pages with two questions each."""
    return write_base_and_pages(tmp_path_factory.mktemp("given"), 3, questions_per_page=2)
