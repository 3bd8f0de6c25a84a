"""The paths: each a function that lets coded frames run and tells what was seen of them."""
