"""What the service says of its own state."""
