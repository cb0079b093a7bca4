import torch

# Small models on shared machines: two threads that wait for each other are slower than one.
torch.set_num_threads(1)
