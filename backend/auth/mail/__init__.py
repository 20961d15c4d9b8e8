"""Account changes by mail: verify an address, choose a new password."""
