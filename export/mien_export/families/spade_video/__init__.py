"""Face synthesis from a label map and the code of a picture: SPADE for face video."""
