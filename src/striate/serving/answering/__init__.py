"""From the bytes of a request to answers: forms, tensors, batches, and the test before the first one."""
