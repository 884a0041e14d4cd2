"""Picture files, one format a file: what the header says, and the pixels to the last one."""
