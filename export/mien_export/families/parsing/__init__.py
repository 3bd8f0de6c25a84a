"""Face parsing in 19 classes: labels made from portraits and landmarks, a network that learns them, its measures."""
