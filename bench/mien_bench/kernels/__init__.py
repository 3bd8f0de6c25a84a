"""What `mien bench kernels` measures: tasks of ops, the implementations to compare with, the devices, the roofline."""
