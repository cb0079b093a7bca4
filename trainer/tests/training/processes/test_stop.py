"""SIGTERM is noted, and ends the process again afterwards."""

import os
import signal

import torch

from cropvlm_trainer.training.processes.stop import stopped_by_sigterm


def test_the_signal_is_noted_within_and_the_handler_restored():
    before = signal.getsignal(signal.SIGTERM)
    with stopped_by_sigterm() as stop:
        assert not stop.everywhere(torch.device("cpu"))
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.everywhere(torch.device("cpu"))
    assert signal.getsignal(signal.SIGTERM) is before
