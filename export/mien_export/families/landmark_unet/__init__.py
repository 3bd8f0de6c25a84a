"""A U-Net on a picture and landmark heat maps: face image synthesis conditioned on target landmarks."""
