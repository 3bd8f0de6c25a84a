"""Where a frame is computed: the processor or a GPU, behind one protocol."""
