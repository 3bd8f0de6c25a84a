"""Conversion of MediaPipe's face detectors, landmark network and person segmentation from TFLite to an ONNX bundle."""
