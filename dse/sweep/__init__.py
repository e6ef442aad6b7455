"""Running a study: the plan of what to schedule, the workers, and the store that outlives them."""
