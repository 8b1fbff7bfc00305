"""Image classification with timm."""
