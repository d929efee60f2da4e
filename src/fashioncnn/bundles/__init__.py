"""What is shipped: opening a bundle safely, and answering from it with ONNX Runtime; no torch."""
