import torch

# With small models, the threads' waiting for each other costs more than a second thread gains.
torch.set_num_threads(1)
