"""How often anybody may ask (R-LIMIT): sliding windows, counted in Redis for all processes."""
