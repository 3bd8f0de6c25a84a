"""The thesis's training: its losses, its step, its schedules and the configurations of its ablation."""
