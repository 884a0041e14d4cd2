"""Pictures decoded once, by all cores, into a memory-mapped pack; or anew in every epoch, ahead of the network."""
