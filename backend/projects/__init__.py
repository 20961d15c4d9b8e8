"""Projects: the work that saved reading is for."""
