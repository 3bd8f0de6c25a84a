"""Networks trained alike but for one thing: the columns of a paper's ablation."""
