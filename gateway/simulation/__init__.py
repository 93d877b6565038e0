"""People for a gate without people: a script that plays visitors on the simulated devices."""
