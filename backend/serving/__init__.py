"""What every declared route passes on the way to its view, and its answer on the way out."""
