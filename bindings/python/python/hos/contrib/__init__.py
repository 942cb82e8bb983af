"""Small bridges to frameworks. None is imported unless it is asked for, and none is needed."""
