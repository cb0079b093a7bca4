"""What an export can be told, and its defaults. This module imports nothing slow, since --help names them."""

PRECISIONS = {"fp32": "", "fp16": "_fp16", "int8": "_int8", "q4": "_q4"}
"""Precision -> the suffix of its graph files, as on the hub."""
TOLERANCE = 1e-3
"""Of fp32: the largest difference from torch, over the standard deviation of torch's own values, that is taken."""
FLOOR = 0.5
"""Of the other precisions: the lowest `steps_equal`, and a cropper's lowest mean IoU with fp32, that are taken."""
PAGES = 200
"""How many pages are compared; enough for a standard error of about 0.005 where one box in ten differs."""
