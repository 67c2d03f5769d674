"""The command line: arguments, printing, exit codes. The only package that prints."""
