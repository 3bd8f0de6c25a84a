"""Glass to glass without a camera: frames that carry a number and a time, and what is read of them at the far end."""
