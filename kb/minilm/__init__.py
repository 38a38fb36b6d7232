"""all-MiniLM-L6-v2 on onnxruntime, built from the weights of an installed package."""
