"""What linkding's clients ask of the server and the person before anything else."""
