"""The guarded way out: connections to addresses that were checked, bounded in time and size (DESIGN 7)."""
