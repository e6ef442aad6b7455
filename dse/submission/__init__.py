"""Handing a study to a cluster: as a job of Ray, of Slurm or of Kubernetes, and asking how it goes."""
