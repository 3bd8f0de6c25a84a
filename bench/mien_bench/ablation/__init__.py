"""What ablation columns of a generator come to: figures and numbers, as the papers have them and lacked them."""
