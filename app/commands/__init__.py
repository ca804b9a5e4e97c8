"""The verbs of the command line, a module each; imported only when called."""
