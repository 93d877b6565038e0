"""The guard's page: a child process of the gate shows and asks; who asks, and whether he may, is known to the gate alone."""
