"""From the model to the graphs of kernel objects that one node should have; pure functions throughout."""
