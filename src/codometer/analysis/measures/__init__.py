"""One definition for every number shown anywhere: the measures, and how they are asked for."""
