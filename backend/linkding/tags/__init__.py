"""Tags as linkding's clients list and make them."""
