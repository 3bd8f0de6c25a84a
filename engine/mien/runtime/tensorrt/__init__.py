"""TensorRT 10 and 11; the only folder that imports it."""
