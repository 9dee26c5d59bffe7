"""The command line: thin faces, parse → stage or query → print. stdout carries data, everything else goes to stderr."""
