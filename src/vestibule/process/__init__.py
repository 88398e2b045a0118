"""What the operating system gives a process: signals, streams, threads, open files; and how a command ends."""
